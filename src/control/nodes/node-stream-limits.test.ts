import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import WebSocket from 'ws';
import { FakeSwitch } from '../../../test/support/fake-switch.ts';
import { fakeAnswer, once, onceAny, until } from '../../../test/support/waits.ts';
import { listen, stop, webServer } from '../../../test/support/web-socket-peer.ts';
import type { Authenticator, Verdict } from '../../auth/authenticator.ts';
import { type Logger, SILENT } from '../../observability/logger.ts';
import { CALLER_FIELD, fieldOfCaller, streamClaim } from './node-stream.ts';
import { NodeStreamServer } from './node-stream-server.ts';

const PING_INTERVAL_MS = 30_000;
/** Allows `NODE CLAIM`, holds the verdict about `held`, and refuses all else. */
const BY_NAME: Authenticator = {
  challenge: '',
  authenticate: ({ authorization }): Promise<Verdict> => {
    if (authorization === 'held') return fakeAnswer<Verdict>().answer;
    const [user = '', claim] = authorization?.split('/') ?? [];
    if (claim === undefined) return Promise.resolve({ isAllowed: false, reason: 'wrong' });
    return Promise.resolve({ isAllowed: true, user, networks: [claim] });
  },
  close: () => Promise.resolve(),
};

async function start(
  t: TestContext,
  { isOneService = false, logger = SILENT }: { isOneService?: boolean; logger?: Logger } = {},
): Promise<number> {
  const streams = new NodeStreamServer({
    ...{ authenticator: BY_NAME, answerField: 'Answer', addressOf: () => '192.0.2.1', logger },
    service: new FakeSwitch(),
    rights: isOneService ? undefined : { mayCall: () => true, networksOf: () => undefined },
  });
  const server = webServer();
  server.on('upgrade', (request, socket, head) => streams.handleUpgrade(request, socket, head));
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const port = await listen(server);
  t.after(async () => {
    streams.close();
    for (const socket of sockets) socket.destroy();
    await stop(server);
  });
  return port;
}

/** @returns the WebSocket, or the status with which it was refused */
async function open(
  t: TestContext,
  port: number,
  user: string | null,
  { node = 'r1', autoPong = true } = {},
): Promise<WebSocket | number> {
  const field = fieldOfCaller({ user, networks: null });
  const headers = { Authorization: `${node}/${streamClaim(field)}`, [CALLER_FIELD]: field };
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/.nodes`, { headers, autoPong });
  t.after(() => webSocket.terminate());
  webSocket.on('error', () => undefined);
  const [, refusal] = await onceAny(webSocket, ['open', 'unexpected-response']);
  return refusal === undefined ? webSocket : ((refusal as IncomingMessage).statusCode ?? 0);
}

/** Sends an upgrade request by hand. */
async function knock(t: TestContext, port: number, authorization: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  t.after(() => socket.destroy());
  const fields = ['Host: a', 'Connection: Upgrade', 'Upgrade: websocket', `Authorization: ${authorization}`];
  await once(socket, 'connect');
  socket.write(`GET /.nodes HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  return socket.resume();
}

test('a user has eight streams, and others have some', async (t) => {
  const port = await start(t);
  const first = await open(t, port, 'ann');
  for (let count = 1; count < 8; count++) assert.ok((await open(t, port, 'ann')) instanceof WebSocket);
  assert.equal(await open(t, port, 'ann'), 503);
  assert.equal(await open(t, port, 'ann', { node: 'r2' }), 503, 'by another node');
  for (let count = 0; count < 9; count++) assert.ok((await open(t, port, null)) instanceof WebSocket);
  assert.ok((await open(t, port, 'bob')) instanceof WebSocket);
  (first as WebSocket).close();
  await once(first as WebSocket, 'close');
  assert.ok((await open(t, port, 'ann')) instanceof WebSocket);
});

test('between the processes of a service one user may have more streams', async (t) => {
  const port = await start(t, { isOneService: true });
  for (let count = 0; count < 20; count++) assert.ok((await open(t, port, 'ann')) instanceof WebSocket);
});

test('a flood of upgrades without a proof is no flood of records', async (t) => {
  let records = 0;
  const port = await start(t, { logger: { ...SILENT, info: () => void records++ } });
  const sockets = await Promise.all(Array.from({ length: 200 }, () => knock(t, port, 'wrong')));
  await until(() => sockets.every(({ closed }) => closed));
  assert.ok(records >= 50 && records < 150, `${records} records of 200`);
});

test('of handshakes that wait for their verdict the oldest is cut, and one that is left takes no place', async (t) => {
  const port = await start(t);
  const first = await knock(t, port, 'held');
  const left = await knock(t, port, 'held');
  left.end();
  await until(() => left.closed);
  const others: Socket[] = [];
  for (let count = 1; count < 256; count++) others.push(await knock(t, port, 'held'));
  assert.ok((await open(t, port, 'ann')) instanceof WebSocket, 'displaces one');
  await until(() => first.closed);
  assert.ok(others.every(({ closed }) => !closed));
});

test('a node that answers no ping while it is paused keeps its stream for ten minutes', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const port = await start(t);
  const webSocket = (await open(t, port, 'ann', { autoPong: false })) as WebSocket;
  let pings = 0;
  webSocket.on('ping', () => pings++);
  for (let count = 1; count <= 20; count++) {
    t.mock.timers.tick(PING_INTERVAL_MS);
    await until(() => pings === count || webSocket.readyState !== WebSocket.OPEN);
    assert.equal(webSocket.readyState, WebSocket.OPEN, `tick ${count}`);
  }
  t.mock.timers.tick(PING_INTERVAL_MS);
  await once(webSocket, 'close');
});
