import assert from 'node:assert/strict';
import type { FilteringEntry } from '../../src/bridge/filtering-entry.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import { MESH_ADDRESS } from '../../src/wire/mesh/mesh-frame.ts';
import { STATION_KINDS } from '../../src/wire/mesh/station-records.ts';
import { MeshLab, type MeshNode, type StationPort } from './mesh-lab.ts';
import { Random } from './random.ts';

const BROADCAST = 0xffff_ffff_ffff;
const STEPS = 60;
const AGEING_MS = 300_000;

interface Station {
  readonly mac: MacAddress;
  readonly vid: Vid;
  at: StationPort;
}

/** A mesh of random size with stations that talk and move, and what must hold of it. */
class RandomMesh {
  readonly random: Random;
  readonly lab: MeshLab;
  readonly ports: StationPort[];
  readonly stations: Station[];
  readonly isSmall: boolean;
  /** Nothing happens but that stations talk and move: then all know at once where each is. */
  readonly isFaultless: boolean;
  questions = 0;
  #note = 0;
  #lossPercent = 0;

  constructor(seed: number) {
    const random = new Random(seed);
    this.random = random;
    this.isSmall = random.once(5);
    this.isFaultless = !this.isSmall && random.once(3);
    const options = { ageingTimeMs: AGEING_MS, ...(this.isSmall ? { fdbCapacity: 8 } : {}) };
    this.lab = new MeshLab('abcde'.slice(0, random.between(3, 5)), () => options);
    this.lab.latencyMs = () => random.below(4);
    this.lab.isLost = (frame) => {
      if (frame.readUIntBE(0, 6) !== MESH_ADDRESS) return false;
      if (frame[18] === STATION_KINDS.wantWhole) this.questions++;
      return random.below(100) < this.#lossPercent;
    };
    for (const node of this.lab.nodes) for (let count = random.between(1, 3); count > 0; count--) node.addStations();
    this.ports = this.lab.nodes.flatMap(({ stations }) => stations);
    this.stations = Array.from({ length: random.between(2, 12) }, (_, number) => ({
      mac: (0x0200_0000_0001 + number) as MacAddress,
      vid: (random.once(3) ? 5 : 0) as Vid,
      at: random.pick(this.ports),
    }));
    this.lab.pass(100);
  }

  /** A station sends a frame, which no port gets twice, and its own not at all. */
  speak(station: Station, to: number = this.#anyDestination()): number {
    const { mac, vid, at } = station;
    const note = ++this.#note;
    at.memory.deliver(frameOf(to, mac, vid, note));
    return note;
  }

