import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encapsulatedSuperFrameOf } from '../../test/support/encapsulated-frames.ts';
import { batchWithHeaders, checksumsAreRight, frameOf, superFrameOf } from '../../test/support/frames.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { MAX_SUPER_FRAME_BYTES } from '../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import {
  neededOffloads,
  OFFLOAD_CHECKSUM,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_TSO4,
  OFFLOAD_USO,
  type Offloads,
} from '../wire/offload/virtio-header.ts';
import { Bridge } from './bridge.ts';
import type { DiscardReason } from './port.ts';

const FIELDS = { payload: Buffer.alloc(2500, 0x5a) };

/** A memory port that takes super-frames. */
class OffloadPort extends MemoryPort {
  override readonly offloads: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_TSO4;
}

/** A memory port that takes datagram super-frames, and records the offloads that sent frames need. */
class PackPort extends MemoryPort {
  override readonly offloads: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_USO;
  readonly needed: Offloads[] = [];

  override send(batch: FrameBatch, index: number): DiscardReason | undefined {
    assert.ok(batch.hasOffloadHeaders);
    this.needed.push(neededOffloads(batch.bytes, (batch.starts[index] as number) - OFFLOAD_HEADER_BYTES));
    return super.send(batch, index);
  }
}

/** A memory port that reads the frames when it is flushed, as a device does. */
class LatePort extends MemoryPort {
  #views: Buffer[] = [];
  readonly late: Buffer[] = [];

  override send(batch: FrameBatch, index: number): DiscardReason | undefined {
    this.#views.push(batch.frame(index));
    return undefined;
  }

