import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { WebSocket } from 'ws';
import { createAuthority } from '../../../../test/support/certificates.ts';
import { openDescriptors } from '../../../../test/support/descriptors.ts';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { once, until } from '../../../../test/support/waits.ts';
import { type ServerIdentity, TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import type { Authenticator } from '../../../auth/authenticator.ts';
import type { Port } from '../../../bridge/port.ts';
import { EndpointCounters } from '../../../net/endpoint-counters.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import type { TunnelServerOptions } from '../accept/server-options.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { ServerPort } from './server-port.ts';

const LONG_MS = 3_600_000;

/** Accepts any user name without a password; without a name, the user is null. */
const BELIEVING: Authenticator = {
  challenge: 'Basic realm=etherws',
  authenticate: ({ authorization }) => Promise.resolve({ isAllowed: true, user: authorization ?? null }),
  close: () => Promise.resolve(),
};

let server: TestTunnelServer;
let counters: EndpointCounters;
/** The ports that the server has accepted, and the events of each. */
let accepted: { port: Port; events: PortRecorder }[];
let clients: WebSocket[];

async function start(options: Partial<TunnelServerOptions> = {}, identity?: ServerIdentity): Promise<void> {
  counters = new EndpointCounters();
  accepted = [];
  clients = [];
  server = new TestTunnelServer(
    {
      graceMs: LONG_MS,
      authenticator: BELIEVING,
      counters,
      onTunnel: (port) => {
        const events = new PortRecorder();
        accepted.push({ port, events });
        port.open(events);
      },
      ...options,
    },
    identity,
  );
  await server.start();
}

afterEach(async () => {
  for (const client of clients) client.terminate();
  await Promise.all(accepted.map(({ port }) => port.close()));
  assert.equal(server.tunnels.connections, 0, 'a place is still taken');
  await server.stop();
});

interface Joined {
  readonly client: WebSocket;
  /** its token for a resumption */
  readonly token: string | undefined;
}

/** Dials by the ws package alone, as another implementation would. @param token undefined: the first time */
async function enter(token?: string, { user, field }: { user?: string; field?: string } = {}): Promise<Joined> {
  const client = new WebSocket(server.url, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    headers: {
      'Etherws-Wire': '1',
      'Etherws-Resume': field ?? (token === undefined ? '1' : `1 ${token}`),
      ...(user === undefined ? {} : { Authorization: user }),
    },
  });
  clients.push(client);
  client.on('error', () => undefined);
  // `once` rejects on 'error', so a refusal ends the wait, too.
  const [{ headers }] = (await once(client, 'upgrade')) as [IncomingMessage];
  if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
  const answer = headers['etherws-resume'];
  return { client, token: typeof answer === 'string' ? answer.slice(2) : undefined };
}

/** A message of the batched wire with one frame. */
function message(number: number): Buffer {
  const head = Buffer.from(`01000000${'00'.repeat(14)}`, 'hex');
  head.writeUInt32BE(60, 4);
  return Buffer.concat([head, testFrame(number, 60)]);
}

function only(): { port: ServerPort; events: PortRecorder } {
  const [first] = accepted;
  assert.equal(accepted.length, 1);
  assert.ok(first?.port instanceof ServerPort);
  return { port: first.port, events: first.events };
}

function stateOf(events: PortRecorder, state: string): Promise<void> {
  return until(() => events.linkChanges.at(-1)?.state === state);
}

function states(events: PortRecorder): string[] {
  return events.linkChanges.map(({ state }) => state);
}

test('a client that lost its tunnel comes back to its port', async () => {
  await start();
  const first = await enter();
  const { port, events } = only();
  first.client.send(message(1));
  await events.take(1);
  first.client.terminate();
  await stateOf(events, 'away');
  assert.match(port.linkReason ?? '', /^waiting for its client \(3600 s left\): \S/);
  assert.equal(port.send(batchOf(testFrame(2, 60)), 0), 'linkDown');
  assert.equal(port.tunnel, undefined);

  const second = await enter(first.token);
  assert.notEqual(second.token, first.token);
  assert.equal(port.linkReason, undefined);
  second.client.send(message(3));
  await events.take(1);
  const arrived = once(second.client, 'message');
  assert.equal(port.send(batchOf(testFrame(4, 60)), 0), undefined);
  port.flush(true);
  const [bytes] = (await arrived) as [Buffer];
  assert.deepEqual(bytes.subarray(18), testFrame(4, 60));
  assert.deepEqual(states(events), ['away', 'up']);
  assert.equal(only().port, port);
  assert.equal(counters.resumed, 1);
  assert.equal(server.tunnels.connections, 1);
});

const takeOver = async (identity?: ServerIdentity): Promise<void> => {
  await start({}, identity);
  const first = await enter();
  const { port, events } = only();
  first.client.send(message(1));
  await events.take(1);
  const closed = once(first.client, 'close');
  const target = port.target;
  const second = await enter(first.token);
  assert.deepEqual(states(events), ['up'], 'no port was away');
  assert.notEqual(port.target, target);
  const [code, reason] = (await closed) as [number, Buffer];
  assert.deepEqual([code, String(reason)], [1000, 'replaced by a newer connection']);
  second.client.send(message(2));
  await events.take(1);
  assert.equal(server.tunnels.connections, 1);
};

