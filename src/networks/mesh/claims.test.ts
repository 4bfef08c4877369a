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
