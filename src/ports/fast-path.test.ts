import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { closeDescriptor } from '../../test/support/descriptors.ts';
import { rawFrame } from '../../test/support/message-stream.ts';
import { missingAddon } from '../../test/support/offload-addon.ts';
import { socketPair } from '../../test/support/socket-pair.ts';
import { ALERT, DATA, HANDSHAKE, RecordOpener, RecordSealer } from '../../test/support/tls-records.ts';
import { once, until } from '../../test/support/waits.ts';
import { nativeAddon } from '../native/addon.ts';
import type { Descriptor } from '../native/descriptors.ts';
import type { TlsRecords } from '../native/tls.ts';
import { descriptorOf } from '../net/socket-descriptor.ts';
import { frameList } from './stream/frame-list.ts';
import { SUITES, type Suite, trafficKey } from './stream/tls/key-schedule.ts';
import { hasRecords, type RecordAddon, RecordKeys } from './stream/tls/record-keys.ts';
import { RecordStream } from './stream/tls/record-stream.ts';

const skip = missingAddon();
const BINARY = 2;
const MESSAGE_BYTES = 1000;
const MOST_BYTES = 4096;

/** A tunnel of the raw wire without anything above it, whose messages say their number. */
interface Stream {
  readonly descriptor: Descriptor;
  readonly peer: Socket;
  /** the numbers of the messages that came whole */
  readonly numbers: number[];
  /** called behind each delivery, from inside of it */
  onDelivered: () => void;
  /** called before the descriptor is closed */
  beforeClose: () => void;
}

function addonWithRecords(): RecordAddon {
  const addon = nativeAddon();
  assert.ok(hasRecords(addon));
  return addon;
}

async function openStream(t: TestContext): Promise<Stream> {
  const addon = nativeAddon();
  const { accepted, dialled: peer } = await socketPair();
  const descriptor = addon.adoptSocket(descriptorOf(accepted) as number);
  accepted.destroy();
  t.after(async () => {
    stream.beforeClose();
    peer.destroy();
    await closeDescriptor(descriptor);
  });
  const { starts, lengths } = frameList(addon);
  const stream: Stream = { descriptor, peer, numbers: [], onDelivered: () => undefined, beforeClose: () => undefined };
  addon.watch(descriptor, () => undefined);
  addon.await(descriptor, 0);
  addon.openTunnel(descriptor, true, false, MOST_BYTES, (bytes, frames, _odd, _length, from, end) => {
    for (let i = 0; i < frames; i++) {
      assert.equal(lengths[i], MESSAGE_BYTES);
      stream.numbers.push(bytes.readUInt32BE(starts[i]));
    }
    assert.ok(end - from < MESSAGE_BYTES + 4, 'a whole message was left');
    stream.onDelivered();
    return from;
  });
  return stream;
}

function messages(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, number) => {
      const payload = Buffer.alloc(MESSAGE_BYTES, 0x82);
      payload.writeUInt32BE(number);
      return rawFrame({ opcode: BINARY, payload });
    }),
  );
}

test('what JavaScript does later finds a stream between two reads, not in the midst of one', { skip }, async (t) => {
  const stream = await openStream(t);
  const addon = nativeAddon();
  const count = 3000;
  stream.onDelivered = () => {
    // As when a write has failed: everything that is there is read before the end.
    process.nextTick(() => {
      while (addon.readTunnel(stream.descriptor) > 0);
    });
    void Promise.resolve().then(() => addon.readTunnel(stream.descriptor));
  };
  stream.peer.write(messages(count));
  for (let turns = 0; turns < 5; turns++) await turn();
  addon.await(stream.descriptor, 1);
  await until(() => stream.numbers.length >= count);
  assert.deepEqual(
    stream.numbers,
    Array.from({ length: count }, (_, number) => number),
  );
});

test('any amount of records may have come before the tunnel', { skip }, async (t) => {
  const addon = addonWithRecords();
  const { TLS_AES_128_GCM_SHA256: AES_128 } = SUITES;
  const suite = AES_128 as Suite;
  const [theirs, ours] = [randomBytes(32), randomBytes(32)];
  const start = (secret: Buffer, isSealing: boolean): TlsRecords => {
    const { key, iv } = trafficKey(suite, secret);
    return addon.startTlsRecords(suite.index, key, iv, 0, isSealing);
  };
  for (const count of [0, 1, 60, 150, 900]) {
    const stream = await openStream(t);
    const plain = messages(count + 1);
    const prefetched = plain.subarray(0, count * (MESSAGE_BYTES + 4));
    const far = new RecordSealer(suite, theirs);
    const sealed = far.data(prefetched);
    const last = far.data(plain.subarray(prefetched.length));
    // Its last record has not come whole.
    const cut = Math.max(0, sealed.length - 100);
    addon.sealTunnel(stream.descriptor, start(theirs, false), start(ours, true), 1000, sealed.subarray(0, cut), () =>
      assert.fail('a record that is no data'),
    );
    stream.peer.write(Buffer.concat([sealed.subarray(cut), last]));
    addon.readTunnel(stream.descriptor);
    addon.await(stream.descriptor, 1);
    await until(() => stream.numbers.length >= count + 1);
    assert.equal(stream.numbers.at(-1), count);
    stream.peer.end();
    await once(stream.peer, 'finish');
  }
});

