import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { differences, findLoop } from '../../../test/support/tree-oracle.ts';
import { type VirtualBridge, VirtualLan, type VirtualPort } from '../../../test/support/virtual-lan.ts';
import { bridgeIdOf } from '../../wire/bpdu/bridge-id.ts';
import { decodeBpdu } from '../../wire/bpdu/decode.ts';
import { encodeBpdu } from '../../wire/bpdu/encode.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { AllPortNumbers } from './port-numbers.ts';
import { DEFAULT_PORT_SETTINGS, type SpanningTreePortSettings, wrongTimes } from './settings.ts';
import { SpanningTree } from './spanning-tree.ts';

const address = (number: number): MacAddress => (0x0200_0000_0000 + number) as MacAddress;

/** `count` bridges in a ring; bridge 0 is the root. Port 1 leads to the next one. */
function openRing(count: number, seed = 1, version: 'stp' | 'rstp' = 'rstp'): VirtualLan {
  const lan = new VirtualLan(new Random(seed));
  for (let index = 0; index < count; index++) lan.addBridge({ address: address(index), forceVersion: version });
  for (const [index, bridge] of lan.bridges.entries()) {
    bridge.addPort(lan.segment(`${index}`));
    bridge.addPort(lan.segment(`${(index + count - 1) % count}`));
  }
  return lan;
}

function bridgeOf(lan: VirtualLan, index: number): VirtualBridge {
  return lan.bridges[index] as VirtualBridge;
}

function portOf(bridge: VirtualBridge, number: number): VirtualPort {
  return bridge.ports[number - 1] as VirtualPort;
}

function setLink(lan: VirtualLan, name: string, isUp: boolean): void {
  for (const { bridge, port } of lan.segment(name).members) bridge.setUp(port, isUp);
}

/**
 * Runs until the tree is the expected one.
 * @param beside the start of the differences that do not matter
 * @returns how long that took, in milliseconds
 */
function settle(lan: VirtualLan, limitMs: number, beside = 'none'): number {
  const rest = () => differences(lan).filter((line) => !line.startsWith(beside));
  for (let passedMs = 0; passedMs <= limitMs; passedMs += 10) {
    if (rest().length === 0) return passedMs;
    lan.run(10);
  }
  assert.fail(`not settled in ${limitMs} ms:\n${rest().join('\n')}`);
}

test('after each link of a ring has ended in turn, the tree is whole again in less than a second, without a loop', () => {
  const lan = openRing(8);
  settle(lan, 10_000);
  lan.run(20_000);
  lan.stateChanged = () => assert.equal(findLoop(lan), undefined, `at ${lan.nowMs} ms`);
  for (let link = 0; link < 8; link++) {
    setLink(lan, `${link}`, false);
    assert.ok(settle(lan, 1000) < 1000);
    lan.run(10_000);
    setLink(lan, `${link}`, true);
    settle(lan, 10_000);
    lan.run(10_000);
  }
});

test('of two links between two bridges one stands by, and takes over at once', () => {
  const lan = new VirtualLan(new Random(3));
  for (const index of [0, 1]) {
    const bridge = lan.addBridge({ address: address(index) });
    for (const name of ['a', 'b']) bridge.addPort(lan.segment(name));
  }
  settle(lan, 10_000);
  const [, low] = lan.bridges as [VirtualBridge, VirtualBridge];
  assert.deepEqual(
    low.ports.map(({ state }) => state),
    ['forwarding', 'discarding'],
  );
  setLink(lan, 'a', false);
  assert.ok(settle(lan, 1000) <= 20);
  assert.equal(portOf(low, 2).state, 'forwarding');
});

test('a line that falls silent costs three hello times', () => {
  for (const helloTime of [1, 2]) {
    const lan = openRing(4);
    for (const { tree } of lan.bridges) tree.configure({ helloTime });
    settle(lan, 10_000);
    lan.run(20_000);
    // Both ends believe that the link is up, and all frames on it are lost.
    const [, other] = lan.segment('0').members;
    assert.ok(other !== undefined);
    other.bridge.connect(other.port, lan.segment('nowhere'));
    // The silent port itself has no neighbour, so it forwards later.
    const tookMs = settle(lan, 3000 * helloTime, 'bridge 1, port 2');
    assert.ok(tookMs >= 1000 * helloTime, `${tookMs} ms`);
  }
});

