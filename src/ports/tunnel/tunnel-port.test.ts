import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { HandBeat } from '../../../test/support/hand-beat.ts';
import { PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import { once, within } from '../../../test/support/waits.ts';
import { listen, stop, TestTunnelServer, webServer } from '../../../test/support/web-socket-peer.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { DEFAULT_LIMITS } from '../stream/limits.ts';
import { dialTunnel } from './dial/dial-tunnel.ts';
import { TunnelPort } from './tunnel-port.ts';

describe('a tunnel and its peer', () => {
  let server: TestTunnelServer;
  let heartbeat: HandBeat;
  let port: TunnelPort;
  let peer: WebSocket;
  let events: PortRecorder;

  beforeEach(async () => {
    heartbeat = new HandBeat();
    server = new TestTunnelServer({ heartbeat, limits: { closeTimeoutMs: 50 } });
    await server.start();
    peer = new WebSocket(server.url, { perMessageDeflate: false });
    const accepted = server.nextPort();
    await once(peer, 'open');
    const first = await accepted;
    assert.ok(first instanceof TunnelPort, 'a peer of 1.x gets nothing more than its tunnel');
    port = first;
    events = new PortRecorder();
    port.open(events);
  });
  afterEach(async () => {
    peer.terminate();
    await port.close();
    await server.stop();
  });

  function send(...frames: Buffer[]): void {
    const batch = batchOf(...frames);
    for (let index = 0; index < batch.count; index++) assert.equal(port.send(batch, index), undefined);
    port.flush(false);
  }

  test('a short frame is padded to 60 octets with zeros', async () => {
    const received = once(peer, 'message') as Promise<[Buffer]>;
    const frame = testFrame(1, 18);
    send(frame);
    assert.deepEqual((await received)[0], Buffer.concat([frame, Buffer.alloc(42)]));
  });

  test('messages that are no frames are discards, and the tunnel stays', async () => {
    peer.send(Buffer.alloc(0));
    peer.send(Buffer.alloc(13));
    peer.send(Buffer.alloc(port.maxFrameBytes + 1));
    peer.send(testFrame(1, 60));
    await events.take(1);
    await events.settledDiscards(3);
    assert.deepEqual(Object.fromEntries(events.discards), { 'rx runt': 2, 'rx tooLong': 1 });
  });

  test('jor1k’s ping is answered, every other text ignored, and no text is ever sent first', async () => {
    const texts: string[] = [];
    peer.on('message', (data, isBinary) => {
      if (!isBinary) texts.push(String(data));
    });
    peer.send('hello');
    peer.send(`ping:${'x'.repeat(300)}`);
    peer.send('ping:1234');
    await once(peer, 'message');
    peer.send('PING:5');
    peer.send('ping:');
    await once(peer, 'message');
    assert.deepEqual(texts, ['pong:1234', 'pong:']);
  });

  test('a ping is answered with its payload', async () => {
    const answered = once(peer, 'pong') as Promise<[Buffer]>;
    peer.ping('are you there?');
    assert.equal(String((await answered)[0]), 'are you there?');
  });

  test('a peer is pinged every 20 s, and its pong measures the round trip', async () => {
    const pings: Buffer[] = [];
    peer.on('ping', (data) => pings.push(data));
    heartbeat.pass(19);
    assert.equal(port.roundTripMs, undefined);
    const first = once(peer, 'ping');
    heartbeat.pass(1);
    await first;
    peer.send(testFrame(1, 60));
    await events.take(1);
    assert.ok(port.roundTripMs !== undefined && port.roundTripMs >= 0);
    const second = once(peer, 'ping');
    heartbeat.pass(20);
    await second;
    assert.equal(pings.length, 2);
    assert.notDeepEqual(pings[0], pings[1]);
  });

  test('the round trip is measured whenever it is asked for', async () => {
    const measured = new Promise<number>((resolve) => port.details.connection.measure?.(resolve));
    assert.ok((await within(measured, 'the round trip')) >= 0);
    assert.notEqual(port.roundTripMs, undefined);
  });

  test('behind each ping comes a frame that a learning bridge filters, and both are one peer’s to ignore', async () => {
    const arrived: (Buffer | 'ping')[] = [];
    peer.on('ping', () => arrived.push('ping')).on('message', (data: Buffer) => arrived.push(data));
    for (let n = 0; n < 2; n++) {
      const filler = once(peer, 'message');
      heartbeat.pass(20);
      await filler;
    }
    const [first, frame, second, again] = arrived;
    assert.deepEqual([first, second, arrived.length], ['ping', 'ping', 4]);
    assert.deepEqual(frame, again);
    const bytes = frame as Buffer;
    assert.deepEqual(bytes.subarray(0, 6), bytes.subarray(6, 12));
    peer.send(bytes);
    peer.send(testFrame(1, 60));
    assert.deepEqual(await events.take(1), [testFrame(1, 60)], 'one that comes in goes nowhere');
  });

  test('an unsolicited pong measures nothing', async () => {
    peer.pong(Buffer.alloc(4));
    peer.send(testFrame(1, 60));
    await events.take(1);
    assert.equal(port.roundTripMs, undefined);
  });

  test('any traffic is a sign of life, 60 s of silence are the end', async () => {
    const mute = (peer as unknown as { _autoPong: boolean })._autoPong;
    assert.equal(mute, true, 'ws changed its inside');
    (peer as unknown as { _autoPong: boolean })._autoPong = false;
    heartbeat.pass(59);
    peer.send(testFrame(1, 60));
    await events.take(1);
    heartbeat.pass(59);
    assert.equal(events.linkChanges.length, 0);
    const closed = once(peer, 'close') as Promise<[number]>;
    heartbeat.pass(1);
    assert.deepEqual(events.linkChanges, [{ state: 'closed', reason: 'no traffic for 60 s' }]);
    assert.equal((await closed)[0], 1006);
  });

  test('a peer that has answered a ping before is gone when it leaves one unanswered for 20 s', async () => {
    const pinged = once(peer, 'ping');
    heartbeat.pass(20);
    await pinged;
    peer.send(testFrame(1, 60));
    await events.take(1);
    (peer as unknown as { _autoPong: boolean })._autoPong = false;
    heartbeat.pass(39);
    peer.send(testFrame(2, 60));
    await events.take(1);
    assert.equal(events.linkChanges.length, 0, 'any octet behind the ping is life');
    heartbeat.pass(1);
    assert.equal(events.linkChanges.length, 0, 'a ping goes out now');
    heartbeat.pass(20);
    assert.deepEqual(events.linkChanges, [{ state: 'closed', reason: 'no answer to a ping within 20 s' }]);
  });

  for (const [reason, code] of [
    ['shutdown', 1001],
    ['removed', 1000],
  ] as const) {
    test(`close because of ${reason} says ${code}, behind the frames that were sent`, async () => {
      const messages: unknown[] = [];
      peer.on('message', (data) => messages.push(data));
      const closed = once(peer, 'close') as Promise<[number]>;
      send(testFrame(1, 60), testFrame(2, 60));
      await port.close(reason);
      assert.equal((await closed)[0], code);
      assert.equal(messages.length, 2);
    });
  }

  test('a peer that does not answer our close message is cut off', async () => {
    peer.pause();
    await port.close('removed');
    assert.equal(server.tunnels.connections, 0);
  });

  test('the peer’s close message is the reason, and is answered with its code', async () => {
    const closed = once(peer, 'close') as Promise<[number]>;
    peer.send(testFrame(1, 60));
    peer.close(1001, 'lunch');
    assert.deepEqual(await events.linkChange(), {
      state: 'closed',
      reason: 'closed by the peer: 1001 going away (lunch)',
    });
    assert.equal(events.frames.length, 1, 'what came before the close message counts');
    assert.equal((await closed)[0], 1001);
  });

  test('a peer that vanishes is told apart from one that closes', async () => {
    peer.terminate();
    assert.deepEqual(await events.linkChange(), {
      state: 'closed',
      reason: 'closed by the peer without a close message',
    });
  });

  test('a peer that breaks the protocol hears why', async () => {
    const closed = once(peer, 'close') as Promise<[number, Buffer]>;
    const { _socket: socket } = peer as unknown as { _socket: NodeJS.WritableStream };
    socket.write(Buffer.from('8203000000', 'hex'));
    const { reason } = await events.linkChange();
    assert.equal(reason, 'the peer broke the WebSocket protocol: unmasked frame from a client');
    const [code, words] = await closed;
    assert.equal(code, 1002);
    assert.equal(String(words), 'unmasked frame from a client');
  });

  test('a message over the limit closes with 1009', async () => {
    const closed = once(peer, 'close') as Promise<[number]>;
    peer.send(Buffer.alloc(DEFAULT_LIMITS.maxMessageBytes + 1));
    assert.match((await events.linkChange()).reason ?? '', /message of 262145 octets, 262144 are taken/);
    assert.equal((await closed)[0], 1009);
  });

  test('frames that wait when the link is lost are reported as lost', async () => {
    peer.pause();
    let taken = 0;
    for (let round = 0; port.queuedBytes < 500_000; round++) {
      assert.ok(round < 100_000, `only ${port.queuedBytes} octets wait`);
      const batch = batchOf(testFrame(taken, 1514));
      if (port.send(batch, 0) === undefined) taken++;
      port.flush(false);
      if (port.queuedBytes === 0) await new Promise(setImmediate);
    }
    const waitedMs = (): number => port.details.connection.oldestWaitedMs?.() ?? -1;
    assert.ok(waitedMs() > 0, `${waitedMs()} ms`);
    peer.terminate();
    await events.linkChange();
    assert.equal(waitedMs(), 0);
    assert.ok(events.discardsOf('tx') > 200, `${events.discardsOf('tx')}`);
    assert.equal(port.queuedBytes, 0);
  });

  test('queueBytes is the bound of what waits', async () => {
    peer.pause();
    while (events.discards.get('tx queueFull') === undefined) {
      assert.equal(port.send(batchOf(testFrame(1, 1514)), 0), undefined);
      port.flush(false);
      assert.ok(port.queuedBytes <= DEFAULT_LIMITS.queueBytes);
    }
    assert.ok(port.queuedBytes > DEFAULT_LIMITS.queueBytes * 0.9);
  });
});

test('frames that arrive between the handshake and open are kept', async () => {
  const web = webServer();
  const webSockets = new WebSocketServer({ server: web });
  webSockets.on('connection', (peer) => {
    for (let number = 0; number < 100; number++) peer.send(testFrame(number, 1514));
  });
  const listenPort = await listen(web);
  const port = await dialTunnel({ url: `ws://127.0.0.1:${listenPort}/` });
  await new Promise(setImmediate);
  const events = new PortRecorder();
  port.open(events);
  await events.take(100);
  await port.close();
  webSockets.close();
  await stop(web);
});

test('a client’s link goes down, as it may come back', async () => {
  const server = new TestTunnelServer();
  await server.start();
  const port = await dialTunnel({ url: server.url });
  const events = new PortRecorder();
  port.open(events);
  await (await server.nextPort()).close('shutdown');
  assert.deepEqual(await events.linkChange(), { state: 'down', reason: 'closed by the peer: 1001 going away' });
  await port.close();
  await server.stop();
});

test('limits that are no positive numbers are a mistake of the caller', async () => {
  for (const queueBytes of [0, -1, Number.NaN]) {
    assert.throws(() => new TestTunnelServer({ limits: { queueBytes } }), RangeError);
  }
});
