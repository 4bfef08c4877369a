import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS, BRIDGE_ID, idOf, TIMES, vectorOf } from '../../../test/support/state-machine.ts';
import { type BridgeId, bridgeIdOf } from '../../wire/bpdu/bridge-id.ts';
import { encodeBpdu } from '../../wire/bpdu/encode.ts';
import { decodeTreeReport, encodeTreeReport, type TreeReport } from '../../wire/bpdu/tree-report.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { DEFAULT_PORT_SETTINGS } from './settings.ts';
import { SpanningTree } from './spanning-tree.ts';

const BOOT = 77;
const OWN_ROOT = { path: vectorOf(8, 0, 8, 0), portId: 0 };

/** One node of a shared bridge, "m"; the test says what the others report. */
class Node {
  readonly told: string[] = [];
  readonly flushed: number[] = [];
  readonly tree: SpanningTree;
  readonly #sent = new Map<string, TreeReport[]>();
  onSent: () => void = () => undefined;

  constructor() {
    this.tree = new SpanningTree(
      {
        address: ADDRESS,
        shared: {
          node: 'm',
          boot: BOOT,
          send: (node, report) => {
            this.sent(node).push(decodeTreeReport(report) as TreeReport);
            this.onSent();
          },
          joined: (node, isJoined) => void this.told.push(`${node} ${isJoined ? 'joined' : 'parted'}`),
        },
      },
      { transmit: () => undefined, setState: () => undefined, flush: (port) => void this.flushed.push(port) },
    );
  }

  sent(node: string): TreeReport[] {
    const reports = this.#sent.get(node) ?? [];
    this.#sent.set(node, reports);
    return reports;
  }

  /** Takes the report of a node that has answered all, and agrees. */
  hear(node: string, change: Partial<TreeReport> = {}): void {
    const last = this.sent(node).at(-1);
    const report: TreeReport = {
      ...{ boot: 5, version: 1, answeredBoot: BOOT, answeredVersion: last?.version ?? 0 },
      ...{
        bridgeId: BRIDGE_ID,
        bridgeTimes: TIMES,
        syncs: 0,
        reRoots: 0,
        changes: 0,
        isSynced: true,
        isReRooted: true,
      },
      ...{ selected: OWN_ROOT, root: undefined },
      ...change,
    };
    const octets = encodeTreeReport(report);
    this.tree.reportReceived(node, octets);
    // They belong to the caller again.
    octets.fill(0);
  }

  /** What has been told since the last call. */
  takeTold(): string[] {
    return this.told.splice(0);
  }

  join(...nodes: readonly string[]): void {
    for (const node of nodes) this.tree.nodeUp(node);
    for (const node of nodes) this.hear(node);
    assert.deepEqual(
      this.takeTold(),
      nodes.map((node) => `${node} joined`),
    );
  }

  /** A designated port that forwards towards a bridge that does not agree. */
  addForwarding(number: number): void {
    this.tree.addPort(number, { ...DEFAULT_PORT_SETTINGS, edge: 'off' });
    this.tree.setUp(number, true);
    for (let second = 0; second < 40; second++) this.tree.tick();
    assert.equal(this.tree.ports.get(number)?.state, 'forwarding');
  }
}

test('frames pass to another node as soon as it has answered the present demands, and has the same root', () => {
  for (const [name, change, isJoined] of [
    ['it has answered, and agrees', {}, true],
    ['it has answered a former life of this node', { answeredBoot: 76 }, false],
    ['it has answered former demands', { answeredVersion: 0 }, false],
    ['its root is another one', { selected: { path: vectorOf(1, 5, 8, 0), portId: 0 } }, false],
    ['its root port is another one', { selected: { ...OWN_ROOT, portId: 0x8001 } }, false],
  ] as const) {
    const node = new Node();
    node.tree.nodeUp('a');
    assert.equal(node.sent('a').length, 1, 'a node that comes is told the state');
    node.hear('a', change);
    assert.deepEqual(node.takeTold(), isJoined ? ['a joined'] : [], name);
    const { answeredBoot, answeredVersion } = node.sent('a').at(-1) as TreeReport;
    assert.deepEqual([answeredBoot, answeredVersion], [5, 1], 'what it has said is in the roles of this node');
  }
});