test('bridges with STP only settle in twice the forward delay, and RSTP falls back to STP', () => {
  const lan = openRing(5, 2, 'stp');
  assert.ok(settle(lan, 60_000) > 29_000);
  const mixed = new VirtualLan(new Random(4));
  for (const [index, forceVersion] of (['rstp', 'stp'] as const).entries()) {
    const bridge = mixed.addBridge({ address: address(index), forceVersion });
    bridge.addPort(mixed.segment('a'));
    bridge.addPort(mixed.segment('b'));
  }
  settle(mixed, 60_000);
  const tree = bridgeOf(mixed, 0).tree;
  assert.equal(tree.ports.get(1)?.sendRstp, false);
  assert.ok((tree.ports.get(1)?.transmitted.config ?? 0) > 0);
  // The old bridge tells of its topology change by a TCN BPDU.
  assert.ok((tree.ports.get(1)?.received.tcn ?? 0) > 0);
});

test('mcheck returns to RSTP, once the neighbour knows it', () => {
  const lan = new VirtualLan(new Random(5));
  const [one, other] = [lan.addBridge({ address: address(1) }), lan.addBridge({ address: address(2) })];
  const oldFrame = encodeBpdu(
    { type: 'config', flags: 0, ...vector(9), messageAge: 0, maxAge: 20, helloTime: 2, forwardDelay: 15 },
    address(9),
  );
  for (const bridge of [one, other]) bridge.addPort(lan.segment('a'));
  lan.run(5000);
  one.tree.received(1, oldFrame, 0, oldFrame.length);
  assert.equal(one.tree.ports.get(1)?.sendRstp, false);
  lan.run(4000);
  one.tree.checkProtocol(1);
  assert.equal(one.tree.ports.get(1)?.sendRstp, true);
});

function vector(number: number) {
  const id = ((0x9000n << 48n) | BigInt(address(number))) as never;
  return { rootId: id, rootPathCost: 0, bridgeId: id, portId: 0x8001 };
}

test('a port without a bridge becomes an edge port in Migrate Time, and forwards', () => {
  const lan = new VirtualLan(new Random(6));
  const bridge = lan.addBridge({ address: address(1) });
  const auto = bridge.addPort();
  const on = bridge.addPort(undefined, { edge: 'on' });
  const off = bridge.addPort(undefined, { edge: 'off' });
  assert.deepEqual(
    [auto, on, off].map(({ state }) => state),
    ['discarding', 'forwarding', 'discarding'],
  );
  lan.run(5000);
  assert.deepEqual(
    [auto, on, off].map(({ state }) => state),
    ['forwarding', 'forwarding', 'discarding'],
  );
  lan.run(30_000);
  assert.equal(off.state, 'forwarding');
  const edges = [1, 2, 3].map((number) => bridge.tree.ports.get(number)?.operEdge);
  assert.deepEqual(edges, [true, true, false]);
  // An edge port is no topology change (17.31).
  assert.equal(bridge.events.filter(({ kind }) => kind === 'topologyChange').length, 1);
  bridge.configure(off, { edge: 'on' });
  bridge.configure(on, { edge: 'off' });
  assert.equal(bridge.tree.ports.get(3)?.operEdge, true);
  assert.equal(bridge.tree.ports.get(2)?.operEdge, false);
});

/** A bridge with one port, whose neighbour is better. */
function openPair(settings: Partial<SpanningTreePortSettings>) {
  const lan = new VirtualLan(new Random(7));
  const better = lan.addBridge({ address: address(1) });
  const bridge = lan.addBridge({ address: address(2) });
  const port = bridge.addPort(lan.segment('a'), settings);
  const far = better.addPort(lan.segment('a'));
  lan.run(40_000);
  return { lan, better, bridge, port, far };
}

test('the BPDU guard disables a port at the first BPDU, until its link has been down', () => {
  const { lan, better, bridge, port, far } = openPair({ hasBpduGuard: true });
  assert.equal(port.state, 'discarding');
  assert.equal(bridge.tree.ports.get(1)?.isGuardTripped, true);
  assert.deepEqual(bridge.events.filter(({ kind }) => kind === 'bpduGuard').length, 1);
  better.setUp(far, false);
  lan.run(40_000);
  assert.equal(port.state, 'discarding');
  bridge.setUp(port, false);
  bridge.setUp(port, true);
  lan.run(40_000);
  assert.equal(port.state, 'forwarding');
  better.setUp(far, true);
  lan.run(5000);
  assert.equal(port.state, 'discarding');
  bridge.configure(port, { hasBpduGuard: false });
  lan.run(10_000);
  assert.equal(port.state, 'forwarding');
});

