import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshLab, type MeshNode, type StationPort, stationFrame } from '../../../test/support/mesh-lab.ts';
import type { BridgePortSettings } from '../../bridge/port-settings.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { MESH_ADDRESS } from '../../wire/mesh/mesh-frame.ts';

const BROADCAST = 0xffff_ffff_ffff;
const [ADA, BEN, CEM, DAN] = [1, 2, 3, 4].map((number) => 0x0200_0000_0000 + number) as [
  number,
  number,
  number,
  number,
];

/** Nodes a and b, each with an isolated port and one that is not. */
class Leaves {
  readonly lab = new MeshLab('ab');
  readonly at: readonly { readonly isolated: StationPort; readonly open: StationPort }[];

  constructor() {
    this.at = this.lab.nodes.map((node) => {
      const [isolated, open] = [node.addStations(), node.addStations()];
      this.set(node, isolated, { isIsolated: true });
      return { isolated, open };
    });
    this.lab.pass(2000);
  }

  set({ bridge }: MeshNode, { port }: StationPort, settings: Partial<BridgePortSettings>): void {
    bridge.setSettings(port, { ...port.settings, ...settings });
  }

  get a() {
    return this.at[0] as { readonly isolated: StationPort; readonly open: StationPort };
  }

  get b() {
    return this.at[1] as { readonly isolated: StationPort; readonly open: StationPort };
  }

  /** @returns how many frames have left by the isolated port and by the other one of each node */
  say(by: StationPort, from: number, to = BROADCAST, count = 1): number[] {
    const ports = this.at.flatMap(({ isolated, open }) => [isolated, open]);
    for (const { heard } of ports) heard.length = 0;
    for (let number = 0; number < count; number++) by.memory.deliver(stationFrame(to, from + number));
    this.lab.pass(20);
    return ports.map(({ heard }) => heard.length);
  }

  /** How many frames node a has refused to send to node b because of isolation. */
  get refused(): number {
    return this.lab.link('a', 'b').ports[0].tx.discards.isolated;
  }
}

test('a frame of an isolated port reaches no isolated port of another node, flooded or known', () => {
  const leaves = new Leaves();
  const { a, b } = leaves;
  assert.deepEqual(leaves.say(a.isolated, ADA), [0, 1, 0, 1]);
  assert.equal(b.isolated.port.tx.discards.isolated, 1);
  assert.deepEqual(leaves.say(a.open, BEN), [1, 0, 1, 1]);
  assert.deepEqual(leaves.say(b.isolated, CEM), [0, 1, 0, 1]);
  assert.deepEqual(leaves.say(b.open, DAN), [1, 1, 1, 0]);
  assert.equal(leaves.refused, 0);
  assert.deepEqual(leaves.say(a.isolated, ADA, DAN), [0, 0, 0, 1]);
  assert.deepEqual(leaves.say(a.isolated, ADA, CEM), [0, 0, 0, 0]);
  assert.equal(leaves.refused, 1, 'it does not leave to the node of an isolated station');
  assert.deepEqual(leaves.say(a.open, BEN, CEM), [0, 0, 1, 0]);
});

test('a frame of an isolated port leaves to a node only if its source was announced there', () => {
  const leaves = new Leaves();
  const { a } = leaves;
  // Behind the first four the announcements wait for the batch.
  const [, , , open = 0] = leaves.say(a.isolated, 0x0200_0001_0000, BROADCAST, 50);
  assert.equal(open + leaves.refused, 50);
  assert.ok(leaves.refused >= 40, `${leaves.refused} were refused`);
  assert.equal(leaves.say(a.isolated, 0x0200_0001_0000, BROADCAST, 50)[3], 50, 'now all are announced');
  leaves.set(leaves.lab.node('a'), a.isolated, { isLearning: false });
  const before = leaves.refused;
  assert.deepEqual(leaves.say(a.isolated, ADA), [0, 1, 0, 0]);
  assert.equal(leaves.refused - before, 1, 'a station that is not learned is announced nowhere');
  leaves.say(a.open, BEN);
  assert.deepEqual(leaves.say(a.isolated, BEN), [0, 1, 0, 0], 'nor one that is known at another port');
});

test('what is not announced reaches an isolated port only from a node of which all is known', () => {
  const leaves = new Leaves();
  const { lab, a, b } = leaves;
  leaves.set(lab.node('a'), a.open, { isLearning: false });
  assert.deepEqual(leaves.say(a.open, BEN), [1, 0, 1, 1], 'as those of ports that do not learn');
  lab.node('b').bridge.entries.set(UNTAGGED, CEM as MacAddress, b.isolated.port, 'static', lab.nowMs);
  assert.deepEqual(leaves.say(a.open, CEM), [1, 0, 1, 1], 'or of a station that is set elsewhere');
  lab.isLost = (frame) => frame.readUIntBE(0, 6) === MESH_ADDRESS;
  lab.link('a', 'b').cut();
  lab.link('a', 'b').join();
  assert.deepEqual(leaves.say(a.open, BEN), [1, 0, 0, 1]);
  assert.equal(b.isolated.port.tx.discards.isolated, 1);
  lab.isLost = () => false;
  lab.pass(70_000);
  assert.deepEqual(leaves.say(a.open, BEN), [1, 0, 1, 1]);
});
