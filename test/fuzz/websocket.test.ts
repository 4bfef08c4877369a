import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Assembly } from '../../src/ports/stream/assembly.ts';
import type { MessageCodec } from '../../src/wire/websocket/message-codec.ts';
import { cut, type MessageEvent, ParserProbe, rawFrame, readWithWs } from '../support/message-stream.ts';
import { builtCodec } from '../support/offload-addon.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const MAX = 1200;
const HEADER = 14;
/** Absent where the addon is not built; then all is read in TypeScript. */
const CODEC = builtCodec();
const VALID = fuzzCases(3_000);
const HOSTILE = fuzzCases(60_000);

test(`${VALID} random streams of messages, fragmented and cut at random, read as ws reads them`, async () => {
  const random = new Random(fuzzSeed());
  for (let run = 0; run < VALID; run++) {
    const isMasked = random.once(2);
    const { stream, events } = randomStream(random, isMasked);
    const chunks = randomCut(random, stream);
    const options = { isMasked, maxMessageBytes: MAX };
    const probe = readAll(chunks, options, random.once(2), random.once(2) ? CODEC : undefined);
    assert.equal(probe.violated, undefined, `run ${run}`);
    assert.deepEqual(probe.events, events, `run ${run}`);
    assert.equal(probe.memory.outBytes, 0, 'something is held behind the last message');
    const oracle = await readWithWs(chunks, options);
    assert.deepEqual(oracle.events, events, `run ${run}`);
  }
});

test(`${HOSTILE} mutated streams: no exception, no growth past the bound, and ws's verdict`, async () => {
  const random = new Random(fuzzSeed() + 1);
  // Mutations are cheap, streams are not.
  const origins = Array.from({ length: 1000 }, (_, index) => randomStream(random, index % 2 === 1).stream);
  for (let run = 0; run < HOSTILE; run++) {
    const isMasked = run % 2 === 1;
    const origin = origins[run % origins.length] as Buffer;
    const stream = random.once(10) ? random.bytes(random.below(100)) : mutated(random, origin);
    const chunks = randomCut(random, stream);
    const options = { isMasked, maxMessageBytes: MAX };
    const probe = readAll(chunks, options, random.once(2), random.once(2) ? CODEC : undefined);
    probe.parser.end();
    assert.equal(probe.memory.outBytes, 0, `run ${run}: memory was not given back`);
    if (run % 5 === 0) await compareWithWs(probe, chunks, options, run);
  }
});

/** We are stricter in one thing only: a length must be written as short as it goes (RFC 6455, 5.2). */
async function compareWithWs(
  probe: ParserProbe,
  chunks: readonly Buffer[],
  options: { isMasked: boolean; maxMessageBytes: number },
  run: number,
): Promise<void> {
  const oracle = await readWithWs(chunks, options);
  if (probe.violated?.what.includes('written in') === true) {
    assert.deepEqual(oracle.events.slice(0, probe.events.length), probe.events, `run ${run}`);
    return;
  }
  assert.deepEqual(probe.events, oracle.events, `run ${run}`);
  assert.equal(probe.violated?.code, oracle.code, `run ${run}: ${probe.violated?.what}`);
}

/** Reads a stream, with what is unfinished carried over by the product's assembly or by hand. */
function readAll(
  chunks: readonly Buffer[],
  options: { isMasked: boolean; maxMessageBytes: number },
  isAssembled: boolean,
  codec: MessageCodec | undefined,
): ParserProbe {
  const probe = new ParserProbe({ ...options, codec });
  const assembly = new Assembly(probe);
  for (const chunk of chunks) {
    if (isAssembled) assembly.take(chunk, chunk.length);
    else probe.feed(chunk);
    assert.ok(probe.restBytes < MAX + HEADER, `${probe.restBytes} octets are left unread`);
    assert.ok(probe.memory.outBytes <= 4096 + 2, `${probe.memory.outBytes} octets are out`);
  }
  assembly.close();
  return probe;
}

function randomStream(random: Random, isMasked: boolean): { stream: Buffer; events: MessageEvent[] } {
  const frames: Buffer[] = [];
  const events: MessageEvent[] = [];
  const add = (opcode: number, payload: Uint8Array, isFinal: boolean): void => {
    frames.push(rawFrame({ opcode, payload, isFinal, ...(isMasked ? { key: random.bytes(4) } : {}) }));
  };
  const addControl = (): void => {
    const opcode = random.pick([9, 10]);
    const payload = random.bytes(random.below(random.pick([1, 10, 126])));
    add(opcode, payload, true);
    events.push({ kind: opcode === 9 ? 'ping' : 'pong', bytes: payload.toString('hex') });
  };
  for (let count = random.below(8); count >= 0; count--) {
    if (random.once(4)) addControl();
    const isText = random.once(3);
    const text = Buffer.from(random.text(40)).toString();
    const payload = isText ? Buffer.from(text) : random.bytes(random.below(random.pick([1, 20, 130, 200, MAX + 1])));
    const fragments = random.once(2) ? [payload] : cut(payload, () => random.between(1, payload.length));
    if (fragments.length === 0) fragments.push(payload);
    for (const [index, fragment] of fragments.entries()) {
      if (index > 0 && random.once(3)) addControl();
      add(index > 0 ? 0 : isText ? 1 : 2, fragment, index === fragments.length - 1);
    }
    events.push(isText ? { kind: 'text', text } : { kind: 'binary', bytes: payload.toString('hex') });
  }
  if (random.once(3)) {
    const code = random.pick([1000, 1001, 1009, 3000, 4999]);
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from('bye')]);
    add(8, payload, true);
    events.push({ kind: 'close', code, reason: 'bye' });
  }
  return { stream: Buffer.concat(frames), events };
}

function mutated(random: Random, stream: Buffer): Buffer {
  const bytes = Buffer.from(stream);
  for (let count = random.below(4); count >= 0 && bytes.length > 0; count--) {
    const at = random.once(2) ? random.below(Math.min(bytes.length, 16)) : random.below(bytes.length);
    bytes[at] = random.once(2) ? random.next() : (bytes[at] as number) ^ (1 << random.below(8));
  }
  if (random.once(4)) return bytes.subarray(0, random.below(bytes.length + 1));
  if (random.once(4)) return Buffer.concat([bytes.subarray(random.below(bytes.length + 1)), bytes]);
  return bytes;
}

function randomCut(random: Random, stream: Buffer): Buffer[] {
  const most = random.pick([1, 20, 200, 2000, 100_000]);
  // One octet at a time is for the short ones: it costs a call each.
  const least = most === 1 && stream.length > 200 ? 50 : 1;
  return cut(stream, () => random.between(least, Math.max(least, most)));
}
