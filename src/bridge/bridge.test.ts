import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchWithHeaders, superFrameOf } from '../../test/support/frames.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { MAX_SUPER_FRAME_BYTES } from '../wire/ethernet/ethernet-frame.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { describeFrame } from '../wire/ethernet/frame-summary.ts';
import { parseMacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { Bridge } from './bridge.ts';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgePort } from './bridge-port.ts';

/** A bridge with memory ports and a clock that the test turns. */
class Bench {
  nowMs = 0;
  readonly bridge: Bridge;
  readonly ports: BridgePort[] = [];
  readonly memory: MemoryPort[] = [];
  readonly seen: Buffer[][] = [];

  constructor(count: number, options: ConstructorParameters<typeof Bridge>[0] = {}) {
    this.bridge = new Bridge(options);
    for (let i = 0; i < count; i++) {
      const arrived: Buffer[] = [];
      const port = new MemoryPort({ onFrames: (frames) => arrived.push(...frames) });
      const bridgePort = this.bridge.attach(port);
      port.open({
        receive: (batch) => this.bridge.receive(bridgePort, batch, this.nowMs),
        linkChanged: (state, reason) => this.bridge.setLink(bridgePort, state, reason),
        discarded: (direction, reason, frames) => bridgePort[direction].discard(reason, frames),
      });
      this.ports.push(bridgePort);
      this.memory.push(port);
      this.seen.push(arrived);
    }
  }

  deliver(at: number, ...frames: Uint8Array[]): number[] {
    for (const arrived of this.seen) arrived.length = 0;
    (this.memory[at] as MemoryPort).deliver(...frames);
    return this.seen.map((arrived) => arrived.length);
  }

  bridgePort(at: number): BridgePort {
    return this.ports[at] as BridgePort;
  }
}

function frame(destination: number, source: number, vid = 0): Buffer {
  const addresses = Buffer.from([2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source]);
  const tag = vid === 0 ? Buffer.alloc(0) : Buffer.from([0x81, 0, vid >> 8, vid & 0xff]);
  return Buffer.concat([addresses, tag, Buffer.from([0x08, 0x00]), Buffer.alloc(46, source)]);
}

const BROADCAST = Buffer.concat([Buffer.alloc(6, 0xff), frame(0, 1).subarray(6)]);

test('unknown and group addresses are flooded, known ones go to one port', () => {
  const bench = new Bench(3);
  assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 1, 1]);
  assert.deepEqual(bench.deliver(1, frame(1, 2)), [1, 0, 0]);
  assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 1, 0]);
  assert.deepEqual(bench.deliver(0, BROADCAST), [0, 1, 1]);
});

test('what is flooded arrives byte for byte, tags included', () => {
  const bench = new Bench(2);
  const sent = frame(9, 1, 77);
  bench.deliver(0, sent);
  assert.deepEqual(bench.seen[1], [sent]);
});

test('learning is per VLAN', () => {
  const bench = new Bench(3);
  bench.deliver(0, frame(9, 1, 5));
  assert.deepEqual(bench.deliver(1, frame(1, 2, 5)), [1, 0, 0]);
  assert.deepEqual(bench.deliver(1, frame(1, 2, 6)), [1, 0, 1], 'another VLAN does not know the address');
  assert.deepEqual(bench.deliver(1, frame(1, 2)), [1, 0, 1]);
});

test('a frame for an address behind its own port is filtered', () => {
  const bench = new Bench(3);
  bench.deliver(0, frame(9, 1));
  assert.deepEqual(bench.deliver(0, frame(1, 2)), [0, 0, 0]);
  assert.equal(bench.bridgePort(0).rx.discards.filtered, 1);
});

test('each frame of a batch goes by its own VLAN, source and destination', () => {
  const bench = new Bench(3);
  bench.deliver(1, frame(9, 2, 5));
  assert.deepEqual(bench.deliver(0, frame(2, 1, 5), frame(2, 1)), [0, 2, 1], 'station 2 is known in VLAN 5 only');
  const toNobody = frame(0, 1, 5).fill(0, 0, 6);
  assert.deepEqual(bench.deliver(0, frame(2, 1, 5), toNobody), [0, 2, 1]);
  const fromLowest = Buffer.concat([Buffer.from('000000000000000000000001', 'hex'), frame(0, 0).subarray(12)]);
  bench.deliver(2, fromLowest);
  assert.equal(bench.bridge.fdbSize, 4, 'stations 1 and 2 in VLAN 5, 1 without one, and 00:00:00:00:00:01');
});

