import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../test/support/frames.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf, type FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { TAGS_NONE, TAGS_STACKED } from '../wire/ethernet/frame-length.ts';
import { type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import { Bridge } from './bridge.ts';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgePort } from './bridge-port.ts';
import { MUST_COME } from './flow-permit.ts';
import type { Flow } from './flow-table.ts';
import { IngressPolicy, type IngressRules, RateAllowance, SourceClaims } from './ingress-policy.ts';
import type { Congestion, DiscardReason } from './port.ts';

const READ_ALL = {
  isAdmitted: () => true,
  check: () => undefined,
  release: () => undefined,
  permit: MUST_COME,
} as unknown as IngressPolicy;
const CONGESTION: Congestion = { onceRelieved: () => undefined };

class FlowPort extends MemoryPort {
  flowSource: object | undefined = {};
  flowTarget: object | undefined = {};
  congestion: Congestion | undefined;
  refusal: DiscardReason | undefined;

  override send(batch: FrameBatch, index: number): DiscardReason | undefined {
    return this.refusal ?? super.send(batch, index);
  }
}

/** A bridge with three ports; at each it has learned the station with the port's number. */
class Bench {
  readonly ports = Array.from({ length: 3 }, () => new FlowPort({ maxFrameBytes: 1000 }));
  readonly bridge: Bridge;
  readonly attached: BridgePort[];
  /** the flows installed since the last `offered` */
  flows: Flow[] = [];
  /** the number of invalidations */
  invalidations = 0;

  constructor(options: BridgeOptions = {}) {
    const flowTable = {
      install: (flow: Flow) => void this.flows.push(flow),
      invalidate: () => void this.invalidations++,
    };
    this.bridge = new Bridge({ flowTable, ...options });
    this.attached = this.ports.map((port) => this.bridge.attach(port));
    for (const port of this.ports) {
      port.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
    }
    for (const at of this.ports.keys()) this.receive(at, batchOf(frame(at, at)));
    this.flows = [];
    this.invalidations = 0;
  }

  at(index: number): BridgePort {
    return this.attached[index] as BridgePort;
  }

  port(index: number): FlowPort {
    return this.ports[index] as FlowPort;
  }

  receive(at: number, batch: FrameBatch, nowMs = 0): Congestion | undefined {
    return this.bridge.receive(this.at(at), batch, nowMs);
  }

  /** Delivers one batch to port 0. @returns the flows that were installed */
  offered(...frames: Buffer[]): Flow[] {
    this.flows = [];
    this.receive(0, batchOf(...frames));
    return this.flows;
  }
}

function frame(destination: number, source: number, length = 60): Buffer {
  const header = [2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source, 0x88, 0xb5];
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length - header.length)]);
}

const GROUP = Buffer.concat([Buffer.alloc(6, 0xff), frame(0, 0).subarray(6)]);
const STATION_1 = 0x0200_0000_0001 as MacAddress;
const UNKNOWN = 99;
/** An unknown station: frames to it are flooded and make no flow. */
const FLOODED = 98;

test('a batch whose frames shut the port installs no flow', () => {
  const bench = new Bench();
  const port = bench.at(0);
  bench.bridge.setSettings(port, { ...port.settings, macLimit: 1, macLimitAction: 'shut' });
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  assert.equal(bench.offered(frame(1, 0), frame(1, 9)).length, 0);
  assert.equal(port.protection?.cause, 'macLimit');
});

test('what goes to one known port becomes a flow once a batch, by its last frame', () => {
  const bench = new Bench();
  const batch = batchOf(frame(1, 0), frame(1, 0), frame(1, 7));
  bench.receive(0, batch);
  assert.equal(bench.flows.length, 1);
  const [flow] = bench.flows;
  assert.equal(flow?.batch, batch);
  assert.equal(flow?.index, 2);
  assert.equal(flow?.source, bench.port(0).flowSource);
  assert.equal(flow?.target, bench.port(1).flowTarget);
  assert.equal(flow?.sourceCells, bench.at(0).cells);
  assert.equal(flow?.targetCells, bench.at(1).cells);
  assert.equal(flow?.maxFrameBytes, 1000);
  assert.equal(flow?.tagAllowance, TAGS_NONE);
  Object.assign(bench.port(1), { tagAllowance: TAGS_STACKED });
  assert.equal(bench.offered(frame(1, 0))[0]?.tagAllowance, TAGS_STACKED);
});