test('the root guard keeps a port from becoming the root port', () => {
  const { lan, bridge, port } = openPair({ hasRootGuard: true });
  assert.equal(port.state, 'discarding');
  assert.equal(bridge.tree.ports.get(1)?.role, 'alternate');
  assert.equal(bridge.tree.bridge.rootPort, undefined);
  bridge.configure(port, { hasRootGuard: false });
  lan.run(5000);
  assert.equal(bridge.tree.ports.get(1)?.role, 'root');
});

test('with the BPDU filter a port sends and takes no BPDU, and forwards', () => {
  const { better, bridge, port } = openPair({ hasBpduFilter: true });
  assert.equal(port.state, 'forwarding');
  assert.deepEqual(bridge.tree.ports.get(1)?.received, { config: 0, rst: 0, tcn: 0 });
  assert.deepEqual(bridge.tree.ports.get(1)?.transmitted, { config: 0, rst: 0, tcn: 0 });
  assert.ok((bridge.tree.ports.get(1)?.discarded ?? 0) > 0);
  assert.deepEqual(better.tree.ports.get(1)?.received, { config: 0, rst: 0, tcn: 0 });
});

test('a port that hears itself does not forward', () => {
  const states: string[] = [];
  const tree = new SpanningTree(
    { address: address(1) },
    {
      transmit: (number, frame) => tree.received(number, frame, 0, frame.length),
      setState: (_number, state) => void states.push(state),
      flush: () => undefined,
    },
  );
  tree.addPort(1, DEFAULT_PORT_SETTINGS);
  tree.setUp(1, true);
  for (let second = 0; second < 120; second++) tree.tick();
  assert.ok(!states.includes('forwarding'), states.join());
  assert.equal(tree.unsettled, 0);
});

test('a topology change flushes the addresses of all other ports of the tree, and is told once', () => {
  const lan = openRing(4);
  settle(lan, 10_000);
  lan.run(10_000);
  for (const { events } of lan.bridges) events.length = 0;
  setLink(lan, '0', false);
  settle(lan, 1000);
  lan.run(20_000);
  for (const [index, { events }] of lan.bridges.entries()) {
    const changes = events.filter(({ kind }) => kind === 'topologyChange');
    assert.ok(changes.length >= 1 && changes.length <= 4, `bridge ${index}: ${changes.length}`);
  }
});

test('port numbers above 4095 get the lowest free one, and without a free one the port stays discarding', () => {
  const tree = new SpanningTree(
    { address: address(1) },
    { transmit: () => undefined, setState: () => undefined, flush: () => undefined },
  );
  for (const number of [1, 5000, 4095, 2, 8191]) tree.addPort(number, DEFAULT_PORT_SETTINGS);
  const numbers = () => [...tree.ports.values()].map(({ stpNumber }) => stpNumber);
  assert.deepEqual(numbers(), [1, 2, 4095, 3, 4]);
  tree.removePort(5000);
  tree.addPort(9000, DEFAULT_PORT_SETTINGS);
  assert.deepEqual(numbers(), [1, 4095, 3, 4, 2]);
});

test('a port keeps its number, and numbers go up to 4095 (9.2.7)', () => {
  const numbers = new AllPortNumbers();
  assert.equal(numbers.take(7), 7);
  assert.equal(numbers.take(8, 7), 7);
  for (let number = 1; number <= 4095; number++) if (number !== 7 && number !== 4095) numbers.take(number);
  assert.equal(numbers.take(1), 4095);
  assert.equal(numbers.take(1), undefined);
  numbers.free(4095);
  assert.equal(numbers.take(4095), 4095);
});

test('no more than Transmit Hold Count BPDUs are sent in a second, however often the tree changes', () => {
  let sent = 0;
  const tree = new SpanningTree(
    { address: address(1) },
    { transmit: () => void sent++, setState: () => undefined, flush: () => undefined },
  );
  tree.addPort(1, DEFAULT_PORT_SETTINGS);
  tree.setUp(1, true);
  for (let change = 0; change < 50; change++) tree.configure({ priority: change % 2 === 0 ? 4096 : 8192 });
  assert.equal(sent, 6);
});