const KEY_UPDATE = Buffer.from([24, 0, 0, 1, 0]);
const KEY_UPDATE_REQUEST = Buffer.from([24, 0, 0, 1, 1]);

/** The record layer with JavaScript's part over such a stream, and the keys of its far end. */
async function openSealed(t: TestContext) {
  const addon = addonWithRecords();
  const { TLS_AES_128_GCM_SHA256: AES_128 } = SUITES;
  const suite = AES_128 as Suite;
  const [theirs, ours] = [randomBytes(32), randomBytes(32)];
  const keys = (secret: Buffer, isSealing: boolean): RecordKeys => new RecordKeys(addon, suite, secret, 0, isSealing);
  const stream = await openStream(t);
  const { descriptor } = stream;
  const [opening, sealing] = [keys(theirs, false), keys(ours, true)];
  const layer = new RecordStream({ addon, descriptor, isClient: true, opening, sealing, prefetched: Buffer.alloc(0) });
  stream.beforeClose = () => layer.close();
  const over: number[] = [];
  layer.open((status) => {
    over.push(status);
    addon.await(descriptor, 0); // as the transport does
  });
  const far = new RecordSealer(suite, theirs);
  const seal = (type: number, content: Buffer): Buffer => far.record(type, content);
  const reader = new RecordOpener(suite, ours);
  stream.peer.on('data', (octets: Buffer) => reader.take(octets));
  /** What we have said in records: type and content of each, but for data. */
  const said = (): [number, Buffer][] =>
    reader.records.filter(({ type }) => type !== DATA).map(({ type, content }) => [type, content]);
  return { ...stream, stream, addon, far, seal, over, said };
}

for (const piece of [1, 7, 1000, 100_000]) {
  test(`the far end changes its keys, asks for ours, and ends, in pieces of ${piece}`, { skip }, async (t) => {
    const { descriptor, peer, numbers, addon, far, seal, over, said } = await openSealed(t);
    const octets = messages(9);
    const third = octets.length / 3 + 5; // in the midst of a message
    const records: Buffer[] = [];
    for (const [at, update] of [KEY_UPDATE_REQUEST, KEY_UPDATE, undefined].entries()) {
      records.push(seal(DATA, octets.subarray(at * third, (at + 1) * third)));
      if (update === undefined) continue;
      records.push(seal(HANDSHAKE, update));
      far.update();
    }
    records.push(seal(ALERT, Buffer.from([1, 0])), Buffer.from('what is behind the end is nothing'));
    addon.await(descriptor, 1);
    peer.setNoDelay(true);
    const sent = Buffer.concat(records);
    for (let at = 0; at < sent.length; at += piece) {
      peer.write(sent.subarray(at, at + piece));
      if (piece > 1 || at % 16 === 0) await turn();
    }
    await until(() => over.length > 0);
    assert.deepEqual(over.slice(0, 1), [0]);
    assert.deepEqual(numbers, [...Array(9).keys()]);
    for (let turns = 0; turns < 20; turns++) await turn();
    assert.deepEqual(said(), [[HANDSHAKE, KEY_UPDATE]], 'one update of ours, for one request');
  });
}

for (const [what, alert, make] of [
  ['garbage', 10, () => [Buffer.from('garbage')]],
  ['a record of another key', 20, () => [Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), randomBytes(40)])]],
  [
    'data within a message of the handshake',
    10,
    (seal: (type: number, content: Buffer) => Buffer) => [
      seal(HANDSHAKE, KEY_UPDATE.subarray(0, 3)),
      seal(DATA, messages(1)),
    ],
  ],
] as const) {
  test(`${what} is answered with alert ${alert}, and nothing behind it is read`, { skip }, async (t) => {
    const { descriptor, peer, numbers, addon, seal, over, said } = await openSealed(t);
    const good = seal(DATA, messages(2));
    addon.await(descriptor, 1);
    peer.write(Buffer.concat([good, ...make(seal), seal(DATA, messages(2))]));
    await until(() => over.length > 0);
    for (let turns = 0; turns < 20; turns++) await turn();
    assert.ok((over[0] ?? 0) < 0);
    assert.deepEqual(numbers, [0, 1]);
    assert.deepEqual(said(), [[ALERT, Buffer.from([2, alert])]]);
  });
}