test('what is told: the bridge, the best root path of the ports, and whether they are synchronized and not root ports', () => {
  const node = new Node();
  node.addForwarding(3);
  node.tree.nodeUp('a');
  const { syncs, reRoots, changes, ...first } = node.sent('a').at(-1) as TreeReport;
  assert.deepEqual(first, {
    ...{
      boot: BOOT,
      version: first.version,
      answeredBoot: 0,
      answeredVersion: 0,
      bridgeId: BRIDGE_ID,
      bridgeTimes: TIMES,
    },
    ...{ isSynced: true, isReRooted: true, selected: OWN_ROOT, root: undefined },
  });
  const port = node.tree.ports.get(3);
  assert.ok(port !== undefined);
  port.rrWhile = 3;
  node.tree.tick();
  assert.equal(node.sent('a').at(-1)?.isReRooted, false, 'a port was a root port lately');
  port.synced = false;
  port.agreed = false;
  port.operEdge = false;
  node.tree.tick();
  assert.equal(node.sent('a').at(-1)?.isSynced, false);
  assert.deepEqual([syncs, reRoots], [0, 0]);
  assert.ok(changes > 0, 'the port that became forwarding was a topology change');
});

test('a report is sent when it says something new, and once a second', () => {
  const node = new Node();
  node.join('a', 'b');
  const counts = () => ['a', 'b'].map((name) => node.sent(name).length);
  const before = counts();
  node.hear('a');
  assert.deepEqual(counts(), before, 'nothing is new');
  node.tree.tick();
  assert.deepEqual(
    counts(),
    before.map((count) => count + 1),
  );
  node.tree.nodeUp('a');
  assert.deepEqual(node.takeTold(), [], 'a node that is there already does not come');
  node.hear('a', { version: 2 });
  assert.deepEqual(
    counts(),
    [(before[0] as number) + 2, (before[1] as number) + 1],
    'the answer, to the one that asked',
  );
  const version = node.sent('a').at(-1)?.version as number;
  node.tree.configure({ helloTime: 1 });
  assert.equal(node.sent('a').at(-1)?.version, version + 1, 'other settings must be answered');
  assert.equal(node.sent('b').at(-1)?.bridgeTimes.helloTime, 1);
});

test('another root is told to all nodes at once, and each life of a node is answered', () => {
  const node = new Node();
  node.join('a', 'b');
  const path = vectorOf(1, 5, 1);
  node.hear('a', { version: 2, root: { path, portId: 0x8101, port: 1, times: TIMES } });
  assert.deepEqual(node.sent('b').at(-1)?.selected, { path, portId: 0x8101 });
  for (const [boot, version] of [
    [5, 11],
    [51, 1],
  ] as const) {
    node.hear('b', { boot, version });
    const { answeredBoot, answeredVersion } = node.sent('b').at(-1) as TreeReport;
    assert.deepEqual([answeredBoot, answeredVersion], [boot, version]);
  }
});

test('a report that comes while the machines run waits for them', () => {
  const node = new Node();
  node.tree.nodeUp('a');
  node.tree.nodeUp('b');
  node.onSent = () => {
    node.onSent = () => undefined;
    node.hear('b');
    assert.deepEqual(node.takeTold(), []);
  };
  node.hear('a');
  assert.deepEqual(node.takeTold(), ['a joined', 'b joined']);
});

test('frames pass no longer to a node that has another root for 3 s', () => {
  const node = new Node();
  node.join('a');
  const other = { selected: { path: vectorOf(1, 5, 8, 0), portId: 0 } };
  node.hear('a', other);
  node.tree.tick();
  node.tree.tick();
  node.hear('a');
  node.hear('a', other);
  node.hear('a');
  node.tree.tick();
  node.hear('a', other);
  for (let second = 1; second <= 2; second++) {
    node.tree.tick();
    assert.deepEqual(node.takeTold(), [], `${second} s since it has agreed`);
  }
  node.tree.tick();
  assert.deepEqual(node.takeTold(), ['a parted']);
  node.tree.tick();
  assert.deepEqual(node.takeTold(), [], 'it is told once');
  node.hear('a');
  assert.deepEqual(node.takeTold(), ['a joined']);
});

