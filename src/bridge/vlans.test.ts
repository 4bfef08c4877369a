import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchWithHeaders, checksumsAreRight, superFrameOf } from '../../test/support/frames.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { MAX_SUPER_FRAME_BYTES } from '../wire/ethernet/ethernet-frame.ts';
import { batchOf, type FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { TPID_C_TAG, TPID_S_TAG, type Tpid } from '../wire/ethernet/tag.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import type { VlanMode } from '../wire/ethernet/vlan-mode.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import { OFFLOAD_CHECKSUM, OFFLOAD_TSO4, type Offloads } from '../wire/offload/virtio-header.ts';
import { Bridge } from './bridge.ts';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgePort } from './bridge-port.ts';
import type { DiscardReason } from './port.ts';
import { DEFAULT_SETTINGS } from './port-settings.ts';
import { PortVlans } from './port-vlans.ts';

/** A memory port that takes super-frames, and records them with their offload headers. */
class OffloadPort extends MemoryPort {
  override readonly offloads: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_TSO4;
  readonly headers: string[] = [];

  override send(batch: FrameBatch, index: number): DiscardReason | undefined {
    if (batch.hasOffloadHeaders) {
      assert.equal(portableEngine.check(batch, index), undefined, 'the offload header is true');
      this.headers.push(batch.offloadHeader(index).toString('hex'));
    }
    return super.send(batch, index);
  }
}

function vlans(mode: VlanMode, pvid: number, list = 'all', tpid: Tpid = TPID_C_TAG): PortVlans | undefined {
  return PortVlans.of({ mode, pvid: pvid as Vid, vlans: VidSet.parse(list) as VidSet, tpid });
}

/** A bridge whose ports have these VLANs. */
class Bench {
  readonly bridge: Bridge;
  readonly ports: BridgePort[];
  readonly #memory: MemoryPort[];
  readonly #seen: Buffer[][] = [];

