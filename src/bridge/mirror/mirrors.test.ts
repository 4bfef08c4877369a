import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../../test/support/frames.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { batchOf, type FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { portableEngine } from '../../wire/offload/engine.ts';
import { OFFLOAD_CHECKSUM, OFFLOAD_TSO4, type Offloads } from '../../wire/offload/virtio-header.ts';
import { Bridge } from '../bridge.ts';
import type { BridgePort } from '../bridge-port.ts';
import { type MirrorDirection, Mirrors } from './mirrors.ts';

const BROADCAST = 0xffff_ffff_ffff;

/** A frame between stations, whose addresses are made of a number. @param vid 0: untagged */
function frame(to: number, from: number, vid = 0): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUIntBE(to === BROADCAST ? to : 0x02_0000_0000_00 + to, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + from, 6, 6);
  if (vid === 0) bytes.writeUInt16BE(0x88b5, 12);
  else bytes.writeUInt32BE(0x8100_0000 + vid, 12);
  // What looks like an offload header in front of the next frame of a batch.
  bytes.fill(0xff, 50);
  return bytes;
}

class SuperPort extends MemoryPort {
  override readonly offloads: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_TSO4;
}

/** A bridge with ports in memory, and what each has sent: the last octets of source addresses, or lengths. */
class Bench {
  readonly bridge = new Bridge();
  readonly ports: readonly MemoryPort[];
  readonly attached: BridgePort[];
  readonly sent: Buffer[][];

  constructor(ports: readonly MemoryPort[] = Array.from({ length: 4 }, () => new MemoryPort())) {
    this.ports = ports;
    this.sent = ports.map(() => []);
    this.attached = ports.map((port, index) => {
      const bridgePort = this.bridge.attach(port);
      port.onFrames((frames) => this.sent[index]?.push(...frames));
      port.open({
        receive: (batch) => this.bridge.receive(bridgePort, batch, 0),
        linkChanged: (state) => this.bridge.setLink(bridgePort, state),
        discarded: () => undefined,
      });
      return bridgePort;
    });
  }

  at(index: number): BridgePort {
    return this.attached[index] as BridgePort;
  }

  mirror(index: number, to: number, direction: MirrorDirection = 'both', vids?: readonly number[]): void {
    const spec = { to: this.at(to), direction, vids: vids === undefined ? undefined : new Set(vids) };
    this.bridge.setMirrors(this.at(index), [spec]);
  }

  /** Lets frames come to a port. @returns the sources of the frames that each port has sent then */
  hear(index: number, ...frames: readonly Buffer[]): number[][] {
    return this.hearBatch(index, batchOf(...frames)).map((sent) => sent.map((bytes) => bytes[11] as number));
  }

  hearBatch(index: number, batch: FrameBatch): Buffer[][] {
    this.ports[index]?.deliverBatch(batch);
    return this.sent.map((sent) => sent.splice(0));
  }
}

const NOTHING: number[] = [];

test('a mirror copies what a port receives, what it sends, or both', () => {
  for (const [direction, rx, tx] of [
    ['rx', true, false],
    ['tx', false, true],
    ['both', true, true],
  ] as const) {
    const bench = new Bench();
    bench.mirror(0, 3, direction);
    assert.deepEqual(bench.hear(0, frame(BROADCAST, 1)), [NOTHING, [1], [1], rx ? [1] : NOTHING], direction);
    assert.deepEqual(bench.hear(1, frame(1, 2)), [[2], NOTHING, NOTHING, tx ? [2] : NOTHING], direction);
    assert.deepEqual(bench.hear(1, frame(9, 2)), [[2], NOTHING, [2], tx ? [2] : NOTHING], 'flooded');
    assert.deepEqual(bench.hear(2, frame(2, 4)), [NOTHING, [4], NOTHING, NOTHING], 'of other ports');
  }
});

test('the copies are octet for octet what came, in order, also of frames that are discarded', () => {
  const bench = new Bench();
  bench.mirror(0, 3, 'rx');
  const group = frame(BROADCAST, 1);
  group[6] = 3;
  const frames = [frame(BROADCAST, 1), frame(1, 2, 7), group, frame(5, 1)];
  const [, , , copies] = bench.hearBatch(0, batchOf(...frames));
  assert.deepEqual(copies, frames);
  assert.equal(bench.at(0).rx.discards.badSource, 1);
});

