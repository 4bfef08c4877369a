import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { HandBeat } from '../../../test/support/hand-beat.ts';
import { MemoryTransport } from '../../../test/support/memory-transport.ts';
import { rawFrame } from '../../../test/support/message-stream.ts';
import { PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import { TransportRecorder } from '../../../test/support/socket-pair.ts';
import { once } from '../../../test/support/waits.ts';
import { listen, stop, webServer } from '../../../test/support/web-socket-peer.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { writeMessageHead, writeRecord } from '../../wire/tunnel/tunnel-message.ts';
import { DEFAULT_LIMITS } from '../stream/limits.ts';
import { dialTunnel } from './dial/dial-tunnel.ts';
import { TunnelPort } from './tunnel-port.ts';

test('nothing that follows a message which breaks the batched wire counts', async () => {
  const [transport, far] = MemoryTransport.pair();
  const port = new TunnelPort({ type: 'server', target: 'memory', transport, wire: 'batched' });
  const events = new PortRecorder();
  port.open(events);
  const farEvents = new TransportRecorder();
  far.listen(farEvents);
  far.start();
  const message = (payload: Buffer): Buffer => rawFrame({ opcode: 2, key: Buffer.from('1234'), payload });
  const frames = batchOf(testFrame(1, 60));
  const good = Buffer.alloc(200);
  const goodBytes = writeRecord(good, writeMessageHead(good, 0), frames, 0);
  const ping = rawFrame({ opcode: 9, key: Buffer.from('1234') });
  far.write(
    Buffer.concat([
      message(good.subarray(0, goodBytes)),
      message(Buffer.from([1])),
      ping,
      message(good.subarray(0, goodBytes)),
    ]),
  );
  assert.match((await events.linkChange()).reason ?? '', /broke the WebSocket protocol/);
  await farEvents.until(() => farEvents.receivedBytes > 0);
  assert.equal(events.frames.length, 1);
  assert.equal(farEvents.octets[0], 0x88, 'something else was said before the close message');
  far.destroy();
  await port.close();
});

test('on the batched wire nothing follows a ping', async () => {
  const heartbeat = new HandBeat();
  const [transport, far] = MemoryTransport.pair();
  const port = new TunnelPort({ type: 'server', target: 'memory', transport, wire: 'batched', heartbeat });
  port.open(new PortRecorder());
  const farEvents = new TransportRecorder();
  far.listen(farEvents);
  far.start();
  heartbeat.pass(DEFAULT_LIMITS.pingIntervalMs / 1000);
  await farEvents.until(() => farEvents.receivedBytes > 0);
  assert.deepEqual([farEvents.octets[0], farEvents.receivedBytes], [0x89, 6]);
  far.destroy();
  await port.close();
});

test('maxMessageBytes bounds messages of the raw wire only: those of the batched one may have 1 MiB', async () => {
  const batch = batchOf(...Array.from({ length: 100 }, (_, n) => testFrame(n, 1000)));
  const payload = Buffer.alloc(128 * 1024);
  let end = writeMessageHead(payload, 0);
  for (let index = 0; index < batch.count; index++) end = writeRecord(payload, end, batch, index);
  const message = rawFrame({ opcode: 2, key: Buffer.from('1234'), payload: payload.subarray(0, end) });
  for (const [wire, state] of [
    ['batched', undefined],
    ['raw', 'closed'],
  ] as const) {
    const [transport, far] = MemoryTransport.pair();
    const port = new TunnelPort({
      type: 'server',
      target: 'm',
      transport,
      wire,
      limits: { maxMessageBytes: 70_000 },
    });
    const events = new PortRecorder();
    port.open(events);
    far.listen(new TransportRecorder());
    far.start();
    far.write(message);
    if (state === undefined) assert.equal((await events.take(100)).length, 100);
    else assert.equal((await events.linkChange()).state, state);
    far.destroy();
    await port.close();
  }
});

test('group frames that a server sends back are dropped and counted', async (t) => {
  const web = webServer();
  const webSockets = new WebSocketServer({ server: web, perMessageDeflate: false });
  webSockets.on('connection', (peer) => peer.on('message', (data: Buffer) => peer.send(data)));
  const port = await dialTunnel({ url: `ws://127.0.0.1:${await listen(web)}/` });
  const events = new PortRecorder();
  port.open(events);
  const group = Buffer.concat([Buffer.alloc(6, 0xff), testFrame(1, 36).subarray(6)]);
  const unicast = testFrame(2, 60);
  unicast[0] = 0x02;
  t.after(async () => {
    await port.close();
    await stop(web);
  });
  const batch = batchOf(group, unicast);
  for (const index of [0, 1]) assert.equal(port.send(batch, index), undefined);
  port.flush(true);
  assert.deepEqual(await events.take(1), [unicast]);
  await events.settledDiscards(1);
  assert.deepEqual([...events.discards], [['rx echoed', 1]]);
});

test('a server that others made: fragments, pings both ways, frames masked, and its close', async () => {
  const web = webServer();
  const webSockets = new WebSocketServer({ server: web, perMessageDeflate: false });
  const connected = once(webSockets, 'connection') as Promise<[WebSocket]>;
  const heartbeat = new HandBeat();
  const port = await dialTunnel({ url: `ws://127.0.0.1:${await listen(web)}/`, heartbeat });
  const [peer] = await connected;
  const events = new PortRecorder();
  port.open(events);

  const long = testFrame(7, 60_000);
  peer.send(long.subarray(0, 20_000), { fin: false });
  peer.ping('in between');
  peer.send(long.subarray(20_000, 20_001), { fin: false });
  peer.send(long.subarray(20_001), { fin: true });
  const [answer] = (await once(peer, 'pong')) as [Buffer];
  assert.equal(String(answer), 'in between');
  assert.deepEqual(await events.take(1), [long]);

  const arrived = once(peer, 'message') as Promise<[Buffer]>;
  // ws closes with 1002 on a frame of a client that is not masked, and shows what it has unmasked.
  assert.equal(port.send(batchOf(long), 0), undefined);
  port.flush(true);
  assert.equal(Buffer.compare((await arrived)[0], long), 0);

  const pinged = once(peer, 'ping');
  heartbeat.pass(DEFAULT_LIMITS.pingIntervalMs / 1000);
  await pinged;
  peer.send(testFrame(8, 60));
  await events.take(1); // behind the pong
  assert.ok((port.roundTripMs ?? -1) >= 0);

  const closed = once(peer, 'close') as Promise<[number]>;
  peer.close(4000, 'enough');
  assert.deepEqual(await events.linkChange(), { state: 'down', reason: 'closed by the peer: 4000 (enough)' });
  assert.equal((await closed)[0], 4000);
  await port.close();
  webSockets.close();
  await stop(web);
});
