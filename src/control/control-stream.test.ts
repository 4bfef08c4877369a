import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { once, until, within } from '../../test/support/waits.ts';
import { ControlStream, type StreamListener } from './control-stream.ts';

/** A stream to a switch that falls silent: nothing of it waits for ever. The test drives the clock of the pings. */

const PING_INTERVAL_MS = 10_000;

interface Silent {
  readonly peer: WebSocket;
  readonly stream: ControlStream;
  readonly ended: Error[];
  readonly pings: () => number;
}

async function serve(t: TestContext, opened: (webSocket: WebSocket) => void, autoPong = true): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', opened);
  await once(server, 'listening');
  return (server.address() as { readonly port: number }).port;
}

function open(port: number, timeoutMs: number, listener: Partial<StreamListener> = {}): Promise<ControlStream> {
  const address = { url: 'node r2', isTls: false, host: '127.0.0.1', port, path: '/' };
  const all = { notified: () => undefined, ended: () => undefined, ...listener };
  return ControlStream.open({ address, headers: {}, tls: {}, timeoutMs }, 'subscribe', {}, all);
}

/** A stream whose first call was answered. */
async function openAnswered(t: TestContext, { answersPings }: { readonly answersPings: boolean }): Promise<Silent> {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let pings = 0;
  const peers: WebSocket[] = [];
  const accept = (webSocket: WebSocket): void => {
    peers.push(webSocket);
    webSocket.on('ping', () => {
      pings++;
    });
    webSocket.once('message', () => webSocket.send('{"jsonrpc":"2.0","id":1,"result":{"entries":[]}}'));
  };
  const port = await serve(t, accept, answersPings);
  const ended: Error[] = [];
  const stream = await open(port, 60_000, { ended: (error) => ended.push(error) });
  t.after(() => stream.end());
  return { peer: peers[0] as WebSocket, stream, ended, pings: () => pings };
}

/** Passes the time to the next ping, and waits until the peer has it. */
async function ping(t: TestContext, { pings, stream, ended, peer }: Silent): Promise<void> {
  const before = pings();
  t.mock.timers.tick(PING_INTERVAL_MS);
  await until(() => pings() > before);
  assert.deepEqual(ended, []);
  // What the peer has sent before is read by now.
  const called = once(peer, 'message');
  stream.call('listPort');
  await called;
}

test('a first call that is not answered fails at the time limit', async (t) => {
  const port = await serve(t, () => undefined);
  await assert.rejects(within(open(port, 50), 'answer or failure'), {
    code: 'CONTROL_FAILED',
    message: 'node r2 did not answer subscribe within 0.05 s',
  });
});

test('a switch that answers no ping is told as ended behind the second one', async (t) => {
  const silent = await openAnswered(t, { answersPings: false });
  // What was read since the opening handshake is a sign of life.
  await ping(t, silent);
  await ping(t, silent);
  t.mock.timers.tick(PING_INTERVAL_MS);
  assert.match(silent.ended.join(), /node r2 has been silent for 20 s/);
  assert.equal(silent.ended.length, 1);
});

test('pongs, and whatever else a switch sends, keep the stream', async (t) => {
  const lively = await openAnswered(t, { answersPings: true });
  for (let n = 0; n < 5; n++) await ping(t, lively);
});

test('a stream that its caller does not read is not ended, and is pinged again later', async (t) => {
  const silent = await openAnswered(t, { answersPings: false });
  silent.stream.pause();
  for (let n = 0; n < 5; n++) t.mock.timers.tick(PING_INTERVAL_MS);
  assert.deepEqual(silent.ended, []);
  silent.stream.resume();
  await ping(t, silent);
  await ping(t, silent);
  t.mock.timers.tick(PING_INTERVAL_MS);
  assert.equal(silent.ended.length, 1);
});