test('a port that is shut or stands by mirrors nothing that it sends, and a runt is not copied', () => {
  const bench = new Bench();
  bench.mirror(0, 3);
  bench.bridge.setShut(bench.at(0), true);
  assert.deepEqual(bench.hear(1, frame(BROADCAST, 2)), [NOTHING, NOTHING, [2], NOTHING]);
  bench.bridge.setShut(bench.at(0), false);
  assert.deepEqual(bench.hear(0, frame(BROADCAST, 1).subarray(0, 13)), [NOTHING, NOTHING, NOTHING, NOTHING]);
});

test('of a frame between two mirrored ports there is one copy, as it was received', () => {
  const bench = new Bench();
  for (const index of [0, 1]) bench.mirror(index, 3);
  assert.deepEqual(bench.hear(0, frame(BROADCAST, 1)), [NOTHING, [1], [1], [1]]);
  assert.deepEqual(bench.hear(1, frame(1, 2)), [[2], NOTHING, NOTHING, [2]]);
  bench.mirror(0, 3, 'tx');
  assert.deepEqual(bench.hear(0, frame(BROADCAST, 1)), [NOTHING, [1], [1], [1]], 'as it was sent');
  bench.mirror(1, 3, 'rx');
  assert.deepEqual(bench.hear(0, frame(BROADCAST, 1)), [NOTHING, [1], [1], NOTHING]);
  bench.mirror(1, 2, 'tx');
  bench.mirror(0, 3, 'rx');
  assert.deepEqual(bench.hear(0, frame(2, 1)), [NOTHING, [1], [1], [1]], 'two outputs have a copy each');
});

test('of a flooded frame that several mirrored ports send there is one copy in each place', () => {
  const bench = new Bench(Array.from({ length: 6 }, () => new MemoryPort()));
  for (const index of [1, 2]) bench.mirror(index, 4, 'tx');
  bench.mirror(3, 5, 'tx');
  const frames = [frame(BROADCAST, 1), frame(BROADCAST, 2)];
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(bench.hear(0, ...frames), [NOTHING, [1, 2], [1, 2], [1, 2], [1, 2], [1, 2]]);
  }
});

test('of a flooded super-frame there is one copy, in as many frames as the first mirrored port sends', () => {
  const { frame: bytes, header } = superFrameOf({ payload: Buffer.alloc(2500, 0x5a) }, 1000);
  const bench = new Bench([new SuperPort(), new MemoryPort(), new SuperPort(), new SuperPort()]);
  for (const index of [1, 2]) bench.mirror(index, 3, 'tx');
  const [, , whole, copies] = bench.hearBatch(0, batchWithHeaders([{ frame: bytes, header }]));
  assert.deepEqual(whole, [bytes]);
  assert.deepEqual(
    copies?.map(({ length }) => length),
    [1054, 1054, 554],
  );
});

test('two mirrors of a port make one copy for the same output', () => {
  const bench = new Bench();
  const to = bench.at(3);
  bench.bridge.setMirrors(bench.at(0), [
    { to, direction: 'rx', vids: new Set([7]) },
    { to, direction: 'both' },
    { to: bench.at(2), direction: 'both', vids: new Set([8]) },
  ]);
  const frames = [frame(BROADCAST, 1, 7), frame(BROADCAST, 2, 8), frame(BROADCAST, 3)];
  assert.deepEqual(bench.hear(0, ...frames), [NOTHING, [1, 2, 3], [2], [1, 2, 3]]);
});

test('two mirrors of what a port sends make one copy for the same output', () => {
  const bench = new Bench();
  const to = bench.at(3);
  bench.bridge.setMirrors(bench.at(0), [
    { to, direction: 'tx', vids: new Set([7]) },
    { to, direction: 'both' },
  ]);
  assert.deepEqual(bench.hear(1, frame(BROADCAST, 1, 7), frame(BROADCAST, 2, 8))[3], [1, 2]);
});

