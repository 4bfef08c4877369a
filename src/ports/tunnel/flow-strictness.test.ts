import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import type { TapHost } from '../../../test/support/fast-lab.ts';
import {
  CountingBridge,
  nativePair,
  nativePort,
  openTapHost,
  prepareNamespace,
  stationFrame,
  turns,
} from '../../../test/support/fast-lab.ts';
import { type RawFrame, rawFrame } from '../../../test/support/message-stream.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { numberOf } from '../../../test/support/port-recorder.ts';
import { once } from '../../../test/support/waits.ts';
import type { BridgePort } from '../../bridge/bridge-port.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { writeMessageHead, writeRecord } from '../../wire/tunnel/tunnel-message.ts';

const skip = enterOwnNamespace();
const [HERE, THERE] = [1, 2];
const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];

before(() => {
  if (skip === false) prepareNamespace();
});

let devices = 0;

/** Frames of THERE to HERE by these numbers, as a message of the batched wire. */
function payloadOf(...numbers: readonly number[]): Buffer {
  const batch = batchOf(...numbers.map((number) => stationFrame(THERE, HERE, number, 60 + (number % 200))));
  const payload = Buffer.alloc(4 + batch.bytes.length + 14 * batch.count);
  let at = writeMessageHead(payload, 0);
  for (let index = 0; index < batch.count; index++) at = writeRecord(payload, at, batch, index);
  return payload;
}

/** A tunnel that native code reads, and whose far end says any octets; a TAP is behind it. */
interface Bench {
  readonly host: TapHost;
  readonly bridge: CountingBridge;
  readonly tunnel: BridgePort;
  readonly peer: Socket;
  /** whether we are the server, so that the peer masks */
  readonly isMasked: boolean;
  /** what came from the tunnel, taken apart as far as it goes */
  received(): { opcode: number; payload: Buffer }[];
  message(frame: RawFrame): Buffer;
}

async function openBench(t: TestContext, type: 'client' | 'server'): Promise<Bench> {
  const host = await openTapHost(t, `strict${devices++}`);
  const bridge = new CountingBridge();
  bridge.attach(host.port);
  const { accepted, dialled: peer } = await nativePair();
  peer.setNoDelay(true);
  const port = nativePort(accepted, type);
  t.after(() => port.close());
  t.after(() => peer.destroy());
  const tunnel = bridge.attach(port);
  let octets: Buffer = Buffer.alloc(0);
  peer.on('data', (bytes: Buffer) => {
    octets = Buffer.concat([octets, bytes]);
  });
  const isMasked = type === 'server';
  const message = (frame: RawFrame): Buffer => rawFrame(isMasked ? { key: KEY, ...frame } : frame);
  const bench = { host, bridge, tunnel, peer, isMasked, message, received: () => messagesIn(octets) };
  // Both stations are known, and what the tunnel says to the TAP matches a flow.
  for (let round = 0; round < 2; round++) {
    peer.write(message({ opcode: BINARY, payload: payloadOf(0) }));
    await host.heard.take(1);
    host.send(stationFrame(HERE, THERE, 0));
    while (bench.received().length < round + 1) await once(peer, 'data');
  }
  return bench;
}

function messagesIn(octets: Buffer): { opcode: number; payload: Buffer }[] {
  const messages: { opcode: number; payload: Buffer }[] = [];
  for (let at = 0; at + 2 <= octets.length; ) {
    const second = octets[at + 1] as number;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at + 2 + lengthBytes > octets.length) break;
    const length =
      lengthBytes === 2 ? octets.readUInt16BE(at + 2) : lengthBytes === 8 ? octets.readUInt32BE(at + 6) : short;
    const isMasked = (second & 0x80) !== 0;
    const start = at + 2 + lengthBytes + (isMasked ? 4 : 0);
    if (start + length > octets.length) break;
    const payload = Buffer.from(octets.subarray(start, start + length));
    if (isMasked)
      for (const [i, octet] of payload.entries()) payload[i] = octet ^ (octets[start - 4 + (i % 4)] as number);
    messages.push({ opcode: (octets[at] as number) & 0x0f, payload });
    at = start + length;
  }
  return messages;
}

/** Writes octets in pieces, each read by itself. */
async function sendInPieces(bench: Bench, octets: Buffer, piece: number): Promise<void> {
  for (let at = 0; at < octets.length; at += piece) {
    bench.peer.write(octets.subarray(at, at + piece));
    await turns(1);
  }
}