test('times that do not fit together are told', () => {
  const times = { priority: 32_768, helloTime: 2, maxAge: 20, forwardDelay: 15 };
  assert.equal(wrongTimes(times), undefined);
  assert.match(wrongTimes({ ...times, forwardDelay: 10 }) ?? '', /max-age 20 is above/);
  assert.match(wrongTimes({ ...times, maxAge: 6, helloTime: 3 }) ?? '', /max-age 6 is below/);
  assert.equal(wrongTimes({ ...times, maxAge: 28 }), undefined, 'max-age is 2 × (forward-delay − 1)');
  assert.equal(wrongTimes({ ...times, maxAge: 6 }), undefined, 'max-age is 2 × (hello-time + 1)');
});

const CASES = fuzzCases(20_000);

test(`${CASES} hostile BPDUs at a bridge in a LAN: no exception, the machines settle, and the tree returns`, () => {
  const random = new Random(fuzzSeed());
  const lan = openRing(3, fuzzSeed());
  const [bridge] = lan.bridges as [VirtualBridge];
  settle(lan, 10_000);
  const heard: Uint8Array[] = [];
  for (let kind = 0; kind < 3; kind++) heard.push(encodeBpdu(hostile(random, kind), address(random.below(4))));
  for (let run = 0; run < CASES; run++) {
    const frame = encodeBpdu(hostile(random, random.below(3)), address(random.below(4)));
    if (random.once(2)) frame[random.between(14, 52)] = random.next();
    bridge.tree.received(random.between(1, 2), frame, 0, frame.length);
    if (random.once(20)) lan.run(random.below(500));
    assert.equal(bridge.tree.unsettled, 0);
  }
  assert.ok(decodeBpdu(heard[0] as Uint8Array, 0, 60) !== undefined);
  // The greatest received age is 255 s, and so are the delays that an alleged root may demand.
  lan.run(800_000);
  assert.deepEqual(differences(lan), []);
});

function hostile(random: Random, kind: number) {
  if (kind === 0) return { type: 'tcn' } as const;
  const id = () => ((BigInt(random.below(16)) << 60n) | BigInt(address(random.below(5)))) as never;
  return {
    type: kind === 1 ? ('config' as const) : ('rst' as const),
    flags: random.below(256),
    rootId: id(),
    rootPathCost: random.pick([0, 1, 20_000, 40_000, 0xffff_ffff]),
    bridgeId: id(),
    portId: random.pick([0x8001, 0x8002, 0, 0xffff]),
    messageAge: random.pick([0, 1, 2.5, 19, 20, 255]),
    maxAge: random.pick([0, 6, 20, 20.5, 255]),
    helloTime: random.pick([0, 0.5, 1, 2, 10, 255]),
    forwardDelay: random.pick([0, 4, 15, 15.25, 255]),
  };
}

test('a port takes at most 50 BPDUs a second, so that a flood of changes costs no more', () => {
  const events: string[] = [];
  const ignored = () => undefined;
  const happened = ({ kind }: { kind: string }) => void events.push(kind);
  const tree = new SpanningTree(
    { address: address(9) },
    { transmit: ignored, setState: ignored, flush: ignored, happened },
  );
  for (const number of [1, 2]) {
    tree.addPort(number, DEFAULT_PORT_SETTINGS);
    tree.setUp(number, true);
  }
  const claims = [4096, 8192].map((priority) => {
    const bridgeId = bridgeIdOf(priority, address(1));
    const times = { messageAge: 0, maxAge: 20, helloTime: 2, forwardDelay: 15 };
    const message = {
      type: 'rst',
      flags: 0x3c,
      rootId: bridgeId,
      rootPathCost: 0,
      bridgeId,
      portId: 0x8001,
      ...times,
    } as const;
    return encodeBpdu(message, address(1));
  });
  const flood = () => {
    for (let count = 0; count < 1000; count++) {
      const frame = claims[count % 2] as Uint8Array;
      tree.received(1, frame, 0, frame.length);
    }
  };
  flood();
  const told = events.filter((kind) => kind === 'rootChanged').length;
  assert.ok(told <= 50, `${told} roots`);
  assert.deepEqual([tree.ports.get(1)?.received.rst, tree.ports.get(1)?.discarded], [50, 950]);
  tree.tick();
  flood();
  assert.equal(tree.ports.get(1)?.received.rst, 100);
  assert.equal(tree.ports.get(2)?.portEnabled, true);
});