test('frames and octets are counted where they come in and where they leave', () => {
  const bench = new Bench(3);
  bench.deliver(0, frame(9, 1), frame(9, 1, 5), Buffer.alloc(13));
  bench.deliver(1, frame(1, 2));
  assert.deepEqual(
    bench.ports.map(({ rx, tx }) => [rx.frames, rx.octets, tx.frames, tx.octets]),
    [
      [2, 124, 1, 60],
      [1, 60, 2, 124],
      [0, 0, 2, 124],
    ],
  );
});

test('a group source is never learned', () => {
  const bench = new Bench(2);
  const odd = frame(9, 1);
  odd[6] = 3;
  bench.deliver(0, odd);
  assert.equal(bench.bridge.fdbSize, 0);
});

test('addresses age out', () => {
  const bench = new Bench(3, { ageingTimeMs: 1000 });
  bench.deliver(0, frame(9, 1));
  bench.nowMs = 999;
  assert.deepEqual(bench.deliver(1, frame(1, 2)), [1, 0, 0]);
  bench.nowMs = 1000;
  assert.deepEqual(bench.deliver(1, frame(1, 2)), [1, 0, 1]);
  bench.bridge.age(5000);
  assert.equal(bench.bridge.fdbSize, 0);
});

test('a shut port neither receives nor sends, and says why', () => {
  const bench = new Bench(3);
  bench.deliver(1, frame(9, 2));
  bench.bridge.setShut(bench.bridgePort(1), true);
  assert.deepEqual(bench.deliver(0, BROADCAST), [0, 0, 1]);
  assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 0, 0], 'a known address behind a shut port');
  assert.equal(bench.bridgePort(1).tx.discards.shut, 1);
  assert.deepEqual(bench.deliver(1, BROADCAST, BROADCAST), [0, 0, 0]);
  assert.equal(bench.bridgePort(1).rx.discards.shut, 2);
  bench.bridge.setShut(bench.bridgePort(1), false);
  assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 1, 0]);
});

test('a port whose link is down is passed over', () => {
  const bench = new Bench(3);
  bench.deliver(1, frame(9, 2));
  (bench.memory[1] as MemoryPort).setLink('down', 'unplugged');
  assert.deepEqual(bench.deliver(0, BROADCAST), [0, 0, 1]);
  assert.equal(bench.bridgePort(1).linkReason, 'unplugged');
  assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 0, 1], 'its stations are forgotten');
  (bench.memory[1] as MemoryPort).setLink('up');
  assert.deepEqual(bench.deliver(0, BROADCAST), [0, 1, 1]);
  bench.bridge.setLink(bench.bridgePort(1), 'up', 'plugged in');
  assert.equal(bench.bridgePort(1).linkReason, undefined, 'a link that is up needs no reason');
});

test('the stations behind a tunnel that is lost for a moment are kept', () => {
  for (const state of ['away', 'backoff', 'connecting'] as const) {
    const bench = new Bench(3);
    bench.bridge.entries.set(0 as Vid, parseMacAddress('02:00:00:00:00:05'), bench.bridgePort(1), 'static', 0);
    bench.deliver(1, frame(9, 2));
    bench.bridge.setLink(bench.bridgePort(1), state, 'lost');
    assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 0, 0], state);
    assert.equal(bench.bridgePort(1).tx.discards.linkDown, 1);
    bench.bridge.setLink(bench.bridgePort(1), 'up');
    assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 1, 0], state);
    bench.bridge.setLink(bench.bridgePort(1), 'down', 'given up');
    assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 0, 1]);
    assert.deepEqual(bench.deliver(0, frame(5, 1)), [0, 0, 0], 'a static address stays');
  }
});

