import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { METHOD_REACH } from '../../src/control/method-reach.ts';
import { METHOD_PREFIX, METHODS, type MethodName } from '../../src/control/schema.ts';
import { eventually } from '../support/etherws.ts';
import { call, ask as request } from '../support/http.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { once, within } from '../support/waits.ts';

/*
 * A user of the control API that a policy limits to the network lab learns nothing of the network home, and changes
 * nothing there, by no method.
 */

const directory = mkdtempSync(join(tmpdir(), 'etherws-network-rights-'));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, `${name}.new`), text);
  renameSync(join(directory, `${name}.new`), join(directory, name));
  return join(directory, name);
}

const users = file('users', ['root', 'tutor'].map((user) => `${user}:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n`).join(''));

function as(user: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:hello`).toString('base64')}` };
}

const EVERY = Object.keys(METHODS) as MethodName[];

function policyOf(networks: string): string {
  return `users:\n  tutor: {control: {methods: [${EVERY.join(', ')}], networks: ${networks}}}\n`;
}

const STATION = '02:00:00:00:00:0a';
/** What an attacker at lab tries with each method: ports 1 and `hidden` are those of home. */
const ATTEMPTS: Readonly<Record<MethodName, readonly object[]>> = {
  addPort: [
    { type: 'client', target: 'ws://127.0.0.1:9/', network: 'home', options: { wait: false } },
    { type: 'client', target: 'ws://127.0.0.1:9/', options: { wait: false } },
  ],
  setPort: [
    { port: 1, shut: true },
    { port: 'hidden', shut: true },
  ],
  delPort: [{ port: 1 }, { port: 'hidden' }],
  listPort: [{}, { network: 'home' }, { network: 'nowhere' }],
  setInterface: [{ port: 1, mtu: 1400 }],
  listInterface: [{}],
  listFdb: [{}, { network: 'home' }],
  listStation: [{}, { network: 'home' }],
  addFdb: [{ mac: STATION, port: 1 }],
  delFdb: [{ mac: STATION, network: 'home' }, { mac: STATION }],
  flushFdb: [{}, { network: 'home' }, { port: 1 }, { port: 1, network: 'lab' }, { vid: 1 }],
  listMdb: [{}, { network: 'home' }],
  addMdb: [
    { group: '239.1.2.3', port: 1 },
    { group: '239.1.2.3', port: 'hidden' },
  ],
  delMdb: [{ group: '239.1.2.3', port: 1 }],
  listDoor: [{}],
  getPort: [{ port: 1 }, { port: 'hidden' }],
  getStatus: [{}],
  addNet: [{ network: 'home' }, { network: 'other' }],
  setNet: [{ network: 'home', ageout: 9 }, { network: 'nowhere' }],
  delNet: [{ network: 'home', force: true }],
  listNet: [{}],
  listStp: [{}, { network: 'home' }],
  planReload: [{}],
  reload: [{}],
  getConfig: [{}],
  listVlan: [{}, { network: 'home' }],
  listNeighbor: [{}, { network: 'home' }],
  listRate: [{ ports: [1] }, { ports: [1, 2] }],
  ping: [
    { target: 'hidden', network: 'lab' },
    { target: '1', network: 'lab' },
    { target: '192.0.2.1', network: 'home' },
  ],
  trace: [{ target: STATION, network: 'home' }, { target: STATION }],
  listLogLevel: [{}],
  setLogLevel: [{ level: 'info' }],
  subscribe: [{}],
  captureCluster: [{ ports: ['r1/1'] }, { network: 'home' }],
  subscribeCluster: [{}],
  capture: [{ ports: [1] }, { ports: [2, 1] }, { ports: ['hidden'] }],
  endCapture: [{}],
  createLogin: [{}],
  listFinding: [{}],
  observe: [{ tables: ['ports', 'stations', 'networks', 'vlans', 'trees', 'treePorts', 'neighbors', 'status'] }],
  unobserve: [{}],
  callCluster: [{ method: 'listPort' }, { method: 'listPort', params: { network: 'home' } }],
  addClusterNet: [{ network: 'home' }, { network: 'other' }],
  setClusterNet: [{ network: 'home', ageout: 9 }],
  delClusterNet: [{ network: 'home' }],
  getClusterPolicy: [{}],
  setClusterPolicy: [{ text: '' }],
  listClusterHistory: [{}, { key: 'network.home' }],
  rollbackCluster: [{ key: 'network.home', revision: 1 }],
  drain: [{}, { off: true }],
};

