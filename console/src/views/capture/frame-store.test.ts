import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  sectionHeader,
} from '../../../../src/capture/pcapng-writer.ts';
import { FrameStore } from './frame-store.ts';

const HEAD = [
  sectionHeader('etherws'),
  interfaceDescription({ name: 'uplink', description: '', snapLength: 0, filter: '' }),
];
const STATISTICS = interfaceStatistics({
  interfaceId: 0,
  startUs: 0,
  endUs: 9,
  received: 1,
  accepted: 1,
  delivered: 1,
  dropped: 0,
});

function frame(index: number, lost = 0, octets = 60): Buffer {
  const bytes = Buffer.alloc(octets, index);
  return enhancedPacket({ interfaceId: 0, timeUs: index, direction: 'rx', bytes, length: octets, comments: [], lost });
}

/** Hands a file on in pieces of 50 octets. */
function fill(store: FrameStore, file: Uint8Array): void {
  for (let at = 0; at < file.length; at += 50) store.add(file.subarray(at, at + 50));
}

test('the file has exactly the octets that were received, in their order', () => {
  // The statistics of a port that was removed stand between frames.
  const file = Buffer.concat([...HEAD, frame(1), frame(2), STATISTICS, frame(3), STATISTICS]);
  const store = new FrameStore();
  fill(store, file);
  assert.equal(Buffer.compare(Buffer.concat(store.file()), file), 0);
  assert.deepEqual(
    store.frames.map(({ number, packet }) => [number, packet.timeUs, packet.interfaceName]),
    [
      [1, 1, 'uplink'],
      [2, 2, 'uplink'],
      [3, 3, 'uplink'],
    ],
  );
});

test('only the last frames are kept, by number and by octets, with the head of the file', () => {
  const frames = Array.from({ length: 20 }, (_, index) => frame(index + 1));
  const store = new FrameStore(5);
  fill(store, Buffer.concat([...HEAD, ...frames.slice(0, 10), STATISTICS, ...frames.slice(10), STATISTICS]));
  assert.deepEqual([store.received, store.dropped, store.frames.length, store.frames[0]?.number], [20, 15, 5, 16]);
  const expected = Buffer.concat([...HEAD, STATISTICS, ...frames.slice(15), STATISTICS]);
  assert.equal(Buffer.compare(Buffer.concat(store.file()), expected), 0);

  const small = new FrameStore(1000, 3000);
  fill(small, Buffer.concat([...HEAD, ...Array.from({ length: 8 }, (_, index) => frame(index + 1, 0, 900))]));
  assert.deepEqual([small.frames.length, small.octets <= 3000, small.frames.at(-1)?.number], [3, true, 8]);
});

test('lost frames are counted, and a frame is dissected once', () => {
  const store = new FrameStore();
  fill(store, Buffer.concat([...HEAD, frame(1, 3), frame(2), frame(3, 4)]));
  assert.equal(store.lost, 7);
  const [first] = store.frames;
  assert.equal(first?.dissected.layers[0]?.protocol, 'Ethernet');
  assert.equal(first?.dissected, first?.dissected);
});

test('what is no pcapng is refused', () => {
  assert.throws(() => new FrameStore().add(Buffer.alloc(40, 0x41)), RangeError);
});