test('frames that go to different mirrored ports have a copy each, in one batch and in several', () => {
  const bench = new Bench();
  bench.hear(1, frame(BROADCAST, 1));
  bench.hear(2, frame(BROADCAST, 2));
  for (const index of [1, 2]) bench.mirror(index, 3, 'tx');
  assert.deepEqual(bench.hear(0, frame(1, 5), frame(2, 5)), [NOTHING, [5], [5], [5, 5]]);
  assert.deepEqual(bench.hear(0, frame(1, 6)), [NOTHING, [6], NOTHING, [6]]);
  assert.deepEqual(bench.hear(0, frame(2, 7)), [NOTHING, NOTHING, [7], [7]]);
});

test('frames of the bridge itself are copied for each mirrored port, and end no pass', () => {
  const bench = new Bench();
  const ownFrames = [1, 2].map((index) => frame(9, 0xf0 + index));
  bench.bridge.addProtocol({
    addresses: 1,
    received: () => {
      for (const [at, own] of ownFrames.entries()) bench.bridge.transmit(bench.at(at + 1), own);
      return true;
    },
  });
  for (const index of [1, 2]) bench.mirror(index, 3, 'tx');
  const toBridge = frame(BROADCAST, 4);
  toBridge.writeUIntBE(0x0180_c200_0000, 0, 6);
  const [, one, two, copies] = bench.hear(0, toBridge, frame(BROADCAST, 5), frame(BROADCAST, 6));
  assert.deepEqual(
    [one, two, copies],
    [
      [0xf1, 5, 6],
      [0xf2, 5, 6],
      [0xf1, 0xf2, 5, 6],
    ],
  );
});

test('frames of the shortest and of the longest length are copied', () => {
  const bench = new Bench();
  bench.mirror(0, 3, 'rx');
  const lengths = [HEADER_BYTES, MAX_SUPER_FRAME_BYTES];
  const frames = lengths.map((length) =>
    Buffer.concat([frame(BROADCAST, 1), Buffer.alloc(length)]).subarray(0, length),
  );
  const [, , , copies] = bench.hearBatch(0, batchOf(...frames));
  assert.deepEqual(
    copies?.map(({ length }) => length),
    lengths,
  );
});

test('mirrors say whether there was a change, and whose mirrors an output takes along', () => {
  const { attached } = new Bench();
  const [one, two, three, four] = attached as [BridgePort, BridgePort, BridgePort, BridgePort];
  const mirrors = new Mirrors(portableEngine);
  const spec = { to: three, direction: 'both' } as const;
  const other = { to: four, direction: 'rx' } as const;
  assert.equal(mirrors.set(one, []), false);
  assert.equal(mirrors.set(one, [{ ...spec, to: one }]), false);
  assert.deepEqual([mirrors.set(one, [spec, other]), mirrors.set(two, [other])], [true, true]);
  assert.deepEqual(
    mirrors.without(three).map(({ source, specs }) => [source.number, specs.map(({ to }) => to.number)]),
    [[1, [4]]],
  );
  assert.deepEqual([mirrors.set(one, []), mirrors.set(one, [])], [true, false]);
  assert.deepEqual(mirrors.without(three), []);
});

test('a mirror may copy some VLANs only, 0 being frames without a tag', () => {
  const bench = new Bench();
  bench.mirror(0, 3, 'both', [0, 20]);
  const frames = [frame(BROADCAST, 1), frame(BROADCAST, 2, 10), frame(BROADCAST, 3, 20)];
  assert.deepEqual(bench.hear(0, ...frames)[3], [1, 3]);
  assert.deepEqual(bench.hear(1, frame(BROADCAST, 4, 10), frame(BROADCAST, 5, 20))[3], [5]);
});