async function begin(t: TestContext, networks = '[lab]'): Promise<SwitchProcess> {
  const policy = file('policy', policyOf(networks));
  const relay = await SwitchProcess.start(t, ['--ctlhtpasswd', users, '--policy', policy], as('root'));
  for (const network of ['home', 'lab']) await relay.call('addNet', { network, multicastSnooping: 'on' });
  const port = { type: 'client', target: 'ws://127.0.0.1:9/secret', options: { wait: false } };
  await relay.call('addPort', { ...port, network: 'home', name: 'hidden', pvid: 7, vlanMode: 'access' });
  await relay.call('addPort', { ...port, target: 'ws://127.0.0.1:9/mine', network: 'lab', name: 'mine' });
  await relay.call('addFdb', { mac: STATION, port: 1 });
  await relay.call('addFdb', { mac: '02:00:00:00:00:0b', port: 2 });
  return relay;
}

/** A WebSocket to the control API. */
async function open(t: TestContext, relay: SwitchProcess, user: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${relay.controlPort}/ctl`, { headers: as(user) });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function ask(socket: WebSocket, method: string, params: object): Promise<string> {
  const id = `${method} ${JSON.stringify(params)}`;
  const found = new Promise<string>((resolve) => {
    const listen = (data: Buffer, isBinary: boolean): void => {
      const text = data.toString();
      if (isBinary || (JSON.parse(text) as { id?: string }).id !== id) return;
      socket.off('message', listen);
      resolve(text);
    };
    socket.on('message', listen);
  });
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: METHOD_PREFIX + method, params }));
  return within(found, `the answer to ${method}`);
}

test('no method tells or changes anything of another network', async (t) => {
  const relay = await begin(t);
  const before = await state(relay);
  const socket = await open(t, relay, 'tutor');
  for (const method of EVERY) {
    for (const params of ATTEMPTS[method]) {
      const answer = await ask(socket, method, params);
      const { result, error } = JSON.parse(answer) as { result?: { entries: object[] }; error?: { data: string } };
      const told = JSON.stringify(result ?? error?.data.replace(/^[^.]*/, ''));
      assert.doesNotMatch(told, /hidden|secret|home|02:00:00:00:00:0a|nowhere/, `${method} ${JSON.stringify(params)}`);
      const reach = METHOD_REACH[method];
      if (reach === 'list' && !('network' in params)) assert.ok(result !== undefined, `${method}: ${answer}`);
      else if (!['events', 'tables', 'caller'].includes(reach)) {
        assert.match(error?.data ?? answer, /^(METHOD_FORBIDDEN|PORT_NOT_FOUND|ARGUMENT_INVALID): /, method);
      }
    }
  }
  assert.deepEqual(await state(relay), before);
  const { status, body } = await request({ port: relay.controlPort, path: '/metrics', headers: as('tutor') });
  assert.equal(status, 403, body);
  assert.match(body, /METHOD_FORBIDDEN: .* for all networks/);
});

/** What there is, without what time changes. */
async function state(relay: SwitchProcess): Promise<unknown> {
  const ports = (await relay.ports()).map(({ port, name, network, shut, settings }) => ({
    ...{ port, name, network, shut, settings },
  }));
  const { entries: networks } = await relay.call<{ entries: object[] }>('listNet');
  const { entries: fdb } = await relay.call<{ entries: { mac: string; port: number }[] }>('listFdb');
  return { ports, networks, fdb: fdb.map(({ mac, port }) => `${mac} ${port}`) };
}

test('a port of another network is answered like one that is not there', async (t) => {
  const relay = await begin(t);
  const options = { port: relay.controlPort, headers: as('tutor') };
  const answerTo = async (method: string, params: object): Promise<string> =>
    (await call(options, method, params)).body.replaceAll(/hidden|nobody|\b1\b|\b99\b/g, 'X');
  for (const method of ['getPort', 'delPort', 'setPort'] as const) {
    assert.equal(await answerTo(method, { port: 1 }), await answerTo(method, { port: 99 }));
    assert.equal(await answerTo(method, { port: 'hidden' }), await answerTo(method, { port: 'nobody' }));
  }
  const ping = (target: string): Promise<string> => answerTo('ping', { target, network: 'lab' });
  assert.equal(await ping('hidden'), await ping('nobody'));
  assert.equal(
    await answerTo('setNet', { network: 'home' }).then(named),
    await answerTo('setNet', { network: 'nowhere' }).then(named),
  );
});

function named(text: string): string {
  return text.replaceAll(/home|nowhere/g, 'X');
}

test('what it observes is in its networks, and ends when these change', async (t) => {
  const relay = await begin(t);
  const socket = await open(t, relay, 'tutor');
  const pieces: { table: string; put?: object[]; done?: boolean; forbidden?: boolean }[] = [];
  let heard = '';
  socket.on('message', (data: Buffer) => {
    heard += data.toString();
    const { method, params } = JSON.parse(data.toString()) as { method?: string; params: (typeof pieces)[0] };
    if (method === `${METHOD_PREFIX}observed`) pieces.push(params);
  });
  const tables = ['ports', 'stations', 'networks', 'vlans', 'trees', 'treePorts', 'neighbors', 'status'];
  const answer = await ask(socket, 'observe', { tables });
  assert.match(answer, /"refused":\["status"\]/);
  await eventually(
    async () => new Set(pieces.filter(({ done }) => done === true).map(({ table }) => table)).size,
    (count) => count === 7,
  );
  const entries = pieces.flatMap(({ table, put = [] }) => put.map(() => table));
  assert.deepEqual(entries.toSorted(), ['networks', 'ports', 'stations', 'treePorts', 'trees', 'vlans']);
  await relay.call('setPort', { port: 'hidden', description: 'more of home' });
  await relay.call('setPort', { port: 'mine', description: 'more of lab' });
  await eventually(async () => heard.includes('more of lab'), Boolean);
  assert.doesNotMatch(heard, /home|hidden|secret|02:00:00:00:00:0a/);

  file('policy', policyOf('[home]'));
  await eventually(
    async () => pieces.filter(({ forbidden }) => forbidden === true).length,
    (count) => count === 7,
  );
  assert.doesNotMatch(heard, /home|hidden|secret|02:00:00:00:00:0a/);
});

test('in its own network the user does what its methods do', async (t) => {
  const relay = await begin(t);
  const socket = await open(t, relay, 'tutor');
  const events: { event: string; network?: string }[] = [];
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return;
    const { params } = JSON.parse(data.toString()) as { params?: { event: string; network?: string } };
    if (params !== undefined && 'sequence' in params) events.push(params);
  });
  await ask(socket, 'subscribe', {});
  const done = async (method: MethodName, params: object): Promise<{ network?: string }[]> => {
    const answer = await ask(socket, method, params);
    const { result } = JSON.parse(answer) as { result?: { entries: { network?: string }[] } };
    assert.ok(result !== undefined, `${method}: ${answer}`);
    return result.entries;
  };
  assert.deepEqual(
    (await done('listPort', {})).map(({ network }) => network),
    ['lab'],
  );
  assert.deepEqual(
    (await done('listNet', {})).map(({ network }) => network),
    ['lab'],
  );
  assert.equal((await done('listFdb', { network: 'lab' })).length, 1);
  await done('setPort', { port: 'mine', shut: true, description: 'by the tutor' });
  await done('setNet', { network: 'lab', ageout: 60 });
  await done('flushFdb', { network: 'lab' });
  const dialled = { type: 'client', target: 'ws://127.0.0.1:9/', network: 'lab', options: { wait: false } };
  await done('addPort', dialled);
  await done('capture', { ports: ['mine'] });
  await done('endCapture', {});
  // Events of home and of the switch come before the last one of lab, and not to this user.
  await relay.call('setPort', { port: 'hidden', shut: true });
  await relay.call('reload');
  await relay.call('addNet', { network: 'third' });
  await done('delPort', { port: 3 });
  await eventually(
    async () => events.map(({ event }) => event),
    (kinds) => kinds.includes('port-removed'),
  );
  assert.deepEqual(new Set(events.map(({ network }) => network)), new Set(['lab']));

  await t.test('a policy that takes the network away ends it, too', async () => {
    await done('capture', { ports: ['mine'] });
    file('policy', policyOf('[other]'));
    await eventually(
      () => ask(socket, 'getPort', { port: 'mine' }),
      (answer) => answer.includes('PORT_NOT_FOUND'),
    );
    const heard = events.length;
    await relay.call('setPort', { port: 'mine', shut: false });
    assert.match(await ask(socket, 'listPort', {}), /"entries":\[\]/);
    assert.equal(events.length, heard);
  });
});