test('a guarded port has no flows, since a flow has no IP address', () => {
  const bench = new Bench();
  const port = bench.at(0);
  bench.bridge.setSettings(port, { ...port.settings, hasSourceGuard: true });
  assert.equal(bench.offered(frame(1, 0)).length, 0);
  assert.equal(bench.at(1).tx.frames, 1, 'it has passed');
});

test('host snooping takes no flow: with it the same frames become flows as without', () => {
  const bench = new Bench();
  bench.bridge.setHostSnooping(true);
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  const arp = Buffer.concat([
    frame(1, 0).subarray(0, 12),
    Buffer.from('080600010800060400010200000000000a000001', 'hex'),
  ]);
  assert.equal(bench.offered(Buffer.concat([arp, Buffer.alloc(28)]), frame(1, 0)).length, 1);
  assert.equal(bench.bridge.hosts.addresses, 1);
  assert.equal(bench.invalidations, 0);
});

test('a trace that comes at run time ends the flows, and gets each frame until it is taken away', () => {
  const bench = new Bench();
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  const told: number[][] = [];
  bench.bridge.trace = {
    learned: () => undefined,
    aged: () => undefined,
    forwarded: (from, to, length) => told.push([from, ...to, length]),
  };
  assert.equal(bench.invalidations, 1);
  assert.deepEqual(bench.offered(frame(1, 0), frame(1, 0, 70)), []);
  bench.bridge.trace = undefined;
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  assert.deepEqual(told, [
    [1, 2, 60],
    [1, 2, 70],
  ]);
  assert.equal(bench.invalidations, 1);
});

test('where no flow was installed none is invalidated', () => {
  let invalidations = 0;
  const bridge = new Bridge({
    flowTable: { install: () => assert.fail('there is no frame'), invalidate: () => void invalidations++ },
  });
  bridge.setShut(bridge.attach(new FlowPort()), true);
  assert.equal(invalidations, 0);
});

test('a flow is installed before the egress gets to overwrite the bytes', () => {
  const order: string[] = [];
  const bench = new Bench({
    flowTable: { install: () => void order.push('install'), invalidate: () => undefined },
  });
  bench.port(1).flush = () => void order.push('flush');
  bench.receive(0, batchOf(frame(1, 0)));
  assert.deepEqual(order, ['install', 'flush']);
});

test('a flood, two ways, or a frame that goes nowhere are no flow', () => {
  const bench = new Bench();
  for (const [what, frames] of [
    ['a group address', [GROUP]],
    ['an unknown address', [frame(UNKNOWN, 0)]],
    ['a flood behind a known one', [frame(1, 0), GROUP]],
    ['a flood before a known one', [GROUP, frame(1, 0)]],
    ['two ports', [frame(1, 0), frame(2, 0)]],
    ['two ports, and the first again', [frame(1, 0), frame(2, 0), frame(1, 0)]],
    ['its own port', [frame(0, 7)]],
    ['its own port, behind a known one', [frame(1, 0), frame(0, 7)]],
    ['a runt', [Buffer.alloc(13)]],
    ['a frame that is too long', [frame(1, 0, 1001)]],
    ['one that is too long, behind one that is not', [frame(1, 0), frame(1, 0, 1001)]],
  ] as const) {
    assert.deepEqual(bench.offered(...frames), [], what);
  }
  assert.equal(bench.offered(frame(1, 0), Buffer.alloc(13)).length, 1, 'a runt behind a known one is nothing');
  assert.equal(bench.offered(frame(1, 0, 1001), frame(1, 0))[0]?.index, 1);
});

test('a station that moved within the batch is not led where it was', () => {
  const bench = new Bench();
  // Station 1 moves to port 0, so the frame to it before the move must not make a flow.
  assert.deepEqual(bench.offered(frame(1, 0), frame(2, 1, 1001)), []);
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'it is behind the ingress port now');
});

test('what is finished for its egress makes a flow; what contradicts itself does not', () => {
  const bench = new Bench();
  const { frame: super1, header } = superFrameOf({ payload: Buffer.alloc(900), source: 0 }, 300);
  bench.receive(1, batchOf(Buffer.concat([Buffer.alloc(6), super1.subarray(0, 6), super1.subarray(12, 60)])));
  bench.receive(0, batchWithHeaders([{ frame: super1, header }]));
  assert.equal(bench.flows.length, 1);
  bench.flows = [];
  bench.port(1).refusal = 'queueFull';
  bench.receive(0, batchWithHeaders([{ frame: super1, header }]));
  assert.deepEqual(bench.flows, [], 'no segment of it was taken');
  bench.port(1).refusal = undefined;
  bench.receive(0, batchWithHeaders([{ frame: super1, header: { ...header, gsoSize: 0 } }]));
  assert.equal(bench.at(0).rx.discards.badOffload, 1);
  assert.deepEqual(bench.flows, []);
});

