import assert from 'node:assert/strict';
import { DEFAULT_SETTINGS } from '../../src/bridge/port-settings.ts';
import { PortVlans } from '../../src/bridge/port-vlans.ts';
import type { Tpid } from '../../src/wire/ethernet/tag.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import { VidSet } from '../../src/wire/ethernet/vid-set.ts';
import { MeshLab, type MeshNode, type StationPort } from './mesh-lab.ts';
import type { Random } from './random.ts';
import { type ModelFrame, type ModelPort, octetsOf, VlanOracle } from './vlan-oracle.ts';
import { anyModelFrame, anyModelPort } from './vlan-traffic.ts';

/** Longer than any way between two nodes, and than the announcement of a station takes. */
const CALM_MS = 30;

interface VlanPort extends StationPort {
  readonly node: MeshNode;
}

/** Ports in VLANs at the nodes of a mesh, and the model of one switch that has all of them. */
export class VlanMesh {
  readonly oracle: VlanOracle;
  readonly #lab: MeshLab;
  readonly #ports: readonly VlanPort[];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.#lab = new MeshLab('abcd'.slice(0, random.between(2, 4)));
    this.#lab.latencyMs = () => random.below(4);
    this.#ports = this.#lab.nodes.flatMap((node) =>
      Array.from({ length: random.between(1, 3) }, () => ({ node, ...node.addStations() })),
    );
    this.oracle = new VlanOracle(this.#ports.map(() => anyModelPort(random)));
    this.#lab.pass(100);
    for (const [at, settings] of this.oracle.ports.entries()) this.set(at, settings);
  }

  set(at: number, model: ModelPort): void {
    this.oracle.set(at, model);
    const { node, port } = this.#ports[at] as VlanPort;
    node.bridge.setSettings(port, { ...DEFAULT_SETTINGS, vlans: vlansOf(model) });
    // Equal settings would change nothing, but the model always forgets.
    node.bridge.forgetAddresses(port);
    this.#lab.pass(CALM_MS);
  }

  /** Sends frames as one batch into a port of both, and compares what leaves, and how often. */
  send(at: number, frames: readonly ModelFrame[], context: string): void {
    const expected: string[][] = this.#ports.map(() => []);
    for (const frame of frames) {
      const outcome = this.oracle.receive(at, frame);
      if ('refused' in outcome) continue;
      for (const [to, sent] of outcome.sent) expected[to]?.push(octetsOf(sent).toString('hex'));
    }
    this.#ports[at]?.memory.deliver(...frames.map(octetsOf));
    this.#lab.pass(CALM_MS);
    const left = this.#ports.map(({ heard }) => heard.splice(0).map((octets) => octets.toString('hex')));
    assert.deepEqual(left, expected, context);
  }

  /** Each station of the model is known by all nodes, in its VLAN, at its node. */
  assertLearned(context: string): void {
    for (const [vid, mac, at] of this.oracle.stations()) {
      const { node: home, port: place } = this.#ports[at] as VlanPort;
      for (const node of this.#lab.nodes) {
        const entry = node.bridge.entries.find(vid as Vid, mac);
        const where = `${context}: ${mac.toString(16)} of VLAN ${vid} at ${node.name}`;
        if (node === home) assert.equal(entry?.port, place, where);
        else assert.deepEqual([entry?.kind, entry?.port.meshNode], ['told', home.name], where);
      }
    }
  }

  /** Lives for some steps: ports get other settings, stations send and move. */
  live(steps: number, context: string): void {
    const random = this.#random;
    for (let step = 0; step < steps; step++) {
      const at = random.below(this.#ports.length);
      if (random.once(15)) this.set(at, anyModelPort(random));
      const frames = Array.from({ length: random.between(1, 4) }, () => anyModelFrame(random));
      const where = `${context}, step ${step}, ${this.#describe()} at ${at}`;
      this.send(at, frames, where);
      this.assertLearned(where);
    }
  }

  #describe(): string {
    return this.oracle.ports
      .map(({ mode, pvid, vlans, tpid }, at) => {
        const set = vlans.size < 9 ? [...vlans] : 'all';
        return `${this.#ports[at]?.node.name}:${mode}/${pvid}/${set}/${tpid.toString(16)}`;
      })
      .join(' ');
  }
}

export function vlansOf({ mode, pvid, vlans, tpid }: ModelPort): PortVlans | undefined {
  const set = VidSet.of([...vlans].map((vid) => [vid, vid]));
  return PortVlans.of({ mode, pvid: pvid as Vid, vlans: set, tpid: tpid as Tpid });
}
