import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { WebSocket } from 'ws';
import type { PortEntry } from '../../src/control/schema.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { call, knock } from '../support/http.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-resumption-'));
after(() => rmSync(directory, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(directory, `${name}.new`), text);
  renameSync(join(directory, `${name}.new`), join(directory, name));
  return join(directory, name);
}
const htpasswd = file('users', ['ada', 'eve'].map((user) => `${user}:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n`).join(''));
const ADDRESS = 0x02000000000a;

interface Tunnel {
  readonly client: WebSocket;
  readonly token: string;
}

function fields(user: string, token?: string): Record<string, string> {
  return {
    Authorization: `Basic ${Buffer.from(`${user}:hello`).toString('base64')}`,
    'Etherws-Wire': '1',
    'Etherws-Resume': token === undefined ? '1' : `1 ${token}`,
  };
}

async function enter(t: TestContext, running: TestDaemon, user: string, token?: string): Promise<Tunnel> {
  const client = new TunnelSocket(`ws://127.0.0.1:${running.tunnelPort}/`, { headers: fields(user, token) });
  t.after(() => client.terminate());
  const [{ headers }] = (await once(client, 'upgrade')) as [IncomingMessage];
  return { client, token: String(headers['etherws-resume']).slice(2) };
}

async function listed(running: TestDaemon): Promise<{ ports: PortEntry[]; body: string }> {
  const { body } = await call({ host: 'localhost', port: running.controlPort });
  return { ports: (JSON.parse(body) as { result: { entries: PortEntry[] } }).result.entries, body };
}

/** Waits until the ports have these states. @returns the ports */
async function untilStates(running: TestDaemon, ...states: string[]): Promise<PortEntry[]> {
  const { ports } = await eventually(
    () => listed(running),
    ({ ports: now }) => now.map(({ state }) => state).join() === states.join(),
  );
  return ports;
}

/** A message of the batched wire: one broadcast frame from `ADDRESS`. */
function claim(): Buffer {
  const message = Buffer.alloc(78);
  message[0] = 1;
  message.writeUInt32BE(60, 4);
  message.fill(0xff, 18, 24);
  message.writeUIntBE(ADDRESS, 24, 6);
  message.writeUInt16BE(0x88b5, 30);
  return message;
}

async function sendsFrom(running: TestDaemon, { client }: Tunnel, port: number): Promise<PortEntry> {
  const one = ({ ports }: { ports: PortEntry[] }): PortEntry | undefined => ports.find((entry) => entry.port === port);
  const heard = (entry: PortEntry | undefined): number =>
    (entry?.rx ?? 0) + Object.values(entry?.rxDiscards ?? {}).reduce((sum, frames) => sum + frames, 0);
  const before = heard(one(await listed(running)));
  client.send(claim());
  const after = await eventually(
    async () => one(await listed(running)),
    (entry) => heard(entry) > before,
  );
  assert.ok(after !== undefined);
  return after;
}

test('an address that a tunnel has claimed stays its own while its client is away', async (t) => {
  const policy = file('claims', 'default: {tunnels: {claim-first: 1}}\n');
  const running = await TestDaemon.start(t, { htpasswd, policy });
  const ada = await enter(t, running, 'ada');
  assert.equal((await sendsFrom(running, ada, 1)).rx, 1);
  ada.client.terminate();
  await untilStates(running, 'away');

  // A stolen token does not help another user.
  const eve = await enter(t, running, 'eve', ada.token);
  await untilStates(running, 'away', 'up');
  assert.deepEqual((await sendsFrom(running, eve, 2)).rxDiscards, { sourceDenied: 1 });
  const missing = await knock({ port: running.tunnelPort, headers: { 'Etherws-Resume': `1 ${ada.token}` } });
  assert.equal(missing.status, 401, 'the token stands for no credentials');

  const back = await enter(t, running, 'ada', ada.token);
  await untilStates(running, 'up', 'up');
  const port = await sendsFrom(running, back, 1);
  assert.deepEqual([port.rx, port.rxDiscards], [2, {}]);

  for (const token of [ada.token, eve.token, back.token]) {
    assert.match(token, /^[\w-]{43}$/);
    assert.ok(!`${running.logText}${(await listed(running)).body}`.includes(token), 'a token was shown');
  }
});

test('a user that may have no tunnel any more loses the port that waits', async (t) => {
  const policy = file('revoked', 'users: {ada: {tunnels: {max-ports: 1}}}\n');
  const running = await TestDaemon.start(t, { htpasswd, policy });
  const ada = await enter(t, running, 'ada');
  ada.client.terminate();
  await untilStates(running, 'away');
  file('revoked', 'users: {ada: {tunnels: {allowed: false}}}\n');
  await untilStates(running);
  assert.equal((await knock({ port: running.tunnelPort, headers: fields('ada', ada.token) })).status, 403);
});