test('what has a say besides the filtering database gets every frame', () => {
  const bench = new Bench();
  bench.at(0).policy = READ_ALL;
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'a policy');
  bench.at(0).policy = undefined;
  bench.at(1).policy = READ_ALL;
  assert.equal(bench.offered(frame(1, 0)).length, 1, 'the policy of the egress has no say');
  const traced = new Bench({ trace: { learned: () => undefined, aged: () => undefined, forwarded: () => undefined } });
  assert.deepEqual(traced.offered(frame(1, 0)), [], 'a trace');
  const without = new Bench({ flowTable: undefined } as unknown as BridgeOptions);
  assert.deepEqual(without.offered(frame(1, 0)), [], 'no flow table');
});

test('what the policy of one port restricts holds for its own frames only', () => {
  const bench = new Bench();
  bench.at(0).policy = READ_ALL;
  assert.deepEqual(bench.offered(frame(1, 0)), []);
  bench.receive(1, batchOf(frame(2, 1)));
  assert.equal(bench.flows.length, 1);
});

test('a policy says of its rules which may be kept by a flow, and what that is charged to', () => {
  const rate = { perSecond: 1, burst: 1 };
  const group = { groupFrames: rate, groupBits: rate };
  const policyOf = (rules: IngressRules, allowance?: RateAllowance): IngressPolicy =>
    new IngressPolicy(rules, new SourceClaims(), 0, allowance);
  const bench = new Bench();
  const kept: IngressRules[] = [
    {},
    group,
    { sources: new Set([parseMacAddress('02:00:00:00:00:00')]) },
    { claims: 5 },
    { forbidsDhcpServer: true },
    { forbidsRouterAdvertisements: true },
  ];
  for (const rules of kept) {
    bench.at(0).policy = policyOf(rules);
    const [flow] = bench.offered(frame(1, 0));
    assert.ok(flow !== undefined && flow.meter === undefined, JSON.stringify(rules));
  }
  for (const rules of [{ frames: { perSecond: 1e6, burst: 1e6 } }, { bits: { perSecond: 1e9, burst: 1e9 } }]) {
    const allowance = new RateAllowance();
    bench.at(0).policy = policyOf({ ...group, ...rules }, allowance);
    assert.equal(bench.offered(frame(1, 0))[0]?.meter, allowance.cells, JSON.stringify(rules));
  }
  bench.at(0).policy = policyOf({ ...group, etherTypes: new Set([0x88b5]) });
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'a flow knows no EtherType');
  assert.equal(bench.at(0).rx.discards.rateExceeded, 0);

  const changing = policyOf(group);
  bench.at(0).policy = changing;
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  bench.invalidations = 0;
  changing.change({ ...group, etherTypes: new Set([0x88b5]) }, 0);
  assert.equal(bench.invalidations, 1, 'rules that change invalidate flows');
  assert.deepEqual(bench.offered(frame(1, 0)), []);
  bench.at(0).policy = undefined;
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  bench.invalidations = 0;
  changing.change(group, 0);
  assert.equal(bench.invalidations, 0, 'a policy that is set nowhere has no say');
});

test('ports that cannot, or cannot now, are left alone', () => {
  const bench = new Bench();
  bench.port(1).flowTarget = undefined;
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'no target');
  bench.port(1).flowTarget = {};
  bench.port(0).flowSource = undefined;
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'no source');
  bench.port(0).flowSource = {};
  bench.port(1).refusal = 'queueFull';
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'a port that refuses');
  bench.port(1).refusal = undefined;
  bench.bridge.setShut(bench.at(1), true);
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'shut');
  bench.bridge.setShut(bench.at(1), false);
  bench.bridge.setLink(bench.at(1), 'away', 'lost');
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'away');
  bench.bridge.setLink(bench.at(1), 'up');
  bench.bridge.setShut(bench.at(0), true);
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'an ingress that is shut');
  bench.bridge.setShut(bench.at(0), false);
  assert.equal(bench.offered(frame(1, 0)).length, 1);
});