test('the port of the copies sends nothing else, what it receives is discarded, and its stations are forgotten', () => {
  const bench = new Bench();
  bench.hear(3, frame(BROADCAST, 9));
  bench.mirror(0, 3, 'rx');
  assert.deepEqual(bench.hear(1, frame(9, 2)), [[2], NOTHING, [2], NOTHING], 'flooded, but not there');
  assert.deepEqual(bench.hear(3, frame(BROADCAST, 9)), [NOTHING, NOTHING, NOTHING, NOTHING]);
  assert.equal(bench.at(3).rx.discards.mirrorOutput, 1);
  bench.bridge.setMirrors(bench.at(0), []);
  assert.deepEqual(bench.hear(3, frame(BROADCAST, 9)), [[9], [9], [9], NOTHING], 'it is a port as others again');
  assert.deepEqual(bench.hear(0, frame(9, 1)), [NOTHING, NOTHING, NOTHING, [1]]);
});

test('copies are not copied again: no loop of mirrors', () => {
  const bench = new Bench();
  bench.mirror(0, 2);
  bench.mirror(2, 3);
  bench.mirror(3, 2);
  bench.mirror(1, 1);
  assert.deepEqual(bench.hear(0, frame(BROADCAST, 1)), [NOTHING, [1], [1], NOTHING]);
  assert.deepEqual(bench.hear(1, frame(BROADCAST, 2)), [[2], NOTHING, [2], NOTHING]);
});

test('an output that is down, full or too narrow loses copies, and nothing else', () => {
  const narrow = new MemoryPort({ maxFrameBytes: 50 });
  const bench = new Bench([new MemoryPort(), new MemoryPort(), narrow, new MemoryPort({ queueFrames: 1 })]);
  bench.mirror(0, 3);
  bench.mirror(1, 2);
  bench.ports[3]?.stall(true);
  const frames = [frame(2, 1), frame(2, 1), frame(2, 1)];
  assert.deepEqual(bench.hear(0, ...frames)[1], [1, 1, 1]);
  assert.equal(bench.at(3).tx.discards.queueFull, 2);
  assert.equal(bench.at(2).tx.discards.tooLong, 3);
  assert.deepEqual([bench.at(3).tx.frames, bench.at(0).rx.frames, bench.at(1).tx.frames], [1, 3, 3]);
  bench.ports[3]?.setLink('down');
  bench.bridge.setShut(bench.at(2), true);
  assert.deepEqual(bench.hear(0, ...frames)[1], [1, 1, 1]);
  assert.deepEqual([bench.at(3).tx.discards.linkDown, bench.at(2).tx.discards.shut], [3, 3]);
  assert.deepEqual(bench.at(0).rx.discards.filtered, 0);
});

test('a congested mirrored port still holds back the port that sends to it alone', () => {
  class Slow extends MemoryPort {
    readonly congestion = { onceRelieved: () => undefined };
  }
  const slow = new Slow();
  const bench = new Bench([new MemoryPort(), slow, new MemoryPort()]);
  bench.mirror(1, 2);
  bench.hear(1, frame(BROADCAST, 2));
  const given = [0, 200].map((nowMs) => bench.bridge.receive(bench.at(0), batchOf(frame(2, 1)), nowMs));
  assert.equal(given[1], slow.congestion);
});

test('a super-frame is finished for an output that does not take it, and handed on to one that does', () => {
  const content = { payload: Buffer.alloc(2500, 0x5a) };
  const { frame: bytes, header } = superFrameOf(content, 1000);
  const [plain, able] = [new MemoryPort(), new SuperPort()];
  for (const direction of ['rx', 'tx'] as const) {
    const bench = new Bench([new SuperPort(), new SuperPort(), plain, able]);
    bench.mirror(direction === 'rx' ? 0 : 1, 2, direction);
    const [, sent, copies] = bench.hearBatch(0, batchWithHeaders([{ frame: bytes, header }]));
    assert.deepEqual(
      copies?.map(({ length }) => length),
      [1054, 1054, 554],
      direction,
    );
    assert.equal(sent?.length, 1);
    assert.equal(bench.at(2).tx.frames, 3);
    bench.mirror(direction === 'rx' ? 0 : 1, 3, direction);
    const [, , , whole] = bench.hearBatch(0, batchWithHeaders([{ frame: bytes, header }]));
    assert.deepEqual(whole, [bytes]);
    assert.equal(bench.at(3).tx.frames, 6, 'three of the flood before, and three copies');
  }
});

