import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshLab, type MeshNode, type StationPort, stationFrame } from '../../../test/support/mesh-lab.ts';
import { IngressPolicy, SourceClaims } from '../../bridge/ingress-policy.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';

const BROADCAST = 0xffff_ffff_ffff;
const [ADA, BEN] = [0x0200_0000_0001, 0x0200_0000_0002] as [MacAddress, MacAddress];

/** Ports that claim the first addresses that they use, one at each node. */
class Claimants {
  readonly lab: MeshLab;
  readonly ports: readonly StationPort[];

  constructor(names: string) {
    this.lab = new MeshLab(names);
    this.ports = this.lab.nodes.map((node) => node.addStations());
    for (const { port } of this.ports)
      port.policy = new IngressPolicy({ claims: 1 }, new SourceClaims(), this.lab.nowMs);
    this.lab.pass(2000);
  }

  /** @returns whether the frame was taken */
  speak(at: number, source: number): boolean {
    const { memory, port } = this.ports[at] as StationPort;
    const before = port.rx.discards.sourceDenied;
    memory.deliver(stationFrame(BROADCAST, source));
    this.lab.pass(10);
    return port.rx.discards.sourceDenied === before;
  }

  policyAt(at: number): IngressPolicy {
    const { policy } = (this.ports[at] as StationPort).port;
    assert.ok(policy);
    return policy;
  }

  async remove(at: number): Promise<void> {
    const { memory, port } = this.ports[at] as StationPort;
    await (this.lab.nodes[at] as MeshNode).remove(memory, port);
    this.lab.pass(10);
  }
}

test('an address that a port of a node has claimed is no other node’s to claim, while it is known there', async () => {
  const claimants = new Claimants('abc');
  assert.ok(claimants.speak(0, ADA));
  assert.deepEqual([claimants.speak(1, ADA), claimants.speak(2, ADA)], [false, false]);
  for (const { bridge, name } of claimants.lab.nodes.slice(1)) {
    assert.equal(bridge.entries.find(UNTAGGED, ADA)?.port.meshNode, 'a', `the station stays at a, as ${name} knows`);
  }
  // What was refused has claimed nothing.
  assert.ok(claimants.speak(1, BEN));
  assert.ok(!claimants.speak(0, BEN));
  assert.ok(claimants.speak(0, ADA));
  await claimants.remove(0);
  assert.ok(claimants.speak(2, ADA), 'free when the port is gone');
});

test('an address that a client has claimed at a node is its own at the next one, while the nodes still know it there', () => {
  const claimants = new Claimants('abc');
  assert.ok(claimants.speak(0, ADA));
  claimants.policyAt(1).bring([ADA], 'a');
  assert.ok(!claimants.speak(2, ADA), 'c was told nothing');
  assert.ok(claimants.speak(1, ADA));
  const at = claimants.lab.nodes[2]?.bridge.entries.find(UNTAGGED, ADA)?.port.meshNode;
  assert.equal(at, 'b', 'all have heard that it moved');
});

test('a client brings no address that was seen at a third place, nor more than it may claim', () => {
  const claimants = new Claimants('abc');
  assert.ok(claimants.speak(2, ADA));
  const policy = claimants.policyAt(1);
  policy.bring([ADA, BEN], 'a');
  assert.deepEqual([...policy.brought], [ADA]);
  assert.ok(!claimants.speak(1, ADA), 'it is at c');
  assert.ok(claimants.speak(2, ADA));
  policy.change({}, 0);
  assert.deepEqual([...policy.brought], [], 'without the rule it brings none');
});

test('what a client brings is kept for it from the other ports of its node', () => {
  const claims = new SourceClaims();
  const [hers, his] = [0, 1].map(() => new IngressPolicy({ claims: 2 }, claims, 0)) as [IngressPolicy, IngressPolicy];
  assert.ok(his.admit(BEN, false));
  hers.bring([ADA, BEN], 'a');
  assert.deepEqual([...hers.brought], [ADA], 'one that is taken is not brought');
  assert.ok(!his.admit(ADA, false));
  assert.ok(hers.admit(ADA, false));
  assert.deepEqual([[...hers.claimed], [...hers.brought]], [[ADA], []]);
  hers.bring([ADA], 'a');
  hers.release();
  assert.ok(his.admit(ADA, false));
});

test('what a client brings and does not use is free again later, and is not taken from the station that has it by then', () => {
  const claimants = new Claimants('abc');
  assert.ok(claimants.speak(0, ADA));
  const policy = claimants.policyAt(1);
  policy.bring([ADA, BEN], 'a');
  policy.dropBrought();
  assert.deepEqual([...policy.brought], []);
  assert.ok(!claimants.speak(1, ADA), 'it is at a');
});