  #anyDestination(): number {
    return this.random.once(2) ? BROADCAST : this.random.pick(this.stations).mac;
  }

  /** How often each port has got a frame, and forgets what was got. */
  heard(): Map<number, StationPort[]> {
    const by = new Map<number, StationPort[]>();
    for (const port of this.ports) {
      for (const frame of port.heard.splice(0)) {
        const note = frame.readUInt32BE(frame.length - 4);
        by.set(note, [...(by.get(note) ?? []), port]);
      }
    }
    return by;
  }

  assertNoneTwice(when: string): void {
    for (const [note, ports] of this.heard()) {
      assert.equal(new Set(ports).size, ports.length, `${when}: frame ${note} came twice to a port`);
    }
  }

  step(): string {
    const { random, lab } = this;
    const station = random.pick(this.stations);
    const link = random.pick(lab.links);
    switch (this.isFaultless ? random.pick([4, 10]) : random.below(12)) {
      case 0:
        link.cut();
        return `${link.ends.map(({ name }) => name).join()} cut`;
      case 1:
      case 2:
        link.join();
        return `${link.ends.map(({ name }) => name).join()} joined`;
      case 3:
        this.#lossPercent = random.pick([0, 10, 50, 100]);
        return `${this.#lossPercent} % of messages are lost`;
      case 4:
      case 5:
        station.at = random.pick(this.ports);
        this.speak(station);
        return `${station.mac.toString(16)} moves`;
      case 6:
        random.pick(lab.nodes).bridge.entries.flush();
        return 'a node is flushed';
      case 7: {
        const port = random.pick(this.ports);
        port.memory.setLink('down');
        port.memory.setLink('up');
        return 'a port goes down and up';
      }
      case 8:
        lab.pass(random.once(4) ? random.below(2 * AGEING_MS) : random.below(20_000));
        return 'time passes';
      default:
        for (let count = random.between(1, 5); count > 0; count--) this.speak(random.pick(this.stations));
        return 'stations speak';
    }
  }

  /** All faults end, and all that takes time has had it. */
  calm(): void {
    for (const link of this.lab.links) link.join();
    this.#lossPercent = 0;
    // A repair that met losses again and again waits longer before the next one.
    this.lab.pass(130_000);
  }

  entry({ bridge }: MeshNode, { vid, mac }: Station): FilteringEntry | undefined {
    return bridge.entries.find(vid, mac);
  }

  /** Each station is at one node at most, and all others have been told so. */
  assertAgreed(when: string): void {
    for (const station of this.stations) {
      const entries = this.lab.nodes.map((node) => this.entry(node, station));
      const own = entries.filter((entry) => entry !== undefined && entry.port.meshNode === undefined);
      const shown = entries.map((entry) => `${entry?.kind} ${entry?.port.meshNode ?? 'here'} ${entry?.sequence}`);
      const name = `${when}: ${station.mac.toString(16)} ${shown.join(', ')}`;
      assert.ok(own.length <= 1, `${name}: two nodes have it`);
      const at = entries.findIndex((entry) => entry !== undefined && entry === own[0]);
      entries.forEach((entry, index) => {
        if (entry === own[0]) return;
        // One that was learned from frames ages as in any bridge.
        if (own[0] === undefined) assert.notEqual(entry?.kind, 'told', name);
        else if (!this.isSmall) {
          assert.equal(entry?.kind, 'told', name);
          assert.equal(entry?.port.meshNode, this.lab.nodes[at]?.name, name);
          assert.equal(entry?.sequence, own[0].sequence, `${name} at ${index}`);
        }
      });
    }
  }

  /** Each station that has spoken is known at its place, by all. */
  assertPlaces(when: string): void {
    this.assertAgreed(when);
    for (const station of this.stations) {
      const node = this.lab.nodes.find(({ stations }) => stations.includes(station.at));
      const entry = node && this.entry(node, station);
      if (entry !== undefined)
        assert.equal(entry.port.number, station.at.port.number, `${when}: place of ${station.mac.toString(16)}`);
    }
  }

  /** Frames to stations that all know come to them, and to no other port. */
  assertReached(when: string): void {
    for (const from of this.stations) {
      for (const to of this.stations) {
        if (to.vid !== from.vid || to.at === from.at) continue;
        const note = this.speak(from, to.mac);
        this.lab.pass(20);
        const ports = this.heard().get(note) ?? [];
        const isRight = this.isSmall ? ports.includes(to.at) : ports.length === 1 && ports[0] === to.at;
        assert.ok(isRight, `${when}: from ${from.mac.toString(16)} to ${to.mac.toString(16)}: ${ports.length} ports`);
      }
    }
  }
}

function frameOf(to: number, from: number, vid: Vid, note: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUIntBE(to, 0, 6);
  head.writeUIntBE(from, 6, 6);
  const rest = Buffer.alloc(52);
  rest.writeUInt16BE(0x0800, 0);
  rest.writeUInt32BE(note, 48);
  return Buffer.concat([head, vid === 0 ? Buffer.alloc(0) : Buffer.from([0x81, 0, 0, vid]), rest]);
}

/**
 * Lets a random mesh live: stations talk and move, links are cut and joined, messages are lost. Then checks that no frame has
 * come twice, that no station is stuck, and that all nodes agree.
 * @throws AssertionError that says what is wrong
 */
export function liveInMesh(seed: number): void {
  const world = new RandomMesh(seed);
  for (let number = 0; number < STEPS; number++) {
    const what = world.step();
    world.lab.pass(world.random.below(50));
    world.assertNoneTwice(`seed ${seed}, step ${number}, ${what}`);
    if (!world.isFaultless) continue;
    world.lab.pass(20);
    world.assertPlaces(`seed ${seed}, step ${number}, ${what}`);
  }
  world.calm();
  world.assertAgreed(`seed ${seed}, at rest`);
  for (const station of world.stations) {
    world.speak(station, BROADCAST);
    world.lab.pass(20);
  }
  world.lab.pass(1500);
  world.heard();
  world.assertAgreed(`seed ${seed}, after all have spoken`);
  if (!world.isSmall) world.assertPlaces(`seed ${seed}, after all have spoken`);
  world.assertReached(`seed ${seed}`);
  world.questions = 0;
  world.lab.pass(70_000);
  if (!world.isSmall) assert.equal(world.questions, 0, `seed ${seed}: nodes that agree ask nothing`);
}