for (const type of ['server', 'client'] as const) {
  test(`a ${type} reads all that may come, cut anywhere, and hands frames on in order`, { skip }, async (t) => {
    for (const piece of [1, 2, 3, 7, 1000]) {
      const bench = await openBench(t, type);
      const { message, host } = bench;
      const fragmented = payloadOf(8, 9, 10);
      const stream = Buffer.concat([
        message({ opcode: BINARY, payload: payloadOf(1, 2, 3) }),
        message({ opcode: PING, payload: Buffer.from('one') }),
        message({ opcode: BINARY, payload: payloadOf(4) }),
        message({ opcode: TEXT, payload: Buffer.from('ping:two') }),
        message({ opcode: BINARY, payload: Buffer.from([0x80, 1, 2, 3]) }),
        message({ opcode: BINARY, payload: payloadOf(5, 6, 7) }),
        message({ opcode: BINARY, isFinal: false, payload: fragmented.subarray(0, 50) }),
        message({ opcode: PING, payload: Buffer.from('three') }),
        message({ opcode: CONTINUATION, isFinal: false, payload: fragmented.subarray(50, 51) }),
        message({ opcode: CONTINUATION, payload: fragmented.subarray(51) }),
        message({ opcode: BINARY, payload: payloadOf() }),
        message({ opcode: PONG }),
        message({ opcode: BINARY, payload: payloadOf(...Array.from({ length: 290 }, (_, i) => 11 + i)) }),
        message({ opcode: BINARY, payload: payloadOf(301) }),
        message({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]) }),
        message({ opcode: BINARY, payload: payloadOf(302) }),
      ]);
      await sendInPieces(bench, stream, piece);
      const numbers = (await host.heard.take(301)).map(numberOf);
      assert.deepEqual(
        numbers,
        Array.from({ length: 301 }, (_, i) => i + 1),
        `pieces of ${piece}`,
      );
      while (bench.received().at(-1)?.opcode !== CLOSE) await once(bench.peer, 'data');
      const answers = bench.received().filter(({ opcode }) => opcode !== BINARY);
      assert.equal(answers.at(-1)?.payload.readUInt16BE(), 1000);
      const pongs = answers.filter(({ opcode }) => opcode === PONG).map(({ payload }) => String(payload));
      // At most one a read, the last (RFC 6455, 5.5.3).
      assert.equal(pongs.at(-1), 'three');
      assert.ok(pongs.length === 1 || pongs.join() === 'one,three', pongs.join());
      assert.equal(answers.filter(({ opcode }) => opcode === TEXT).length, 1);
      await turns();
      assert.equal(
        host.heard.frames.some((frame) => numberOf(frame) === 302),
        false,
        'a frame behind the end',
      );
      assert.equal(bench.tunnel.rx.frames, 303, 'two came before');
    }
  });
}

const GOOD = payloadOf(1, 2);
const BREACHES: readonly [what: string, code: number, frames: number, make: (bench: Bench) => Buffer[]][] = [
  [
    'a message inside a fragmented one',
    1002,
    0,
    ({ message }) => [
      message({ opcode: BINARY, isFinal: false, payload: GOOD.subarray(0, 9) }),
      message({ opcode: BINARY, payload: GOOD }),
    ],
  ],
  ['a continuation of nothing', 1002, 0, ({ message }) => [message({ opcode: CONTINUATION, payload: GOOD })]],
  ['a reserved bit', 1002, 0, ({ message }) => [message({ opcode: BINARY, reserved: 0x40, payload: GOOD })]],
  ['an unknown opcode', 1002, 0, ({ message }) => [message({ opcode: 3, payload: GOOD })]],
  [
    'masking the wrong way',
    1002,
    0,
    ({ isMasked }) => [rawFrame({ opcode: BINARY, payload: GOOD, ...(isMasked ? {} : { key: KEY }) })],
  ],
  [
    'a length in too many octets',
    1002,
    0,
    ({ message }) => [message({ opcode: BINARY, lengthBytes: 8, payload: GOOD })],
  ],
  [
    'a short length in 16 bits',
    1002,
    0,
    ({ message }) => [message({ opcode: BINARY, lengthBytes: 2, payload: Buffer.from([1, 0, 0, 0]) })],
  ],
  [
    'a message that is too long',
    1009,
    0,
    ({ message }) => [message({ opcode: BINARY, lengthBytes: 8, length: 2 ** 20 + 1 })],
  ],
  ['an empty message', 1002, 0, ({ message }) => [message({ opcode: BINARY })]],
  ['another type', 1002, 0, ({ message }) => [message({ opcode: BINARY, payload: Buffer.from([2, 0, 0, 0]) })]],
  ['half a head', 1002, 0, ({ message }) => [message({ opcode: BINARY, payload: Buffer.from([1, 0, 0]) })]],
  [
    'a record that ends early',
    1002,
    2,
    ({ message }) => [message({ opcode: BINARY, payload: Buffer.concat([GOOD, Buffer.alloc(13)]) })],
  ],
  [
    'a record that goes beyond its message',
    1002,
    1,
    ({ message }) => [message({ opcode: BINARY, payload: GOOD.subarray(0, GOOD.length - 1) })],
  ],
  [
    'a frame that is longer than any',
    1002,
    2,
    ({ message }) => [
      message({ opcode: BINARY, payload: Buffer.concat([GOOD, Buffer.from('0001ffff', 'hex'), Buffer.alloc(10)]) }),
    ],
  ],
];

for (const [what, code, frames, make] of BREACHES) {
  test(`${what} ends the tunnel with ${code}, behind ${frames} frames of it`, { skip }, async (t) => {
    for (const type of ['server', 'client'] as const) {
      const bench = await openBench(t, type);
      const { message, host, peer, tunnel } = bench;
      const good = message({ opcode: BINARY, payload: payloadOf(100) });
      const before = tunnel.rx.frames;
      peer.write(Buffer.concat([good, ...make(bench), good]));
      while (bench.received().at(-1)?.opcode !== CLOSE) await once(peer, 'data');
      assert.equal(bench.received().at(-1)?.payload.readUInt16BE(), code, type);
      assert.equal(tunnel.rx.frames - before, 1 + frames, type);
      peer.write(good);
      await turns();
      assert.equal(tunnel.rx.frames - before, 1 + frames, type);
      assert.equal((await host.heard.take(1 + frames)).length, 1 + frames);
    }
  });
}
