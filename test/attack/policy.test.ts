import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { call, knock } from '../support/http.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-policy-'));
after(() => rmSync(directory, { recursive: true }));
function file(name: string, text: string): string {
  // Replaces the file by rename, as editors do.
  writeFileSync(join(directory, `${name}.new`), text);
  renameSync(join(directory, `${name}.new`), join(directory, name));
  return join(directory, name);
}
const htpasswd = file(
  'users',
  ['ada', 'bob', 'eve'].map((user) => `${user}:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n`).join(''),
);

function as(user: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:hello`).toString('base64')}` };
}

async function enter(t: TestContext, running: TestDaemon, user: string): Promise<TunnelSocket> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${running.tunnelPort}/`, { headers: as(user) });
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  return tunnel;
}

async function ports(running: TestDaemon): Promise<PortEntry[]> {
  const { body } = await call({ host: 'localhost', port: running.controlPort, headers: as('ada') });
  return (JSON.parse(body) as { result: { entries: PortEntry[] } }).result.entries;
}

function frame(source: number, mark: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.fill(0xff, 0, 6);
  bytes.writeUIntBE(source, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  bytes[20] = mark;
  return bytes;
}

test('MAC spoofing: a user sends from its own addresses only, also behind a change of the policy', async (t) => {
  const policy = file('spoofing', 'users:\n  eve: {tunnels: {source-macs: ["02:00:00:00:00:0e"]}}\n');
  const running = await TestDaemon.start(t, { htpasswd, ctlhtpasswd: htpasswd, policy });
  const [eve, ada] = [await enter(t, running, 'eve'), await enter(t, running, 'ada')];
  const arrived: number[] = [];
  ada.on('message', (bytes: Buffer) => arrived.push(bytes[20] ?? -1));

  eve.send(frame(0x02000000000a, 1));
  eve.send(frame(0x02000000000e, 2));
  await once(ada, 'message');
  assert.deepEqual(arrived, [2]);
  const [first] = await ports(running);
  assert.deepEqual(first?.rxDiscards, { sourceDenied: 1 });

  await t.test('a policy that is not valid leaves the old one in force, and is complained about', async () => {
    file('spoofing', 'users:\n  eve: {tunnels: {source-macs: [nobody]}}\n');
    await eventually(
      async () => running.log.filter(({ level }) => level === 'error').map((record) => JSON.stringify(record)),
      (errors) => errors.some((error) => /policy|spoofing:2/.test(error)),
    );
    eve.send(frame(0x02000000000a, 3));
    eve.send(frame(0x02000000000e, 4));
    await once(ada, 'message');
    assert.deepEqual(arrived, [2, 4]);
  });

  await t.test('a new one holds for tunnels that stand', async () => {
    file('spoofing', 'users:\n  eve: {tunnels: {source-macs: ["02:00:00:00:00:0a"]}}\n');
    await eventually(
      async () => {
        eve.send(frame(0x02000000000a, 5));
        return arrived.includes(5);
      },
      (isThrough) => isThrough,
    );
  });

  await t.test('a user that may have no tunnel any more loses it, and gets no other', async () => {
    file('spoofing', 'users:\n  eve: {tunnels: {allowed: false}}\n');
    await once(eve, 'close');
    assert.equal((await knock({ port: running.tunnelPort, headers: as('eve') })).status, 403);
    assert.equal((await knock({ port: running.tunnelPort, headers: as('bob') })).status, 101);
  });
});

test('how many tunnels a user may have, and which methods it may call', async (t) => {
  const policy = file(
    'shares',
    `
default: {tunnels: {max-ports: 1}, control: {methods: [listPort]}}
users:
  ada: {control: {methods: all}, tunnels: {max-ports: 2}}
  eve: {control: {methods: none}}
`,
  );
  const running = await TestDaemon.start(t, { htpasswd, ctlhtpasswd: htpasswd, policy });
  const port = running.tunnelPort;
  await enter(t, running, 'bob');
  assert.equal((await knock({ port, headers: as('bob') })).status, 429);
  await enter(t, running, 'ada');
  await enter(t, running, 'ada');
  assert.equal((await knock({ port, headers: as('ada') })).status, 429);

  const cases: [string, string, object, RegExp][] = [
    ['ada', 'listPort', {}, /"entries"/],
    ['ada', 'setPort', { port: 1, shut: true }, /"entries"/],
    ['bob', 'listPort', {}, /"entries"/],
    [
      'bob',
      'delPort',
      { port: 1 },
      /"code":-32602,"message":"Invalid params","data":"METHOD_FORBIDDEN: The user bob may not call delPort/,
    ],
    ['bob', 'addPort', { type: 'tap', target: 'tap0' }, /METHOD_FORBIDDEN/],
    ['eve', 'listPort', {}, /METHOD_FORBIDDEN/],
    ['eve', 'reboot', {}, /-32601/],
  ];
  for (const [user, method, params, answer] of cases) {
    const options = { host: 'localhost', port: running.controlPort, headers: as(user) };
    assert.match((await call(options, method, params)).body, answer, `${user} calls ${method}`);
  }
  assert.equal((await ports(running)).length, 3, 'what was refused did nothing');
});