  override flush(): void {
    this.late.push(...this.#views.splice(0).map((view) => Buffer.from(view)));
  }
}

function superFrameTo(destination: string): ReturnType<typeof superFrameOf> {
  const { frame, header } = superFrameOf(FIELDS, 1000);
  return { frame: Buffer.concat([Buffer.from(destination, 'hex'), frame.subarray(6)]), header };
}

function bench(engine: OffloadEngine, ...ports: MemoryPort[]) {
  const bridge = new Bridge({ offloadEngine: engine });
  const bridgePorts = ports.map((port) => {
    const bridgePort = bridge.attach(port);
    port.open({
      receive: (batch) => bridge.receive(bridgePort, batch, 0),
      linkChanged: () => undefined,
      discarded: () => undefined,
    });
    return bridgePort;
  });
  const seen = ports.map((port) => {
    const frames: Buffer[] = [];
    port.onFrames((arrived) => frames.push(...arrived));
    return frames;
  });
  return { bridgePorts, seen };
}

test('a super-frame goes whole to a port that takes it, and as segments to others, made once', () => {
  let finishes = 0;
  const counting: OffloadEngine = {
    check: (batch, index) => portableEngine.check(batch, index),
    finish: (batch, index, out) => {
      finishes++;
      return portableEngine.finish(batch, index, out);
    },
  };
  const ingress = new OffloadPort();
  const { bridgePorts, seen } = bench(counting, ingress, new OffloadPort(), new MemoryPort(), new MemoryPort());
  const superFrame = superFrameOf(FIELDS, 1000);
  ingress.deliverBatch(batchWithHeaders([superFrame]));
  assert.deepEqual(seen[1], [superFrame.frame]);
  assert.equal(seen[2]?.length, 3);
  assert.deepEqual(seen[3], seen[2]);
  assert.ok(seen[2]?.every(checksumsAreRight));
  assert.equal(finishes, 1);
  assert.deepEqual(
    bridgePorts.map(({ rx, tx }) => [rx.frames, tx.frames]),
    [
      [3, 0],
      [0, 3],
      [0, 3],
      [0, 3],
    ],
    'counters count the frames that a super-frame stands for',
  );
});

test('the segments of one batch stay until its end, however many super-frames it has', () => {
  const ingress = new OffloadPort();
  const egress = new LatePort();
  bench(portableEngine, ingress, egress);
  const payloads = Array.from({ length: 20 }, (_, n) => Buffer.alloc(60_000, n));
  ingress.deliverBatch(batchWithHeaders(payloads.map((payload) => superFrameOf({ payload }, 1448))));
  const whole = Buffer.concat(egress.late.map((segment) => segment.subarray(-1)));
  assert.equal(egress.late.length, 20 * Math.ceil(60_000 / 1448));
  assert.deepEqual([...new Set(whole)], [...payloads.keys()]);
});

test('segments of an encapsulation leave as datagram super-frames by a port that takes those, one by one by others', () => {
  const ingress = new OffloadPort();
  const packs = [new PackPort(), new PackPort()];
  const { bridgePorts, seen } = bench(portableEngine, ingress, ...packs, new MemoryPort());
  const superFrame = encapsulatedSuperFrameOf([{ kind: 'vxlan', checksum: true }], FIELDS, 1000);
  ingress.deliverBatch(batchWithHeaders([superFrame]));
  assert.equal(seen[3]?.length, 3);
  assert.ok(seen[3]?.every(checksumsAreRight));
  for (const at of [1, 2]) {
    assert.equal(seen[at]?.length, 1);
    assert.deepEqual(packs[at - 1]?.needed, [OFFLOAD_USO | OFFLOAD_CHECKSUM]);
  }
  assert.deepEqual(
    bridgePorts.map(({ rx, tx }) => rx.frames + tx.frames),
    [3, 3, 3, 3],
    'all ports count the frames that a super-frame stands for',
  );
});

test('slabs for segments are used again, batch after batch', () => {
  const ingress = new OffloadPort();
  const egress = new MemoryPort();
  const { bridgePorts } = bench(portableEngine, ingress, egress);
  const slabs = new Set<ArrayBufferLike>();
  egress.send = ({ bytes }) => void slabs.add(bytes.buffer);
  const batch = batchWithHeaders([superFrameOf({ payload: Buffer.alloc(60_000) }, 1448)]);
  for (let times = 0; times < 40; times++) ingress.deliverBatch(batch);
  assert.equal(bridgePorts[1]?.tx.frames, 40 * Math.ceil(60_000 / 1448));
  assert.equal(slabs.size, 1);
});

test('a super-frame for a station behind its own port is filtered as one frame', () => {
  const ingress = new OffloadPort();
  const { bridgePorts } = bench(portableEngine, ingress, new MemoryPort());
  const there = frameOf({ payload: Buffer.alloc(100) }).bytes;
  ingress.deliver(Buffer.concat([there.subarray(6, 12), there.subarray(0, 6), there.subarray(12)]));
  ingress.deliverBatch(batchWithHeaders([superFrameOf(FIELDS, 1000)]));
  assert.equal(bridgePorts[0]?.rx.discards.filtered, 1);
  ingress.deliver(Buffer.concat([Buffer.from('0180c2000000', 'hex'), there.subarray(6)]));
  ingress.deliverBatch(batchWithHeaders([superFrameTo('0180c2000000')]));
  assert.equal(bridgePorts[0]?.rx.discards.reserved, 4, 'any other discard counts each frame');
});

test('each batch has segments of its own', () => {
  const ingress = new OffloadPort();
  const { seen } = bench(portableEngine, ingress, new MemoryPort());
  for (const octet of [1, 2]) {
    ingress.deliverBatch(batchWithHeaders([superFrameOf({ payload: Buffer.alloc(2500, octet) }, 1000)]));
  }
  assert.deepEqual(
    seen[1]?.map((segment) => segment.at(-1)),
    [1, 1, 1, 2, 2, 2],
  );
});

test('what one frame needed is nothing to the next, in its batch or in the next one', () => {
  const ingress = new OffloadPort();
  const { bridgePorts, seen } = bench(portableEngine, ingress, new MemoryPort());
  const plain = frameOf({ payload: Buffer.alloc(100) }).bytes;
  ingress.deliverBatch(batchWithHeaders([superFrameOf(FIELDS, 1000), { frame: plain }]));
  assert.equal(bridgePorts[0]?.rx.frames, 4);
  ingress.deliverBatch(batchWithHeaders([superFrameOf(FIELDS, 1000)]));
  ingress.deliver(plain);
  assert.equal(bridgePorts[0]?.rx.frames, 8);
  // The octets before the frame that is too long look like an offload header, which must not be read.
  ingress.deliver(Buffer.concat([plain, Buffer.alloc(30, 1)]), Buffer.alloc(70_000), plain);
  assert.equal(bridgePorts[0]?.rx.frames, 10);
  assert.deepEqual(seen[1]?.at(-1), plain);
});

test('a super-frame that cannot be finished for an egress is a discard of that port', () => {
  const failing: OffloadEngine = { ...portableEngine, finish: () => 'badOffload' };
  const ingress = new OffloadPort();
  const { bridgePorts, seen } = bench(failing, ingress, new MemoryPort(), new OffloadPort());
  ingress.deliverBatch(batchWithHeaders([superFrameOf(FIELDS, 1000)]));
  assert.equal(seen[1]?.length, 0);
  assert.equal(seen[2]?.length, 1);
  assert.equal(bridgePorts[1]?.tx.discards.badOffload, 1);
});

test('a lying offload header is a discard', () => {
  const ingress = new OffloadPort();
  const { bridgePorts, seen } = bench(portableEngine, ingress, new OffloadPort(), new MemoryPort());
  const honest = superFrameOf(FIELDS, 1000);
  const lying = { frame: honest.frame, header: { ...honest.header, gsoSize: 0 } };
  ingress.deliverBatch(batchWithHeaders([lying, honest]));
  assert.equal(bridgePorts[0]?.rx.discards.badOffload, 1);
  assert.equal(seen[1]?.length, 1);
  assert.equal(seen[2]?.length, 3);
});

test('plain frames of a batch with headers are not copied', () => {
  const ingress = new OffloadPort();
  const { seen } = bench(
    { ...portableEngine, finish: () => assert.fail('nothing is owed') },
    ingress,
    new MemoryPort(),
  );
  const plain = frameOf({ payload: Buffer.alloc(100) });
  ingress.deliverBatch(batchWithHeaders([{ frame: plain.bytes }]));
  assert.deepEqual(seen[1], [plain.bytes]);
});

test('no port has work done for a plain frame behind one that needed offloads', () => {
  let finishes = 0;
  const counting: OffloadEngine = {
    check: (batch, index) => portableEngine.check(batch, index),
    finish: (...args) => {
      finishes++;
      return portableEngine.finish(...args);
    },
  };
  const ingress = new OffloadPort();
  bench(counting, ingress, new MemoryPort());
  const plain = frameOf({ payload: Buffer.alloc(100) }).bytes;
  ingress.deliverBatch(batchWithHeaders([superFrameOf(FIELDS, 1000)]));
  ingress.deliver(plain);
  // The octets before the frame that is too long look like an offload header, which must not be read.
  ingress.deliver(Buffer.concat([plain, Buffer.alloc(30, 1)]), Buffer.alloc(70_000), plain);
  assert.equal(finishes, 1);
});

test('a port that takes TCP super-frames gets those of an encapsulation as segments', () => {
  const ingress = new OffloadPort();
  const { seen } = bench(portableEngine, ingress, new OffloadPort());
  ingress.deliverBatch(batchWithHeaders([encapsulatedSuperFrameOf([{ kind: 'vxlan', checksum: true }], FIELDS, 1000)]));
  assert.equal(seen[1]?.length, 3);
  assert.ok(seen[1]?.every(checksumsAreRight));
});

test('a frame of the greatest length passes with an offload header, too', () => {
  const ingress = new OffloadPort();
  const { bridgePorts } = bench(portableEngine, ingress, new MemoryPort());
  const plain = frameOf({ payload: Buffer.alloc(100) }).bytes;
  const ofLength = (length: number) => ({ frame: Buffer.concat([plain, Buffer.alloc(length - plain.length)]) });
  ingress.deliverBatch(batchWithHeaders([ofLength(MAX_SUPER_FRAME_BYTES), ofLength(MAX_SUPER_FRAME_BYTES + 1)]));
  assert.deepEqual([bridgePorts[0]?.rx.discards.tooLong, bridgePorts[1]?.tx.frames], [1, 1]);
});
