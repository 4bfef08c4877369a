import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { rawFrame } from '../../test/support/message-stream.ts';
import { missingAddon } from '../../test/support/offload-addon.ts';
import { socketPair } from '../../test/support/socket-pair.ts';
import { type Descriptor, nativeAddon } from './native.ts';
import { descriptorOf } from './websocket/adopted-connection.ts';
import { frameList } from './websocket/frame-list.ts';
import { SUITES, type Suite, trafficKey } from './websocket/tls/key-schedule.ts';
import { hasRecords, type RecordAddon } from './websocket/tls/record-keys.ts';

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
    peer.destroy();
    await new Promise<void>((resolve) => {
      if (!addon.close(descriptor, resolve)) resolve();
    });
  });
  const { starts, lengths } = frameList(addon);
  const stream: Stream = { descriptor, peer, numbers: [], onDelivered: () => undefined };
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
  while (stream.numbers.length < count) await turn();
  assert.deepEqual(
    stream.numbers,
    Array.from({ length: count }, (_, number) => number),
  );
});

test('any amount of records may have come before the tunnel', { skip }, async (t) => {
  const addon = addonWithRecords();
  const { TLS_AES_128_GCM_SHA256: AES_128 } = SUITES;
  const suite = AES_128 as Suite;
  const { key, iv } = trafficKey(suite, randomBytes(32));
  for (const count of [0, 1, 60, 150, 900]) {
    const stream = await openStream(t);
    const plain = messages(count + 1);
    const early = plain.subarray(0, count * (MESSAGE_BYTES + 4));
    const sealing = addon.startTlsRecords(suite.index, key, iv, 0, true);
    const seal = (octets: Buffer): Buffer => {
      const target = Buffer.alloc(octets.length + 22 * Math.ceil(octets.length / 16_384));
      return target.subarray(0, addon.sealTlsRecords(sealing, 23, octets, 0, octets.length, target, 0));
    };
    const sealed = seal(early);
    const last = seal(plain.subarray(early.length));
    // Its last record has not come whole.
    const cut = Math.max(0, sealed.length - 100);
    const opening = addon.startTlsRecords(suite.index, key, iv, 0, false);
    addon.sealTunnel(stream.descriptor, opening, sealing, 1000, sealed.subarray(0, cut), () =>
      assert.fail('a record that is no data'),
    );
    stream.peer.write(Buffer.concat([sealed.subarray(cut), last]));
    addon.readTunnel(stream.descriptor);
    addon.await(stream.descriptor, 1);
    while (stream.numbers.length < count + 1) await turn();
    assert.equal(stream.numbers.at(-1), count);
    stream.peer.end();
    await once(stream.peer, 'finish');
  }
});
