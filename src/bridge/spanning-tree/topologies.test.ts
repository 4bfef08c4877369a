import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../test/support/random.ts';
import { RSTP_TOPOLOGIES, STP_TOPOLOGIES, type Topology } from '../../../test/support/stp-topologies.ts';
import { type VirtualBridge, VirtualLan } from '../../../test/support/virtual-lan.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';

const DEFAULT_SECONDS = 120;
const ALL = [...new Map([...RSTP_TOPOLOGIES, ...STP_TOPOLOGIES].map((each) => [each.name, each])).values()];

type Version = (index: number) => 'stp' | 'rstp';
const VERSIONS: Readonly<Record<string, Version>> = {
  RSTP: () => 'rstp',
  STP: () => 'stp',
  'RSTP and STP mixed': (index) => (index % 2 === 0 ? 'rstp' : 'stp'),
};

for (const [label, version] of Object.entries(VERSIONS)) {
  for (const topology of ALL) {
    test(`${label}: ${topology.name}`, () => play(topology, version));
  }
}

function play(topology: Topology, version: Version): void {
  const lan = new VirtualLan(new Random(1));
  for (const [index, [address, ports, priority = 0x8000]] of topology.bridges.entries()) {
    const bridge = lan.addBridge({ address: address as MacAddress, priority, forceVersion: version(index) });
    setPorts(bridge, ports, topology.cost);
  }
  for (const [at, { change = {}, seconds = DEFAULT_SECONDS, root, expect }] of topology.steps.entries()) {
    for (const [index, { ports, priority }] of Object.entries(change)) {
      const bridge = lan.bridges[Number(index)] as VirtualBridge;
      if (ports !== undefined) setPorts(bridge, ports, topology.cost);
      if (priority !== undefined) bridge.tree.configure({ priority });
    }
    lan.run(seconds * 1000);
    for (const [index, expected] of Object.entries(expect)) {
      const bridge = lan.bridges[Number(index)] as VirtualBridge;
      assert.equal(statesOf(bridge), expected, `step ${at}, bridge ${index}`);
      if (root !== undefined) {
        assert.equal(bridge.tree.bridge.rootPriority.rootId, lan.bridges[root]?.tree.bridge.bridgeId, `step ${at}`);
      }
      assert.equal(bridge.tree.unsettled, 0);
    }
  }
}

function setPorts(bridge: VirtualBridge, text: string, defaultCost: number): void {
  for (const [index, spec] of text.split(' ').entries()) {
    const [, segment = '', cost, priority] = /^(\w?)(?::(\d+))?(?:\^(\d+))?$/.exec(spec) ?? [];
    if (segment === '' || segment === '_') continue;
    const port = bridge.ports[index] ?? bridge.addPort();
    // As with a cable that is moved: the link goes down and comes up.
    bridge.setUp(port, false);
    if (segment === 'X') continue;
    bridge.connect(port, segment === '0' ? undefined : bridge.lan.segment(segment));
    bridge.configure(port, {
      pathCost: cost === undefined ? defaultCost : Number(cost),
      ...(priority !== undefined && { priority: Number(priority) }),
    });
    bridge.setUp(port, true);
  }
}

function statesOf({ tree, ports }: VirtualBridge): string {
  return ports
    .map(({ number, state, isUp }) => {
      if (!isUp) return '-';
      if (state !== 'forwarding') return 'B';
      const isRoot = tree.bridge.rootPort?.number === number;
      return isRoot ? `R:${tree.bridge.rootPriority.rootPathCost}` : 'F';
    })
    .join(' ');
}