test('no further node joins while one of those to which frames pass has not answered, or has another root', () => {
  for (const change of [{ answeredVersion: 0 }, { selected: { path: vectorOf(1, 5, 8, 0), portId: 0 } }]) {
    const node = new Node();
    node.join('a');
    node.hear('a', change);
    node.tree.nodeUp('b');
    node.hear('b');
    assert.deepEqual(node.takeTold(), []);
    node.hear('a');
    assert.deepEqual(node.takeTold(), ['b joined']);
  }
});

test('a node that parts no longer keeps others from joining', () => {
  const node = new Node();
  node.addForwarding(3);
  node.join('a');
  node.hear('a', { selected: { path: vectorOf(1, 5, 8, 0), portId: 0 } });
  node.tree.nodeUp('b');
  node.hear('b');
  node.tree.tick();
  node.tree.tick();
  node.flushed.length = 0;
  node.tree.tick();
  assert.deepEqual([node.takeTold(), node.flushed], [['a parted', 'b joined'], [3]]);
});

test('a node without tree is joined at once, is told once, and has no say', () => {
  const node = new Node();
  node.tree.nodeWithoutTree('unknown');
  node.tree.nodeUp('a');
  node.tree.nodeWithoutTree('a');
  node.tree.nodeWithoutTree('a');
  assert.deepEqual(node.takeTold(), ['a joined']);
  node.join('b');
  node.hear('a', { answeredVersion: 0 });
  assert.deepEqual(node.takeTold(), ['a parted'], 'it has a tree now, whose roles are not known');
  node.hear('a');
  assert.deepEqual(node.takeTold(), ['a joined']);
  const root = { path: vectorOf(1, 5, 1), portId: 0x8001, port: 1, times: TIMES };
  node.hear('a', { version: 2, root });
  assert.equal(node.tree.bridge.rootPriority.rootId, idOf(1));
  node.tree.nodeWithoutTree('a');
  assert.equal(node.tree.bridge.rootPriority.rootId, BRIDGE_ID, 'it has no root port any more');
  node.takeTold();
  node.tree.nodeDown('a');
  assert.deepEqual(node.takeTold(), ['a parted']);
});

test('a node that goes takes its root with it, and one that starts again begins anew', () => {
  const node = new Node();
  node.tree.nodeDown('unknown');
  node.join('a');
  const root = { path: vectorOf(1, 5, 1), portId: 0x8001, port: 1, times: TIMES };
  node.hear('a', { version: 2, root, bridgeId: BRIDGE_ID });
  assert.equal(node.tree.bridge.remoteRoot?.node, 'a');
  node.takeTold();
  node.tree.nodeDown('a');
  assert.deepEqual(node.takeTold(), ['a parted']);
  assert.deepEqual([node.tree.bridge.remoteRoot, node.tree.bridge.rootPriority.rootId], [undefined, BRIDGE_ID]);
  node.tree.nodeDown('a');
  assert.deepEqual(node.takeTold(), []);
  node.join('a');
  node.hear('a', { boot: 6, answeredVersion: 0 });
  assert.deepEqual(node.takeTold(), ['a parted'], 'another life of the node');
  node.hear('a', { boot: 6 });
  assert.deepEqual(node.takeTold(), ['a joined']);
});

test('nodes whose settings differ are the best of their bridges; of the same ones, by the first name', () => {
  const better = bridgeIdOf(0x7000, ADDRESS);
  const times = { ...TIMES, helloTime: 1 };
  for (const [name, other, change, expected] of [
    ['a better identifier', 'z', { bridgeId: better, bridgeTimes: times }, [better, 1]],
    ['a worse one', 'a', { bridgeId: bridgeIdOf(0x9000, ADDRESS), bridgeTimes: times }, [BRIDGE_ID, 2]],
    ['the same, and the first name', 'a', { bridgeTimes: times }, [BRIDGE_ID, 1]],
    ['the same, and a later name', 'z', { bridgeTimes: times }, [BRIDGE_ID, 2]],
  ] as const) {
    const node = new Node();
    node.tree.nodeUp('c');
    node.tree.nodeUp(other);
    node.hear(other, change);
    const { bridgeId, bridgeTimes } = node.tree.bridge;
    assert.deepEqual([bridgeId, bridgeTimes.helloTime], expected, name);
    assert.equal(node.sent(other).at(-1)?.bridgeId, BRIDGE_ID, 'its own settings are what it tells');
    node.hear(other, { version: 2 });
    assert.deepEqual(
      [node.tree.bridge.bridgeId, node.tree.bridge.bridgeTimes],
      [BRIDGE_ID, TIMES],
      'they are the same again',
    );
  }
});