test('a removed port is forgotten, its number never used again', () => {
  const bench = new Bench(3);
  bench.deliver(1, frame(9, 2));
  bench.bridge.detach(bench.bridgePort(1));
  assert.equal(bench.bridge.fdbSize, 0);
  assert.deepEqual(bench.deliver(0, frame(2, 1)), [0, 0, 1]);
  assert.equal(bench.bridge.attach(new MemoryPort()).number, 4);
});

test('runts and giants are counted, and the frames around them still go', () => {
  const bench = new Bench(2);
  assert.deepEqual(bench.deliver(0, Buffer.alloc(13), frame(9, 1), Buffer.alloc(0), Buffer.alloc(70_000)), [0, 1]);
  assert.equal(bench.bridgePort(0).rx.discards.runt, 2);
  assert.equal(bench.bridgePort(0).rx.discards.tooLong, 1);
  assert.equal(bench.bridgePort(0).rx.frames, 1);
  const [longest, longer] = [0, 1].map((more) => Buffer.concat([frame(9, 1)], MAX_SUPER_FRAME_BYTES + more));
  assert.deepEqual(bench.deliver(0, longest as Buffer, longer as Buffer), [0, 1]);
  assert.equal(bench.bridgePort(0).rx.discards.tooLong, 2);
});

test('a runt behind a super-frame is one frame', () => {
  const bench = new Bench(2);
  const runt = { frame: Buffer.alloc(13) };
  (bench.memory[0] as MemoryPort).deliverBatch(
    batchWithHeaders([superFrameOf({ payload: Buffer.alloc(900) }, 300), runt, runt]),
  );
  assert.equal(bench.bridgePort(0).rx.frames, 3);
  assert.equal(bench.bridgePort(0).rx.discards.runt, 2);
});

test('a batch that is delivered again is another one to the ports, which may share work by its serial number', () => {
  const bench = new Bench(2);
  const serials: number[] = [];
  (bench.memory[1] as MemoryPort).send = ({ serial }) => void serials.push(serial);
  const batch = batchOf(BROADCAST, BROADCAST);
  for (let times = 0; times < 2; times++) (bench.memory[0] as MemoryPort).deliverBatch(batch);
  assert.equal(serials.length, 4);
  assert.equal(new Set(serials).size, 2);
});

test('a port at its bound drops its own copy only', () => {
  const bench = new Bench(3);
  (bench.memory[1] as MemoryPort).stall(true);
  for (let i = 0; i < 1030; i++) bench.deliver(0, BROADCAST);
  assert.equal(bench.bridgePort(1).tx.discards.queueFull, 6);
  assert.equal(bench.bridgePort(1).tx.frames, 1024);
  assert.equal(bench.bridgePort(2).tx.frames, 1030);
});

test('each egress port is flushed once a batch, and told whether it is the only one', () => {
  const bench = new Bench(3);
  bench.deliver(1, frame(9, 2));
  const flushes: string[] = [];
  bench.memory.forEach((port, at) => {
    port.flush = (isSoleEgress) => void flushes.push(`${at}:${isSoleEgress}`);
  });
  bench.deliver(0, frame(2, 1), frame(2, 1));
  bench.deliver(0, frame(2, 1), frame(2, 1), BROADCAST);
  assert.deepEqual(flushes, ['1:true', '1:false', '2:false']);
});

test('ports that answer within the flush are served, too', () => {
  const bench = new Bench(3);
  (bench.memory[1] as MemoryPort).onFrames(() => (bench.memory[1] as MemoryPort).deliver(frame(1, 2)));
  bench.deliver(0, frame(9, 1));
  assert.equal(bench.seen[0]?.length, 1);
  assert.equal(bench.seen[2]?.length, 1);
});

const RESERVED = (digit: number): Buffer =>
  Buffer.concat([Buffer.from([0x01, 0x80, 0xc2, 0, 0, digit]), frame(0, 1).subarray(6)]);