test('its life is a second, and a quarter of the ageing time at most', () => {
  for (const [ageingTimeMs, lifeMs] of [
    [300_000, 1000],
    [4000, 1000],
    [3999, 999],
    [40, 10],
    [1, 0],
  ] as const) {
    assert.equal(new Bench({ ageingTimeMs }).offered(frame(1, 0))[0]?.lifeMs, lifeMs, String(ageingTimeMs));
  }
});

test('another ageing time counts for flows from then on', () => {
  const bench = new Bench();
  bench.offered(frame(1, 0));
  bench.bridge.setAgeingTime(1000);
  assert.equal(bench.invalidations, 1, 'those that are installed live too long');
  assert.equal(bench.offered(frame(1, 0))[0]?.lifeMs, 250);
});

test('whatever changes a decision invalidates all flows', () => {
  const changes: [string, (bench: Bench) => void][] = [
    [
      'a station moves that a flow leads to',
      (bench) => {
        bench.receive(0, batchOf(frame(1, 0)));
        bench.receive(2, batchOf(frame(0, 1)));
      },
    ],
    [
      'a station moves that a flow leads from',
      (bench) => {
        bench.receive(1, batchOf(frame(0, 1)));
        bench.receive(2, batchOf(frame(UNKNOWN, 1)));
      },
    ],
    ['a port comes', (bench) => void bench.bridge.attach(new FlowPort())],
    ['a port goes', (bench) => bench.bridge.detach(bench.at(2))],
    ['a port is shut', (bench) => bench.bridge.setShut(bench.at(1), true)],
    ['a port is opened', (bench) => bench.bridge.setShut(bench.at(1), false)],
    ['a link goes down', (bench) => bench.bridge.setLink(bench.at(1), 'down', 'pulled')],
    ['a link comes up', (bench) => bench.bridge.setLink(bench.at(1), 'up')],
    ['a policy is set', (bench) => Object.assign(bench.at(0), { policy: READ_ALL })],
    ['a policy is taken away', (bench) => Object.assign(bench.at(0), { policy: undefined })],
    [
      'an entry is set',
      ({ bridge, attached }) => void bridge.entries.set(UNTAGGED, STATION_1, attached[2] as BridgePort, 'static', 0),
    ],
    ['an entry is removed', ({ bridge }) => void bridge.entries.delete(UNTAGGED, STATION_1)],
    ['learned entries are removed', ({ bridge }) => void bridge.entries.flush()],
  ];
  for (const [what, change] of changes) {
    const bench = new Bench();
    assert.equal(bench.offered(frame(1, 0)).length, 1);
    change(bench);
    assert.equal(bench.invalidations, 1, what);
  }
});

test('commands of the operator that change no entry leave the flows', () => {
  const bench = new Bench({ fdbCapacity: 4 });
  const { entries } = bench.bridge;
  const set = (mac: number, at = 2): unknown => entries.set(UNTAGGED, mac as MacAddress, bench.at(at), 'static', 0);
  set(STATION_1, 1);
  for (const mac of [6, 7]) set(mac);
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  bench.invalidations = 0;
  assert.equal(set(8), undefined, 'there is no room');
  assert.equal(entries.delete(UNTAGGED, 8 as MacAddress), undefined);
  assert.equal(entries.flush({ vid: 9 as Vid }), 0);
  assert.equal(bench.invalidations, 0);
});

test('flows are invalidated once, however many stations age at once', () => {
  const bench = new Bench();
  for (let station = 0; station < 5000; station++) {
    const spoken = frame(0, 1);
    spoken.writeUInt16BE(station, 8);
    bench.receive(1, batchOf(spoken));
  }
  // From now on the stations receive frames but send none.
  bench.flows = [];
  for (let station = 0; station < 5000; station++) {
    const heard = frame(1, 0);
    heard.writeUInt16BE(station, 2);
    bench.receive(0, batchOf(heard), 299_500);
  }
  assert.equal(bench.flows.length, 5000);
  bench.invalidations = 0;
  bench.bridge.age(300_000);
  assert.equal(bench.bridge.fdbSize, 1, 'only the station that spoke is left');
  assert.equal(bench.invalidations, 1, 'all stations of flows have gone at once');
  bench.bridge.setShut(bench.at(0), true);
  assert.equal(bench.invalidations, 1, 'there is none left to invalidate');
});