test('another identifier of this node, or that of a node that goes, changes that of the bridge', () => {
  const better = bridgeIdOf(0x7000, ADDRESS);
  const open = () => {
    const node = new Node();
    node.addForwarding(3);
    node.tree.nodeUp('a');
    node.hear('a', { bridgeId: better });
    assert.equal(node.tree.bridge.bridgeId, better);
    return node;
  };
  const settled = (node: Node, bridgeId: bigint) => {
    const { bridge, ports } = node.tree;
    assert.deepEqual([bridge.bridgeId, ports.get(3)?.portPriority.bridgeId], [bridgeId, bridgeId]);
    assert.equal(node.tree.runAll(), false, 'the machines have run');
  };
  const configured = open();
  configured.tree.configure({ priority: 4096 });
  settled(configured, bridgeIdOf(4096, ADDRESS));
  configured.tree.configure({ priority: 61_440 });
  settled(configured, better);
  const left = open();
  left.tree.nodeDown('a');
  settled(left, BRIDGE_ID);
  const treeless = open();
  treeless.tree.nodeWithoutTree('a');
  settled(treeless, BRIDGE_ID);
  const unheard = new Node();
  unheard.tree.nodeUp('b');
  unheard.tree.nodeDown('b');
  assert.deepEqual(unheard.takeTold(), [], 'a node that was not joined parts from nothing');
});

test('reports of another bridge, of unknown nodes, and octets that are none are ignored', () => {
  const node = new Node();
  node.tree.nodeUp('a');
  node.hear('unknown');
  node.hear('a', { bridgeId: idOf(1) });
  node.hear('a', { bridgeId: (BRIDGE_ID + 1n) as BridgeId });
  node.tree.reportReceived('a', new Uint8Array(3));
  assert.deepEqual(node.takeTold(), []);
  assert.equal(node.tree.bridge.bridgeId, BRIDGE_ID);
  node.hear('a');
  assert.deepEqual(node.takeTold(), ['a joined']);
});

test('what another node demands of all ports is done once for each demand', () => {
  const state = (node: Node) => node.tree.ports.get(3)?.state;
  const open = () => {
    const node = new Node();
    node.addForwarding(3);
    node.join('a');
    return { node, port: node.tree.ports.get(3) as NonNullable<ReturnType<SpanningTree['ports']['get']>> };
  };
  const synced = open();
  Object.assign(synced.port, { synced: false, agreed: false });
  synced.node.hear('a', { version: 2, syncs: 1 });
  assert.equal(state(synced.node), 'discarding', 'setSyncTree (17.21.14)');
  const reRooted = open();
  reRooted.port.rrWhile = 9;
  reRooted.node.hear('a', { version: 2, reRoots: 1 });
  assert.equal(state(reRooted.node), 'discarding', 'setReRootTree (17.21.15)');
  const { node } = open();
  node.flushed.length = 0;
  node.hear('a', { changes: 1 });
  assert.deepEqual(node.flushed, [3], 'setTcPropTree (17.21.18)');
  // A demand would make a port discard that was a root port lately.
  (node.tree.ports.get(3) as { rrWhile: number }).rrWhile = 9;
  for (const change of [{ changes: 1 }, { changes: 1, version: 2 }]) node.hear('a', change);
  assert.deepEqual([node.flushed, state(node)], [[3], 'forwarding'], 'nothing more is demanded');
});

test('a node that joins is a topology change of the ports of this one (17.31)', () => {
  const node = new Node();
  node.addForwarding(3);
  node.flushed.length = 0;
  node.join('a');
  assert.deepEqual(node.flushed, [3]);
});