test('one that comes back while its old connection is thought alive takes over at once', () => takeOver());

test('the same over TLS', { skip: missingTools('openssl') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-resumption-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const { key, certificate } = await (await createAuthority(directory)).issue('localhost', ['localhost']);
  await takeOver({ key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') });
});

test('a token is good for one return, and lasts until its successor has arrived', async () => {
  await start();
  const first = await enter();
  const { port, events } = only();
  const second = await enter(first.token);
  second.client.terminate();
  await stateOf(events, 'away');
  // As if the response with the second token had been lost.
  const third = await enter(first.token);
  assert.equal(counters.resumed, 2);
  await enter(second.token);
  assert.equal(accepted.length, 2, 'what was handed out in vain leads nowhere');
  third.client.send(message(1));
  await events.take(1);
  await enter(first.token);
  assert.equal(accepted.length, 3, 'the client has the third token, so the first is spent');
  assert.equal(accepted[0]?.port, port);
  await enter(third.token);
  assert.equal(counters.resumed, 3);
});

test('a token that another user presents leads nowhere, and stays good', async () => {
  await start();
  const ada = await enter(undefined, { user: 'ada' });
  const { events } = only();
  ada.client.terminate();
  await stateOf(events, 'away');
  await enter(ada.token, { user: 'eve' });
  await enter(ada.token);
  assert.equal(accepted.length, 3);
  assert.deepEqual(states(events), ['away']);
  await enter(ada.token, { user: 'ada' });
  assert.deepEqual(states(events), ['away', 'up']);
  assert.equal(accepted.length, 3);
});

test('when the grace ends the port is closed, and its token leads nowhere', async () => {
  await start({ graceMs: 40 });
  const first = await enter();
  const { events } = only();
  first.client.terminate();
  await stateOf(events, 'closed');
  assert.deepEqual(states(events), ['away', 'closed']);
  assert.equal(events.linkChanges.at(-1)?.reason, 'its client did not come back within 0.04 s');
  await enter(first.token);
  assert.equal(accepted.length, 2);
});

for (const [what, part, reason] of [
  ['closes in order', (client: WebSocket) => client.close(1000), /closed by the peer: 1000/],
  ['stops', (client: WebSocket) => client.close(1001), /closed by the peer: 1001/],
  ['breaks the protocol', (client: WebSocket) => client.send(Buffer.of(2)), /broke the WebSocket protocol/],
] as const) {
  test(`a client that ${what} is not waited for`, async () => {
    await start();
    const { client, token } = await enter();
    const { events } = only();
    part(client);
    await stateOf(events, 'closed');
    assert.deepEqual(states(events), ['closed']);
    assert.match(events.linkChanges[0]?.reason ?? '', reason);
    await enter(token);
    assert.equal(accepted.length, 2);
  });
}

test('what is kept of the tunnels lets their clients come back to a server that was restarted', async () => {
  await start();
  const first = await enter(undefined, { user: 'ada' });
  const second = await enter(first.token, { user: 'ada' });
  const kept = JSON.parse(JSON.stringify([...server.tunnels.kept.all()].map(({ port: _, ...rest }) => rest)));
  for (const { token = '' } of [first, second]) assert.ok(!JSON.stringify(kept).includes(token), 'no secret is kept');
  for (const client of clients) client.terminate();
  await Promise.all(accepted.map(({ port }) => port.close('restart')));
  await server.stop();

  await start();
  let changes = 0;
  server.tunnels.kept.follow(() => changes++);
  const port = server.tunnels.kept.restore(kept[0]);
  assert.ok(port !== undefined && changes === 1);
  const events = new PortRecorder();
  accepted.push({ port, events });
  port.open(events);
  assert.deepEqual([states(events), port.target, server.tunnels.connections], [['away'], kept[0].target, 1]);
  assert.match(port.linkReason ?? '', /the switch was restarted/);
  await enter(second.token, { user: 'bob' });
  assert.equal(accepted.length, 2, 'another user gets a port of its own');
  // The response with the second token may not have arrived, so the first token is valid, too.
  const back = await enter(first.token, { user: 'ada' });
  assert.deepEqual([accepted.length, states(events)], [2, ['away', 'up']]);
  back.client.send(message(7));
  await events.take(1);
  await enter(second.token, { user: 'ada' });
  assert.equal(accepted.length, 3, 'it is used up');
  assert.equal([...server.tunnels.kept.all()].length, 3);
  for (const { presented } of server.tunnels.kept.all()) assert.equal(presented, undefined);
});

test('without a grace nothing is restored', async () => {
  await start({ graceMs: 0 });
  const tokens = { latest: 'x', presented: undefined };
  const kept = { user: null, network: 'default', target: '192.0.2.1:1', address: '192.0.2.1', ...tokens };
  assert.equal(server.tunnels.kept.restore(kept), undefined);
});

test('a port that was removed is nothing to come back to', async () => {
  await start();
  const first = await enter();
  await only().port.close('removed');
  await enter(first.token);
  assert.equal(accepted.length, 2);
  assert.equal(counters.resumed, 0);
});

test('a client that cannot resume, or may not, gets a plain tunnel', async () => {
  await start({ graceMs: 0 });
  assert.equal((await enter()).token, undefined);
  await Promise.all(accepted.map(({ port }) => port.close()));
  await server.stop();

  await start();
  for (const field of ['2', '1 short', 'x'.repeat(200)])
    assert.equal((await enter(undefined, { field })).token, undefined);
  const raw = new WebSocket(server.url, { headers: { 'Etherws-Resume': '1' } });
  clients.push(raw);
  const [{ headers }] = (await once(raw, 'upgrade')) as [IncomingMessage];
  assert.deepEqual([headers['etherws-resume'], headers['etherws-wire']], [undefined, undefined]);
  assert.equal(accepted.length, 4);
  for (const { port } of accepted) assert.ok(port instanceof TunnelPort);
  raw.terminate();
  await stateOf((accepted.at(-1) as (typeof accepted)[0]).events, 'closed');
});

test('a port that waits keeps its place, and gives it to its client only', async () => {
  await start({ limits: { maxConnections: 2 } });
  const ada = await enter(undefined, { user: 'ada' });
  const { events } = only();
  await enter(undefined, { user: 'bob' });
  ada.client.terminate();
  await stateOf(events, 'away');
  await assert.rejects(enter(undefined, { user: 'eve' }), /503/);
  await assert.rejects(enter(ada.token, { user: 'eve' }), /503/, 'also not with a stolen token');
  assert.deepEqual([counters.full, server.tunnels.connections], [2, 2]);
  await enter(ada.token, { user: 'ada' });
  assert.equal(server.tunnels.connections, 2);
  assert.deepEqual(states(events), ['away', 'up']);
});

test('the share of an address is no obstacle on the way back, either', async () => {
  await start({ limits: { maxPerAddress: 1 } });
  const first = await enter();
  const { events } = only();
  first.client.terminate();
  await stateOf(events, 'away');
  await assert.rejects(enter(), /429/);
  await enter(first.token);
  assert.deepEqual(states(events), ['away', 'up']);
});

test('a user cannot hoard ports: those whose clients are away count, and stand back for clients that are there', async () => {
  await start({ allowanceOf: () => 2 });
  const as = { user: 'ada' };
  const [first, second] = [await enter(undefined, as), await enter(undefined, as)];
  await assert.rejects(enter(undefined, as), /429/);
  const [one, two] = accepted as [(typeof accepted)[0], (typeof accepted)[0]];
  second.client.terminate();
  await stateOf(two.events, 'away');
  first.client.terminate();
  await stateOf(one.events, 'away');
  await enter(undefined, as);
  assert.deepEqual(states(two.events), ['away', 'closed'], 'the one that is away the longest goes');
  assert.match(two.events.linkChanges.at(-1)?.reason ?? '', /another client of its user needs its place/);
  await enter(first.token, as);
  assert.deepEqual(states(one.events), ['away', 'up']);
  await assert.rejects(enter(undefined, as), /429/);
});

test('clients without users do not take the places of each other', async () => {
  await start({ allowanceOf: () => 1 });
  const first = await enter();
  const { events } = only();
  first.client.terminate();
  await stateOf(events, 'away');
  await assert.rejects(enter(), /429/);
  assert.deepEqual(states(events), ['away']);
});

test('a user that may have no tunnel any more does not get its old one, either', async () => {
  let most = 1;
  await start({ allowanceOf: () => most });
  const first = await enter();
  const { events } = only();
  first.client.terminate();
  await stateOf(events, 'away');
  most = 0;
  await assert.rejects(enter(first.token), /403/);
  assert.deepEqual(states(events), ['away']);
  assert.equal(counters.forbidden, 1);
});

test('a port that is closed while its client is away leaves neither timers nor places', async () => {
  await start();
  const first = await enter();
  const { port, events } = only();
  first.client.terminate();
  await stateOf(events, 'away');
  await Promise.all([port.close(), port.close()]);
  assert.equal(server.tunnels.connections, 0);
  assert.deepEqual(states(events), ['away']);
});

test('100 returns leave neither descriptors, nor places, nor tokens behind', async () => {
  await start();
  let last = await enter();
  const { port, events } = only();
  const cycle = async (isHalfOpen: boolean): Promise<void> => {
    const { client } = last;
    if (!isHalfOpen) {
      client.terminate();
      await stateOf(events, 'away');
    }
    last = await enter(last.token);
    client.terminate();
  };
  for (let count = 0; count < 4; count++) await cycle(count % 2 === 0);
  const before = openDescriptors().length;
  for (let count = 0; count < 100; count++) await cycle(count % 2 === 0);
  await until(() => openDescriptors().length <= before + 4);
  assert.equal(counters.resumed, 104);
  assert.equal(only().port, port);
  assert.equal(server.tunnels.connections, 1);
});