test('an entry that goes invalidates all flows if one leads from or to it, and none otherwise', () => {
  const aged = (sendMs: number, ageMs: number): number => {
    const bench = new Bench();
    bench.receive(0, batchOf(frame(1, 0)), sendMs);
    bench.bridge.age(ageMs);
    return bench.invalidations;
  };
  assert.equal(aged(299_500, 300_000), 1, 'station 1 was silent, but spoken to: its flow ends, station 2 has none');
  assert.equal(aged(200_000, 300_000), 0, 'the flow had ended before');

  const full = (...before: Buffer[]): Bench => {
    const bench = new Bench({ fdbCapacity: 3 });
    for (const each of before) bench.receive(0, batchOf(each));
    bench.receive(1, batchOf(frame(FLOODED, 7)));
    return bench;
  };
  assert.equal(full(frame(1, 0)).invalidations, 1, 'station 1 is displaced: the flow to it ends');
  assert.equal(full(frame(2, 0)).invalidations, 0, 'the flow leads elsewhere');
  assert.equal(full().invalidations, 0);
  const source = new Bench({ fdbCapacity: 3 });
  source.receive(1, batchOf(frame(0, 1)));
  source.receive(1, batchOf(frame(FLOODED, 7)));
  assert.equal(source.invalidations, 1, 'station 1 is displaced: the flow from it ends');
});

test('a flood of made-up sources leaves the flows of others', () => {
  const bench = new Bench({ fdbCapacity: 100 });
  bench.offered(frame(1, 0), frame(1, 0));
  const madeUp = frame(FLOODED, 2);
  for (let number = 0; number < 10_000; number++) {
    madeUp.writeUInt32BE(number, 7);
    bench.receive(2, batchOf(madeUp));
  }
  assert.equal(bench.bridge.fdbSize, 100);
  assert.equal(bench.invalidations, 0);
  assert.equal(bench.offered(frame(1, 0)).length, 1);
});

test('what changes nothing leaves them', () => {
  const bench = new Bench();
  bench.offered(frame(1, 0), frame(1, 0));
  bench.receive(2, batchOf(frame(0, 7), frame(UNKNOWN, 2), Buffer.alloc(3)));
  bench.receive(0, batchOf(GROUP));
  bench.bridge.age(299_999);
  assert.equal(bench.invalidations, 0);
});

test('frames that follow flows count before an ingress is asked to wait', () => {
  const bench = new Bench();
  for (const port of bench.ports) port.congestion = CONGESTION;
  const send = (nowMs: number, to: number): Congestion | undefined => bench.receive(0, batchOf(frame(to, 0)), nowMs);
  const mayWait = (): boolean | undefined => bench.flows.at(-1)?.mayWait;
  // The bridge sees port 2 once a second, since its frames take a flow in between; it sees all frames of port 1.
  for (let nowMs = 0; nowMs < 4000; nowMs += 50) {
    if (nowMs % 1000 === 0) send(nowMs, 2);
    assert.equal(send(nowMs, 1), undefined, `${nowMs}`);
    assert.equal(mayWait(), false, `${nowMs}`);
  }
  assert.equal(send(3999, 1), undefined);
  assert.equal(send(4000, 1), CONGESTION, 'the last flow to port 2 has ended');
  assert.equal(mayWait(), true);
  // The same if port 1 is no target of flows.
  send(5000, 2);
  bench.port(1).flowTarget = undefined;
  assert.equal(send(5001, 1), undefined);
  assert.equal(send(5999, 1), undefined);
  assert.equal(send(6000, 1), CONGESTION);
});

test('a super-frame that cannot be finished for its egress port installs no flow, even behind one that left', () => {
  for (const isBroken of [false, true]) {
    const offloadEngine: OffloadEngine = {
      ...portableEngine,
      finish: (batch, index, ...rest) =>
        isBroken && index === 1 ? 'badOffload' : portableEngine.finish(batch, index, ...rest),
    };
    const bench = new Bench({ offloadEngine });
    const { frame: bytes, header } = superFrameOf({ payload: Buffer.alloc(2500) }, 800);
    // From station 0 to station 1; both are learned.
    const between = { frame: Buffer.concat([frame(1, 0).subarray(0, 12), bytes.subarray(12)]), header };
    bench.receive(0, batchWithHeaders([between, between]));
    assert.equal(bench.flows.length, isBroken ? 0 : 1);
  }
});