test('a node that comes with a better root makes all ports synchronize and reroot, at all nodes (17.29.2)', () => {
  const rootOf = (path: TreeReport['selected']['path']) => ({ path, portId: 0x7101, port: 1, times: TIMES });
  const present = rootOf(vectorOf(2, 5, 2));
  for (const [name, before, after, isDemanded] of [
    ['a root, and there was none', undefined, present, true],
    ['no root', undefined, undefined, false],
    ['no root, and there is one', present, undefined, false],
    ['the same way', present, present, false],
    ['another root at the same cost', present, rootOf(vectorOf(1, 5, 2)), true],
    ['the same root at another cost', present, rootOf(vectorOf(2, 4, 2)), true],
  ] as const) {
    const node = new Node();
    node.addForwarding(3);
    node.join('b');
    node.hear('b', { version: 2, root: before });
    node.tree.nodeUp('a');
    const { syncs, reRoots, version } = node.sent('a').at(-1) as TreeReport;
    node.hear('a', { root: after });
    const last = node.sent('a').at(-1) as TreeReport;
    const demand = isDemanded ? 1 : 0;
    assert.deepEqual(
      [last.syncs - syncs, last.reRoots - reRoots, last.version - version],
      [demand, demand, demand],
      name,
    );
  }
});

/** A message of a designated port with a better root, which proposes. */
function proposal(): Uint8Array {
  const message = { type: 'rst', flags: 0x0e, ...vectorOf(1, 0, 1), ...TIMES } as const;
  return encodeBpdu(message, 0x0200_0000_9001 as MacAddress);
}

test('a port that was the root port demands the same when another node has a port as good (17.29.2)', () => {
  const node = new Node();
  node.tree.addPort(3, DEFAULT_PORT_SETTINGS);
  node.tree.setUp(3, true);
  node.tree.received(3, proposal(), 0, 60);
  const { path } = node.tree.bridge.localRoot as { path: TreeReport['selected']['path'] };
  node.tree.nodeUp('a');
  const { syncs, reRoots } = node.sent('a').at(-1) as TreeReport;
  node.hear('a', { root: { path, portId: 0x7101, port: 1, times: TIMES } });
  assert.equal(node.tree.ports.get(3)?.role, 'alternate');
  const last = node.sent('a').at(-1) as TreeReport;
  assert.ok(last.syncs > syncs && last.reRoots > reRoots);
});

test('a root port agrees at once while its node is alone, and else when all others have answered, and are synchronized', () => {
  const open = (...others: readonly string[]) => {
    const node = new Node();
    node.tree.addPort(3, DEFAULT_PORT_SETTINGS);
    node.tree.setUp(3, true);
    node.join(...others);
    node.tree.received(3, proposal(), 0, 60);
    const port = node.tree.ports.get(3);
    assert.ok(port !== undefined && port.role === 'root');
    return { node, port };
  };
  assert.equal(open().port.agree, true);
  const { node, port } = open('a', 'b');
  const { version, selected } = node.sent('a').at(-1) as TreeReport;
  const synced = { answeredVersion: version, selected };
  node.hear('b', synced);
  for (const [name, change] of [
    ['the former demands are answered', { answeredVersion: version - 1, selected }],
    ['all demands are answered, with the former root', { answeredVersion: version }],
    ['its ports are not synchronized', { ...synced, isSynced: false }],
  ] as const) {
    node.hear('a', change);
    assert.equal(port.agree, false, name);
  }
  node.hear('a', synced);
  assert.equal(port.agree, true);
  node.hear('b', { ...synced, isSynced: false });
  assert.equal(port.agree, true, 'what was agreed stays so');
  node.hear('b', synced);
  // As after an agreement that is void: the next proposal is a demand of its own, though no root changes.
  port.agree = false;
  node.tree.received(3, proposal(), 0, 60);
  assert.equal(port.agree, false);
  const again = { answeredVersion: node.sent('a').at(-1)?.version as number, selected };
  assert.equal(again.answeredVersion, version + 1);
  for (const name of ['a', 'b']) node.hear(name, again);
  assert.equal(port.agree, true);
});

test('of nodes with the same identifier and other times the first name counts, in whatever order they come', () => {
  for (const order of ['ac', 'ca']) {
    const node = new Node();
    for (const name of order) node.tree.nodeUp(name);
    for (const name of order) node.hear(name, { bridgeTimes: { ...TIMES, helloTime: name === 'a' ? 1 : 3 } });
    assert.equal(node.tree.bridge.bridgeTimes.helloTime, 1, order);
  }
});
