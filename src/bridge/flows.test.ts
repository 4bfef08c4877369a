import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONGESTION, FlowBench, frame, GROUP, READ_ALL, UNKNOWN } from '../../test/support/flow-bench.ts';
import { batchWithHeaders, superFrameOf } from '../../test/support/frames.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { TAGS_NONE, TAGS_STACKED } from '../wire/ethernet/frame-length.ts';
import { parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import type { BridgeOptions } from './bridge-options.ts';
import { IngressPolicy, type IngressRules, RateAllowance, SourceClaims } from './ingress-policy.ts';
import type { Congestion } from './port.ts';

test('a batch whose frames shut the port installs no flow', () => {
  const bench = new FlowBench();
  const port = bench.at(0);
  bench.bridge.setSettings(port, { ...port.settings, macLimit: 1, macLimitAction: 'shut' });
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  assert.equal(bench.offered(frame(1, 0), frame(1, 9)).length, 0);
  assert.equal(port.protection?.cause, 'macLimit');
});

test('what goes to one known port becomes a flow once a batch, by its last frame', () => {
  const bench = new FlowBench();
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
  const bench = new FlowBench();
  const port = bench.at(0);
  bench.bridge.setSettings(port, { ...port.settings, hasSourceGuard: true });
  assert.equal(bench.offered(frame(1, 0)).length, 0);
  assert.equal(bench.at(1).tx.frames, 1, 'it has passed');
});

test('host snooping takes no flow: with it the same frames become flows as without', () => {
  const bench = new FlowBench();
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

test('a flow is installed before the egress gets to overwrite the bytes', () => {
  const order: string[] = [];
  const bench = new FlowBench({
    flowTable: { install: () => void order.push('install'), invalidate: () => undefined },
  });
  bench.port(1).flush = () => void order.push('flush');
  bench.receive(0, batchOf(frame(1, 0)));
  assert.deepEqual(order, ['install', 'flush']);
});

test('a flood, two ways, or a frame that goes nowhere are no flow', () => {
  const bench = new FlowBench();
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
  const bench = new FlowBench();
  // Station 1 moves to port 0, so the frame to it before the move must not make a flow.
  assert.deepEqual(bench.offered(frame(1, 0), frame(2, 1, 1001)), []);
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'it is behind the ingress port now');
});

test('what is finished for its egress makes a flow; what contradicts itself does not', () => {
  const bench = new FlowBench();
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
  const bench = new FlowBench();
  bench.at(0).policy = READ_ALL;
  assert.deepEqual(bench.offered(frame(1, 0)), [], 'a policy');
  bench.at(0).policy = undefined;
  bench.at(1).policy = READ_ALL;
  assert.equal(bench.offered(frame(1, 0)).length, 1, 'the policy of the egress has no say');
  const traced = new FlowBench({
    trace: { learned: () => undefined, aged: () => undefined, forwarded: () => undefined },
  });
  assert.deepEqual(traced.offered(frame(1, 0)), [], 'a trace');
  const without = new FlowBench({ flowTable: undefined } as unknown as BridgeOptions);
  assert.deepEqual(without.offered(frame(1, 0)), [], 'no flow table');
});

test('what the policy of one port restricts holds for its own frames only', () => {
  const bench = new FlowBench();
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
  const bench = new FlowBench();
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
  const bench = new FlowBench();
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
    assert.equal(new FlowBench({ ageingTimeMs }).offered(frame(1, 0))[0]?.lifeMs, lifeMs, String(ageingTimeMs));
  }
});

test('frames that follow flows count before an ingress is asked to wait', () => {
  const bench = new FlowBench();
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
    const bench = new FlowBench({ offloadEngine });
    const { frame: bytes, header } = superFrameOf({ payload: Buffer.alloc(2500) }, 800);
    // From station 0 to station 1; both are learned.
    const between = { frame: Buffer.concat([frame(1, 0).subarray(0, 12), bytes.subarray(12)]), header };
    bench.receive(0, batchWithHeaders([between, between]));
    assert.equal(bench.flows.length, isBroken ? 0 : 1);
  }
});