test('reserved group addresses are not relayed, but their sources are learned', () => {
  const bench = new Bench(3);
  for (let digit = 0; digit < 16; digit++) {
    assert.deepEqual(bench.deliver(0, RESERVED(digit)), [0, 0, 0], `0${digit.toString(16)}`);
  }
  assert.equal(bench.bridgePort(0).rx.discards.reserved, 16);
  assert.equal(bench.bridgePort(0).rx.frames, 16, 'they came in');
  assert.equal(bench.bridge.fdbSize, 1);
  assert.deepEqual(bench.deliver(0, RESERVED(16)), [0, 1, 1], '01-80-C2-00-00-10 is no reserved address');
  const tagged = Buffer.concat([RESERVED(0).subarray(0, 12), Buffer.from([0x81, 0, 0, 5]), RESERVED(0).subarray(12)]);
  assert.deepEqual(bench.deliver(0, tagged), [0, 0, 0], 'in a VLAN neither');
});

test('each frame of a batch is relayed or not by its own destination', () => {
  const bench = new Bench(2);
  assert.deepEqual(
    bench.deliver(0, RESERVED(14), BROADCAST, RESERVED(14), RESERVED(14), frame(9, 1), RESERVED(0)),
    [0, 2],
  );
  assert.equal(bench.bridgePort(0).rx.discards.reserved, 4);
});