  constructor(
    settings: readonly (PortVlans | undefined)[],
    memory = settings.map(() => new MemoryPort()),
    options: BridgeOptions = {},
  ) {
    this.bridge = new Bridge(options);
    this.#memory = memory;
    this.ports = memory.map((port, at) => {
      const bridgePort = this.bridge.attach(port);
      this.bridge.setSettings(bridgePort, { ...DEFAULT_SETTINGS, vlans: settings[at] });
      this.#seen.push([]);
      port.onFrames((frames) => this.#seen[at]?.push(...frames.map((frame) => Buffer.from(frame))));
      port.open({
        receive: (batch) => this.bridge.receive(bridgePort, batch, 0),
        linkChanged: () => undefined,
        discarded: () => undefined,
      });
      return bridgePort;
    });
  }

  port(at: number): BridgePort {
    return this.ports[at] as BridgePort;
  }

  /** Delivers frames to a port. @returns what each port sent */
  deliver(at: number, ...frames: Buffer[]): string[][] {
    for (const seen of this.#seen) seen.length = 0;
    this.#memory[at]?.deliver(...frames);
    return this.#seen.map((seen) => seen.map((frame) => frame.subarray(12).toString('hex')));
  }

  deliverBatch(at: number, batch: FrameBatch): Buffer[][] {
    for (const seen of this.#seen) seen.length = 0;
    this.#memory[at]?.deliverBatch(batch);
    return this.#seen;
  }
}

/** A frame from station `source` to station `destination`; `rest` begins with its tags. */
function frame(destination: number, source: number, rest: string): Buffer {
  return Buffer.concat([Buffer.from([2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source]), Buffer.from(rest, 'hex')]);
}

const DATA = '88b5010203';

test('an access port has one VLAN without tags, a trunk has VLANs with tags', () => {
  const bench = new Bench([vlans('access', 10), vlans('access', 10), vlans('access', 20), vlans('trunk', 1, '10,20')]);
  assert.deepEqual(bench.deliver(0, frame(9, 1, DATA)), [[], [DATA], [], [`8100000a${DATA}`]]);
  assert.deepEqual(bench.deliver(3, frame(9, 2, `81000014${DATA}`)), [[], [], [DATA], []]);
  assert.deepEqual(bench.deliver(3, frame(1, 2, `8100000a${DATA}`)), [[DATA], [], [], []]);
});

test('the first frame of a bridge gets the tag of its VLAN at a transparent port', () => {
  // Bridges with one engine share what they have at hand; this one has an engine of its own.
  const bench = new Bench([vlans('access', 10), undefined], undefined, { offloadEngine: { ...portableEngine } });
  assert.deepEqual(bench.deliver(0, frame(9, 1, DATA)), [[], [`8100000a${DATA}`]]);
});

test('a priority-tagged frame is in the VLAN of the PVID, and keeps its priority where it gets a VID', () => {
  const bench = new Bench([vlans('access', 10), vlans('native', 10), vlans('trunk', 1), undefined]);
  assert.deepEqual(bench.deliver(0, frame(9, 1, `8100a000${DATA}`)), [
    [],
    [DATA],
    [`8100a00a${DATA}`],
    [`8100a00a${DATA}`],
  ]);
});

test('each mode refuses the frame types that it does not take, and says so', () => {
  const bench = new Bench([vlans('access', 10), vlans('trunk', 10, '20'), vlans('native', 10, '20'), undefined]);
  for (const port of [0, 1, 2]) {
    for (const tags of ['', '81000000', '8100000a', '81000014', '8100001e', '81000fff']) {
      bench.deliver(port, frame(9, 1, tags + DATA));
    }
    bench.deliver(port, frame(9, 1, '8100000a88'));
  }
  const refused = bench.ports.map(({ rx }) =>
    Object.fromEntries(Object.entries(rx.discards).filter(([, frames]) => frames > 0)),
  );
  assert.deepEqual(refused, [
    { tagDenied: 3, badVid: 1, runt: 1 },
    { tagMissing: 2, vlanFiltered: 2, badVid: 1, runt: 1 },
    { vlanFiltered: 1, badVid: 1, runt: 1 },
    {},
  ]);
});

test('stations are learned per VLAN, and untagged frames of a transparent port are in none', () => {
  const bench = new Bench([vlans('access', 10), vlans('trunk', 1), undefined]);
  bench.deliver(0, frame(9, 1, DATA));
  assert.deepEqual(bench.deliver(1, frame(1, 2, `81000014${DATA}`)), [[], [], [`81000014${DATA}`]]);
  assert.deepEqual(bench.deliver(2, frame(1, 3, DATA)), [[], [], []]);
  assert.deepEqual(bench.deliver(2, frame(1, 3, `8100000a${DATA}`)), [[DATA], [], []]);
  const learned = [...bench.bridge.fdbEntries(0)].map(({ vid, mac, port }) => `${vid} ${mac & 0xff} ${port.number}`);
  assert.deepEqual(learned.sort(), ['0 3 3', '10 1 1', '10 3 3', '20 2 2']);
});

test('a port with an S-TAG carries frames with C-TAGs through a VLAN of the provider', () => {
  const customer = (): PortVlans | undefined => vlans('access', 100, 'all', TPID_S_TAG);
  const bench = new Bench([customer(), customer(), vlans('trunk', 1, '100', TPID_S_TAG)]);
  assert.deepEqual(bench.deliver(0, frame(9, 1, `8100e00a${DATA}`)), [
    [],
    [`8100e00a${DATA}`],
    [`88a800648100e00a${DATA}`],
  ]);
  assert.deepEqual(bench.deliver(2, frame(1, 2, `88a86064${DATA}`)), [[DATA], [], []]);
  assert.deepEqual(bench.deliver(2, frame(1, 2, `88a86064810000148100000a${DATA}`)), [
    [`810000148100000a${DATA}`],
    [],
    [],
  ]);
});

test('a port that leaves a VLAN forgets its stations, and gets no more frames of it', () => {
  const bench = new Bench([vlans('access', 10), vlans('trunk', 1)]);
  bench.deliver(0, frame(9, 1, DATA));
  bench.bridge.setSettings(bench.port(0), { ...DEFAULT_SETTINGS, vlans: vlans('access', 20) });
  assert.equal(bench.bridge.fdbSize, 0);
  assert.deepEqual(bench.deliver(1, frame(1, 2, `8100000a${DATA}`)), [[], []]);
  assert.equal(bench.port(0).tx.discards.vlanFiltered, 0, 'a flood is not offered to it');
});

test('frames are counted with the octets that each port read and sent', () => {
  const bench = new Bench([vlans('access', 10), vlans('trunk', 1)]);
  bench.deliver(0, frame(9, 1, DATA));
  bench.deliver(1, frame(1, 2, `8100000a${DATA}`));
  assert.deepEqual(
    bench.ports.map(({ rx, tx }) => [rx.octets, tx.octets]),
    [
      [17, 17],
      [21, 21],
    ],
  );
});

for (const [from, to, tags, left] of [
  [vlans('access', 10), vlans('trunk', 1), [], '8100000a'],
  [vlans('trunk', 1), vlans('access', 10), [0x200a], ''],
  [vlans('trunk', 1), vlans('trunk', 1, 'all', TPID_S_TAG), [0x200a], '88a8200a'],
  [vlans('trunk', 1), vlans('trunk', 1), [0x200a], '8100200a'],
] as const) {
  test(`a super-frame from ${from?.mode} to ${to?.mode} gets the tag "${left}" as a whole`, () => {
    const whole = new OffloadPort();
    const bench = new Bench([from, to, to], [new MemoryPort(), whole, new MemoryPort()]);
    const fields = { payload: Buffer.alloc(2500, 0x5a), tags };
    const { frame: octets, header } = superFrameOf(fields, 1000);
    const sent = bench.deliverBatch(
      0,
      batchWithHeaders([
        { frame: octets, header },
        { frame: octets, header },
      ]),
    );
    assert.equal(sent[1]?.length, 2, 'whole for a port that takes it');
    assert.equal(sent[2]?.length, 6, 'as segments for a port that does not');
    const expected = Buffer.concat([
      octets.subarray(0, 12),
      Buffer.from(left, 'hex'),
      octets.subarray(12 + 4 * tags.length),
    ]);
    assert.deepEqual(sent[1]?.[0], expected);
    for (const segment of sent[2] ?? []) {
      assert.equal(segment.subarray(12, 12 + left.length / 2).toString('hex'), left);
      assert.ok(checksumsAreRight(segment));
    }
    assert.deepEqual(
      bench.ports.map(({ rx, tx }) => [rx.frames, tx.frames]),
      [
        [6, 0],
        [0, 6],
        [0, 6],
      ],
    );
    assert.equal(whole.headers.length, 2);
  });
}

test('a super-frame with two tags becomes segments before it gets a third one', () => {
  const whole = new OffloadPort();
  const bench = new Bench([vlans('native', 10), vlans('trunk', 1)], [new MemoryPort(), whole]);
  const { frame: octets, header } = superFrameOf({ payload: Buffer.alloc(2500, 0x5a), tags: [7, 8] }, 1000);
  const sent = bench.deliverBatch(0, batchWithHeaders([{ frame: octets, header }]));
  assert.deepEqual(
    sent[1]?.map((segment) => segment.subarray(12, 24).toString('hex')),
    ['8100000a88a8000781000008', '8100000a88a8000781000008', '8100000a88a8000781000008'],
  );
  assert.deepEqual(whole.headers, ['00'.repeat(10), '00'.repeat(10), '00'.repeat(10)]);
});

test('a super-frame that is flooded with a third tag is cut once for all ports that get the same tag', () => {
  class PlacePort extends MemoryPort {
    readonly places: { batch: FrameBatch; index: number }[] = [];

    override send(batch: FrameBatch, index: number): DiscardReason | undefined {
      this.places.push({ batch, index });
      return super.send(batch, index);
    }
  }
  const places = Array.from({ length: 3 }, () => new PlacePort());
  const trunk = vlans('trunk', 1);
  const bench = new Bench(
    [vlans('access', 10), trunk, trunk, vlans('trunk', 1, 'all', TPID_S_TAG)],
    [new MemoryPort(), ...places],
  );
  const [one, two] = [2500, 1500].map((length) => {
    const { frame, header } = superFrameOf({ payload: Buffer.alloc(length, 0x5a), tags: [7, 8] }, 1000);
    return { frame, header };
  }) as [{ frame: Buffer; header: never }, { frame: Buffer; header: never }];
  const sent = bench.deliverBatch(0, batchWithHeaders([one, two]));
  const tags = (at: number): string[] => (sent[at] ?? []).map((segment) => segment.subarray(12, 16).toString('hex'));
  assert.deepEqual([tags(1), tags(2)], [Array(5).fill('8100000a'), Array(5).fill('8100000a')]);
  assert.deepEqual(tags(3), Array(5).fill('88a8000a'));
  const [first, second] = places.map((port) => port.places);
  assert.equal(first?.length, 5);
  for (const [at, { batch, index }] of (first ?? []).entries()) {
    assert.ok(second?.[at]?.batch === batch && second[at].index === index, `segment ${at}`);
  }
});

/** A memory port that notes the batches from which it sends. */
class BatchPort extends MemoryPort {
  readonly batches: FrameBatch[] = [];

  override send(batch: FrameBatch, index: number): DiscardReason | undefined {
    this.batches.push(batch);
    return super.send(batch, index);
  }
}

test('a frame that keeps its tag is not copied', () => {
  const port = new BatchPort();
  const bench = new Bench([vlans('trunk', 1), vlans('trunk', 1)], [new MemoryPort(), port]);
  const batch = batchOf(frame(9, 1, `8100600a${DATA}`), frame(9, 1, `8100600b${DATA}`));
  bench.deliverBatch(0, batch);
  assert.equal(port.batches.length, 2);
  assert.ok(port.batches.every((sent) => sent === batch));
});

test('a super-frame with two tags stays whole where it keeps their number', () => {
  for (const [from, to, left] of [
    [vlans('trunk', 1), vlans('trunk', 1, 'all', TPID_S_TAG), '88a8000788a80008'],
    [vlans('trunk', 1), vlans('access', 7), '88a80008'],
  ] as const) {
    const bench = new Bench([from, to], [new MemoryPort(), new OffloadPort()]);
    const { frame: octets, header } = superFrameOf({ payload: Buffer.alloc(2500, 0x5a), tags: [7, 8] }, 1000);
    // The outer one is a C-TAG, the inner one an S-TAG.
    octets.writeUInt16BE(0x8100, 12);
    octets.writeUInt16BE(0x88a8, 16);
    const sent = bench.deliverBatch(0, batchWithHeaders([{ frame: octets, header }]))[1] ?? [];
    assert.deepEqual(
      sent.map((each) => each.subarray(12, 12 + left.length / 2).toString('hex')),
      [left],
    );
  }
});

describe('a frame that has to be finished before it gets a third tag', () => {
  const two = (): ReturnType<typeof superFrameOf> =>
    superFrameOf({ payload: Buffer.alloc(2500, 0x5a), tags: [7, 8] }, 1000);

  test('is sent wherever in its batch it stands', () => {
    const bench = new Bench([vlans('access', 10), vlans('trunk', 1)]);
    const plainOne = { frame: frame(9, 1, DATA) };
    assert.equal(bench.deliverBatch(0, batchWithHeaders([plainOne, two()]))[1]?.length, 4);
    assert.equal(bench.deliverBatch(0, batchWithHeaders([plainOne, plainOne, two()]))[1]?.length, 5);
  });

  test('is a discard of each port by which it should leave if it cannot be finished', () => {
    const offloadEngine: OffloadEngine = { ...portableEngine, finish: () => 'badOffload' };
    const trunks = [vlans('trunk', 1), vlans('trunk', 1)];
    const bench = new Bench([vlans('access', 10), ...trunks], undefined, { offloadEngine });
    bench.deliverBatch(0, batchWithHeaders([two(), two()]));
    assert.deepEqual(
      bench.ports.map(({ tx }) => [tx.frames, tx.discards.badOffload]),
      [
        [0, 0],
        [0, 2],
        [0, 2],
      ],
    );
  });

  test('is a discard if its tag makes it too long, which is told with the frame that had no room', () => {
    const told: string[] = [];
    const onFault: BridgeOptions['onFault'] = ({ number }, { direction, reason, example }) =>
      void told.push(`${number} ${direction} ${reason} ${example?.length}`);
    const bench = new Bench([vlans('access', 10), vlans('trunk', 1)], undefined, { onFault });
    // It only needs its checksum.
    const long = superFrameOf({ payload: Buffer.alloc(MAX_SUPER_FRAME_BYTES - 62), tags: [7, 8] }, 0);
    bench.deliverBatch(0, batchWithHeaders([long]));
    assert.deepEqual([bench.port(1).tx.frames, bench.port(1).tx.discards.tooLong], [0, 1]);
    assert.deepEqual(told, [`2 tx tooLong ${MAX_SUPER_FRAME_BYTES}`]);
  });
});

test('a frame that its tag makes too long is a discard of the egress port', () => {
  const short = new MemoryPort({ maxFrameBytes: 20 });
  const bench = new Bench(
    [vlans('access', 10), vlans('trunk', 1), vlans('trunk', 1)],
    [new MemoryPort(), short, new MemoryPort()],
  );
  bench.deliver(0, frame(9, 1, DATA));
  assert.equal(bench.port(1).tx.discards.tooLong, 1);
  assert.equal(bench.port(2).tx.frames, 1);
  bench.deliver(0, Buffer.concat([frame(9, 1, DATA), Buffer.alloc(MAX_SUPER_FRAME_BYTES - 17)]));
  assert.equal(bench.port(2).tx.discards.tooLong, 1, 'longer than any frame');
});

test('a frame of a transparent port that ends inside of its tag does not reach ports that change it', () => {
  const bench = new Bench([undefined, undefined, vlans('access', 10), vlans('trunk', 10)]);
  bench.deliver(0, frame(9, 1, '8100000a'));
  assert.deepEqual(
    bench.ports.map(({ tx }) => [tx.frames, tx.discards.runt]),
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ],
  );
});
