import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { SignJWT } from 'jose';
import type { WebSocket } from 'ws';
import type { FdbEntry, NetworkEntry } from '../../src/control/schema.ts';
import { eventually } from '../support/etherws.ts';
import { ask, knock } from '../support/http.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once, until } from '../support/waits.ts';

/*
 * Networks of a real switch, which tunnels join by their URL, their token, or the policy.
 */

const directory = mkdtempSync(join(tmpdir(), 'etherws-networks-'));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

const SECRET = '0123456789abcdef0123456789abcdef';
const TOKENS = ['--tokenkeys', file('secret', SECRET), '--tokenaudience', 'lan'];

function tokenOf(sub: string, net?: unknown): Promise<string> {
  const claims = { sub, aud: 'lan', exp: Math.floor(Date.now() / 1000) + 600, ...(net === undefined ? {} : { net }) };
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
}

/** A frame to all stations. */
function frame(source: number, mark: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.fill(0xff, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + source, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  bytes[20] = mark;
  return bytes;
}

interface Client {
  readonly socket: WebSocket;
  /** of the frames that it got */
  readonly marks: number[];
}

async function enter(t: TestContext, lan: SwitchProcess, path: string, token?: string): Promise<Client> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const socket = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}${path}`, { headers, perMessageDeflate: false });
  t.after(() => socket.terminate());
  socket.on('error', () => undefined);
  const marks: number[] = [];
  // Not the frames of the switch itself, such as BPDUs.
  socket.on('message', (bytes: Buffer) => bytes.readUInt16BE(12) === 0x88b5 && marks.push(bytes[20] ?? -1));
  await once(socket, 'open');
  return { socket, marks };
}

async function networks(lan: SwitchProcess): Promise<readonly NetworkEntry[]> {
  return (await lan.call<{ entries: NetworkEntry[] }>('listNet')).entries;
}

async function namesOf(lan: SwitchProcess): Promise<string[]> {
  return (await networks(lan)).map(({ network }) => network);
}

/** The network of each port. */
async function placesOf(lan: SwitchProcess): Promise<string[]> {
  return (await lan.ports()).map(({ port, network }) => `${port} ${network}`);
}

test('a tunnel joins the network that its URL names, and no frame crosses', async (t) => {
  const lan = await SwitchProcess.start(t, ['--path', '/x/']);
  for (const network of ['lab', 'home']) await lan.call('addNet', { network, stp: 'off' });
  const paths = ['/x/', '/x/', '/x/lab', '/x/lab?a=b', '/x/home', '/x/default'];
  const clients: Client[] = [];
  for (const path of paths) clients.push(await enter(t, lan, path));
  assert.deepEqual(await placesOf(lan), ['1 default', '2 default', '3 lab', '4 lab', '5 home', '6 default']);
  // All stations have the same addresses, in each network.
  for (const [at, { socket }] of clients.entries()) socket.send(frame(at % 2, at));
  await until(() => clients.every(({ marks }, at) => marks.length === [2, 2, 1, 1, 0, 2][at]));
  assert.deepEqual(
    clients.map(({ marks }) => marks.toSorted()),
    [[1, 5], [0, 5], [3], [2], [], [0, 1]],
  );
  const { entries } = await lan.call<{ entries: FdbEntry[] }>('listFdb', { network: 'lab' });
  assert.deepEqual(
    entries.map(({ port, network, mac }) => [port, network, mac]),
    [
      [3, 'lab', '02:00:00:00:00:00'],
      [4, 'lab', '02:00:00:00:00:01'],
    ],
  );
  assert.equal((await lan.call<{ entries: FdbEntry[] }>('listFdb')).entries.length, 5);

  await t.test('other paths are answered as before', async () => {
    const status = async (path: string): Promise<number | undefined> =>
      (await knock({ port: lan.tunnelPort, path })).status;
    for (const path of ['/', '/x', '/lab', '/x/lob', '/x/lab/', '/x/lab/home', '/x//', '/x/..', '/x/%6cab', '/X/lab'])
      assert.equal(await status(path), 404, path);
    const page = async (path: string): Promise<number | undefined> =>
      (await ask({ port: lan.tunnelPort, path })).status;
    assert.deepEqual([await page('/x/'), await page('/x/lab'), await page('/')], [426, 404, 404]);
  });

  await t.test('a network with tunnels is removed by force only, and its tunnels end', async () => {
    await assert.rejects(lan.call('delNet', { network: 'lab' }), /NETWORK_IN_USE/);
    const ends = [clients[2], clients[3]].map((client) => once((client as Client).socket, 'close'));
    await lan.call('delNet', { network: 'lab', force: true });
    await Promise.all(ends);
    assert.deepEqual(await placesOf(lan), ['1 default', '2 default', '5 home', '6 default']);
    assert.equal((await knock({ port: lan.tunnelPort, path: '/x/lab' })).status, 404);
    clients[0]?.socket.send(frame(9, 77));
    await until(() => clients[5]?.marks.at(-1) === 77);
  });
});

test('the control API beside networks on one listener keeps its path', async (t) => {
  const lan = await SwitchProcess.start(t, ['--ctlport', '0']);
  await lan.call('addNet', { network: 'ctl' });
  assert.equal((await knock({ port: lan.tunnelPort, path: '/ctl' })).status, 101, 'on a port of its own');
});

test('a token says which networks its tunnels may join', async (t) => {
  const lan = await SwitchProcess.start(t, TOKENS);
  for (const network of ['lab', 'home']) await lan.call('addNet', { network });
  const status = async (path: string, net?: unknown): Promise<number | undefined> => {
    const headers = { Authorization: `Bearer ${await tokenOf('ada', net)}` };
    return (await knock({ port: lan.tunnelPort, path, headers })).status;
  };
  await enter(t, lan, '/', await tokenOf('ada', 'lab'));
  await enter(t, lan, '/home', await tokenOf('ada', ['lab', 'home']));
  await enter(t, lan, '/home', await tokenOf('bob'));
  assert.deepEqual(await placesOf(lan), ['1 lab', '2 home', '3 home']);
  assert.deepEqual(
    [await status('/home', 'lab'), await status('/default', 'lab'), await status('/', 'lob'), await status('/lob')],
    [403, 403, 404, 404],
  );
  assert.deepEqual([await status('/lab', 7), await status('/lab', [])], [401, 403]);
  assert.equal(
    (await knock({ port: lan.tunnelPort, path: '/lob' })).status,
    401,
    'clients without credentials are not told what is there',
  );
});

test('the policy says which networks a user may join, also while tunnels stand', async (t) => {
  const policy = file('policy', 'groups:\n  g:\n    members: [ada]\n    tunnels: {networks: [lab, home]}\n');
  const lan = await SwitchProcess.start(t, [...TOKENS, '--policy', policy]);
  for (const network of ['lab', 'home']) await lan.call('addNet', { network });
  const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')];
  const [chosen, named] = [await enter(t, lan, '/', ada), await enter(t, lan, '/home', ada)];
  await enter(t, lan, '/', bob);
  assert.deepEqual(await placesOf(lan), ['1 lab', '2 home', '3 default']);
  const headers = { Authorization: `Bearer ${ada}` };
  assert.equal((await knock({ port: lan.tunnelPort, path: '/default', headers })).status, 403);
  assert.equal((await lan.endpointCounters('tunnels')).forbidden, 1);
  const end = once(chosen.socket, 'close');
  file('policy', 'groups:\n  g:\n    members: [ada]\n    tunnels: {networks: [home]}\n');
  await end;
  assert.deepEqual(await placesOf(lan), ['2 home', '3 default']);
  assert.equal(named.socket.readyState, TunnelSocket.OPEN);
});

test('with --auto-net a tunnel makes its network, which goes with the last port', async (t) => {
  const lan = await SwitchProcess.start(t, ['--auto-net', '20', '--grace', '0']);
  const [ann, bob] = [await enter(t, lan, '/room-1'), await enter(t, lan, '/room-1')];
  const other = await enter(t, lan, '/room-2');
  assert.deepEqual(await namesOf(lan), ['default', 'room-1', 'room-2']);
  const [, room] = await networks(lan);
  const { fdbSize }: { fdbSize?: unknown } = room?.settings ?? {};
  assert.deepEqual([room?.ports, room?.auto, fdbSize], [2, true, 3276]);
  // With spanning tree its ports would forward 3 s later.
  await lan.call('setNet', { network: 'room-1', stp: 'off' });
  ann.socket.send(frame(1, 11));
  await until(() => bob.marks.length === 1);
  assert.deepEqual(other.marks, []);
  for (const { socket } of [ann, bob]) socket.close();
  await eventually(
    () => namesOf(lan),
    (names) => names.length === 2,
  );
  assert.deepEqual(await namesOf(lan), ['default', 'room-2']);
  for (const path of ['/.', '/-a', '/a%20b', `/${'a'.repeat(64)}`])
    assert.equal((await knock({ port: lan.tunnelPort, path })).status, 404, path);
  const rooms: Client[] = [];
  for (let at = 0; at < 7; at++) rooms.push(await enter(t, lan, `/more-${at}`));
  assert.equal((await knock({ port: lan.tunnelPort, path: '/more-7' })).status, 503, 'an address has its share');
  assert.equal((await knock({ port: lan.tunnelPort, path: '/more-6' })).status, 101);
  await lan.call('addNet', { network: 'room-2' });
  other.socket.close();
  await eventually(
    () => networks(lan),
    (all) => all.find(({ network }) => network === 'room-2')?.ports === 0,
  );
});