test('more super-frames than the slab of an output holds are all copied', () => {
  const content = { payload: Buffer.alloc(60_000, 0x5a) };
  const { frame: bytes, header } = superFrameOf(content, 1000);
  const bench = new Bench([new SuperPort(), new SuperPort(), new MemoryPort()]);
  bench.mirror(0, 2, 'rx');
  const [, , copies] = bench.hearBatch(
    0,
    batchWithHeaders(Array.from({ length: 20 }, () => ({ frame: bytes, header }))),
  );
  assert.equal(copies?.length, 20 * 60);
  assert.ok(copies?.every((copy) => copy.length === 1054));
});

test('a super-frame whose offload header is wrong is not copied', () => {
  const { frame: bytes, header } = superFrameOf({ payload: Buffer.alloc(2500) }, 1000);
  const wrong = { ...header, checksumStart: 5000 };
  const bench = new Bench([new SuperPort(), new SuperPort(), new MemoryPort()]);
  bench.mirror(0, 2, 'rx');
  assert.deepEqual(bench.hearBatch(0, batchWithHeaders([{ frame: bytes, header: wrong }])), [[], [], []]);
  assert.equal(bench.at(0).rx.discards.badOffload, 1);
});

test('a capture and a mirror of one port see the same frames', () => {
  const bench = new Bench();
  const seen: string[] = [];
  bench.bridge.addTap(bench.at(0), {
    received: ({ count }) => void seen.push(`rx ${count}`),
    sent: (batch, index) => void seen.push(`tx ${batch.frame(index)[11]}`),
    discarded: () => undefined,
  });
  bench.bridge.addTap(bench.at(3), {
    received: () => undefined,
    sent: (batch, index) => void seen.push(`copy ${batch.frame(index)[11]}`),
    discarded: () => undefined,
  });
  bench.mirror(0, 3);
  bench.hear(0, frame(BROADCAST, 1));
  bench.hear(1, frame(1, 2));
  assert.deepEqual(seen, ['rx 1', 'copy 1', 'tx 2', 'copy 2']);
});

test('removing a mirrored port or an output ends the mirror, other mirrors stay', () => {
  const bench = new Bench();
  bench.bridge.setMirrors(bench.at(0), [
    { to: bench.at(2), direction: 'both' },
    { to: bench.at(3), direction: 'both' },
  ]);
  bench.bridge.detach(bench.at(2));
  assert.deepEqual(bench.hear(0, frame(BROADCAST, 1)), [NOTHING, [1], NOTHING, [1]]);
  bench.bridge.detach(bench.at(0));
  assert.deepEqual(bench.hear(1, frame(BROADCAST, 2)), [NOTHING, NOTHING, NOTHING, [2]], 'an ordinary port again');
});

test('a port that overwrites its octets when it is flushed spoils no copy', () => {
  class Eraser extends MemoryPort {
    #batch: FrameBatch | undefined;

    override send(batch: FrameBatch, index: number): undefined {
      this.#batch = batch;
      super.send(batch, index);
      return undefined;
    }

    override flush(isSoleEgress: boolean): void {
      super.flush(isSoleEgress);
      if (isSoleEgress) this.#batch?.bytes.fill(0);
    }
  }
  class Late extends MemoryPort {
    readonly views: Buffer[] = [];
    readonly late: number[] = [];

    override send(batch: FrameBatch, index: number): undefined {
      this.views.push(batch.frame(index));
      return undefined;
    }

    override flush(): void {
      this.late.push(...this.views.splice(0).map((view) => view[11] as number));
    }
  }
  for (const direction of ['rx', 'tx'] as const) {
    const late = new Late();
    const bench = new Bench([new MemoryPort(), new Eraser(), late]);
    bench.mirror(direction === 'rx' ? 0 : 1, 2, direction);
    bench.hear(0, frame(BROADCAST, 1), frame(BROADCAST, 3));
    assert.deepEqual(late.late, [1, 3], direction);
    const output = new Bench([new MemoryPort(), new MemoryPort(), new Eraser()]);
    output.mirror(direction === 'rx' ? 0 : 1, 2, direction);
    assert.deepEqual(output.hear(0, frame(BROADCAST, 1), frame(BROADCAST, 3))[1], [1, 3], `output, ${direction}`);
  }
});