test('those reserved group addresses that are named are relayed', () => {
  const bench = new Bench(2, { forwardReserved: (1 << 0) | (1 << 14) });
  const relayed = Array.from({ length: 16 }, (_, digit) => bench.deliver(0, RESERVED(digit))[1]);
  assert.deepEqual(relayed, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  assert.equal(bench.bridgePort(0).rx.discards.reserved, 14);
});

test('frames with an impossible source or the reserved VID are discarded, and nothing is learned of them', () => {
  const bench = new Bench(2);
  const from = (hex: string, vid = 0): Buffer =>
    Buffer.concat([frame(9, 1).subarray(0, 6), Buffer.from(hex, 'hex'), frame(9, 1, vid).subarray(12)]);
  const sources = [from('000000000000'), from('ffffffffffff'), from('01005e000001'), from('030000000001', 5)];
  assert.deepEqual(bench.deliver(0, ...sources, ...sources), [0, 0]);
  assert.equal(bench.bridgePort(0).rx.discards.badSource, 8);
  const reserved = frame(9, 1, 4095);
  const withPriority = frame(9, 1, 0xffff);
  assert.deepEqual(bench.deliver(0, reserved, withPriority, from('000000000000', 4095)), [0, 0]);
  assert.equal(bench.bridgePort(0).rx.discards.badVid, 3);
  assert.equal(bench.bridgePort(0).rx.frames, 0);
  assert.equal(bench.bridge.fdbSize, 0);
  assert.deepEqual(bench.deliver(0, frame(9, 1), from('000000000000'), frame(9, 1), frame(9, 1, 4095)), [0, 2]);
});

test('only the outer C-TAG has a VID: a service tag and what stands in it is carried as it is', () => {
  const bench = new Bench(2);
  const tagged = (...tags: number[]): Buffer =>
    Buffer.concat([frame(9, 1).subarray(0, 12), Buffer.from(tags), frame(9, 1).subarray(12)]);
  const carried = [
    tagged(0x88, 0xa8, 0x0f, 0xff),
    tagged(0x88, 0xa8, 0, 5, 0x81, 0, 0x0f, 0xff),
    tagged(0x81, 0, 0, 5, 0x81, 0, 0x0f, 0xff),
    tagged(0x81, 0, 0xe0, 0),
    frame(9, 1, 4094),
    // It ends inside of its tag, which therefore is none.
    Buffer.concat([frame(9, 1).subarray(0, 12), Buffer.from([0x81, 0, 0x0f])]),
  ];
  assert.deepEqual(bench.deliver(0, ...carried), [0, carried.length]);
});

test('a port that begins to drop for a reason that points at a fault is told of once, with an example', () => {
  const told: string[] = [];
  const onFault: BridgeOptions['onFault'] = ({ number }, { direction, reason, example }) => {
    told.push(`${number} ${direction} ${reason}: ${example === undefined ? 'none' : describeFrame(example)}`);
  };
  const bench = new Bench(3, { onFault });
  const long = Buffer.concat([frame(9, 1, 5), Buffer.alloc(70_000)]);
  for (let round = 0; round < 3; round++) bench.deliver(0, frame(9, 1), long, Buffer.alloc(3));
  bench.deliver(1, long);
  const owing = superFrameOf({ payload: Buffer.alloc(900), source: 0 }, 300);
  const lying = batchWithHeaders([{ frame: owing.frame, header: { ...owing.header, gsoSize: 0 } }]);
  for (let round = 0; round < 2; round++) (bench.memory[2] as MemoryPort).deliverBatch(lying);
  (bench.memory[1] as MemoryPort).send = () => 'tooLong';
  for (let round = 0; round < 2; round++) bench.deliver(0, frame(9, 1));
  bench.bridge.setShut(bench.bridgePort(0), true);
  bench.deliver(0, frame(9, 1));
  const addresses = '02:00:00:00:00:01 > 02:00:00:00:00:09';
  const packet = 'IPv4 1.1.1.1 > 1.1.1.1 ICMP fragment';
  assert.equal(told.length, 4);
  assert.equal(told[0], `1 rx tooLong: ${addresses}, VLAN 5, ${packet}, 70064 octets`);
  assert.equal(told[1], `2 rx tooLong: ${addresses}, VLAN 5, ${packet}, 70064 octets`);
  assert.equal(told[3], `2 tx tooLong: ${addresses}, ${packet}, 60 octets`);
  assert.match(told[2] ?? '', /^3 rx badOffload: .* TCP, 954 octets, needs a checksum at 34\+16, segments of 0 octets/);
  const port = bench.bridgePort(0);
  port.discard('tx', 'deviceError', 7);
  port.discard('tx', 'queueFull', 7);
  port.discard('tx', 'deviceError', 7);
  assert.deepEqual(told.slice(4), ['1 tx deviceError: none']);
  assert.equal(port.tx.discards.deviceError, 14);
});

test('options out of range are refused', () => {
  assert.throws(() => new Bridge({ ageingTimeMs: 0 }), /RangeError: ageingTimeMs must be above 0, got 0/);
  const refused = /RangeError: fdbCapacity must be a whole number of at least 1, got (0|1\.5)/;
  for (const fdbCapacity of [0, 1.5]) assert.throws(() => new Bridge({ fdbCapacity }), refused);
  assert.equal(new Bridge({ ageingTimeMs: 1, fdbCapacity: 1 }).fdbSize, 0);
});

test('for any frames: never out of the ingress port, at most once out of any other, nothing lost uncounted', () => {
  const octets = fc.uint8Array({ maxLength: 80 });
  const shaped = fc
    .record({ destination: fc.nat(6), source: fc.nat(6), vid: fc.nat(2), cut: fc.nat(64) })
    .map(({ destination, source, vid, cut }) => frame(destination, source, vid).subarray(0, cut + 1));
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(3), frames: fc.array(fc.oneof(octets, shaped), { maxLength: 8 }) }), {
        maxLength: 12,
      }),
      (deliveries) => {
        const bench = new Bench(4, { fdbCapacity: 4 });
        for (const { at, frames } of deliveries) {
          const before = bench.ports.map((port) => port.tx.frames);
          const counts = bench.deliver(at, ...frames);
          assert.equal(counts[at], 0);
          counts.forEach((count, egress) => {
            assert.ok(count <= frames.length);
            assert.equal((bench.bridgePort(egress).tx.frames as number) - (before[egress] as number), count);
          });
          assert.ok(bench.bridge.fdbSize <= 4);
        }
        const delivered = deliveries.reduce((sum, { frames }) => sum + frames.length, 0);
        const counted = bench.ports.reduce(
          (sum, { rx }) => sum + rx.frames + rx.discards.runt + rx.discards.badSource + rx.discards.badVid,
          0,
        );
        assert.equal(counted, delivered);
      },
    ),
    { numRuns: 3000 },
  );
});

test('a batch that a foreign port hands in is ignored', () => {
  const bench = new Bench(2);
  const gone = bench.bridgePort(0);
  bench.bridge.detach(gone);
  bench.bridge.receive(gone, batchOf(BROADCAST), 0);
  assert.equal(bench.seen[1]?.length, 0);
});
