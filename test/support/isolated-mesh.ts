import assert from 'node:assert/strict';
import { DEFAULT_SETTINGS } from '../../src/bridge/port-settings.ts';
import { MESH_ADDRESS } from '../../src/wire/mesh/mesh-frame.ts';
import { MeshLab, type MeshNode, type StationPort, stationFrame } from './mesh-lab.ts';
import type { Random } from './random.ts';

const BROADCAST = 0xffff_ffff_ffff;
const FIRST_STATION = 0x0200_0000_0001;
const STATIONS = 8;
/** A station at a port that does not learn, by the number of the port. */
const UNLEARNED = 0x0200_0000_1000;
/** Longer than any way between two nodes, and than an announcement takes. */
const CALM_MS = 30;
/** Until a digest has shown that what a node had announced of a station that has moved is out of date. */
const SETTLED_MS = 2100;

interface Place extends StationPort {
  readonly node: MeshNode;
  isIsolated: boolean;
  isLearning: boolean;
}

/** Ports at the nodes of a mesh of which some are isolated. */
export class IsolatedMesh {
  readonly lab: MeshLab;
  readonly places: readonly Place[];
  readonly #random: Random;
  /** Where one switch would have learned each station. */
  readonly #stations = new Map<number, number>();
  /** The port that each frame came from, by its number. */
  readonly #origins: number[] = [];
  #refusedPercent = 0;

  /** @param fdbCapacity of each node */
  constructor(random: Random, fdbCapacity = 65_536) {
    this.#random = random;
    this.lab = new MeshLab('abcd'.slice(0, random.between(2, 4)), () => ({ fdbCapacity }));
    this.lab.latencyMs = () => random.below(4);
    for (const { ways } of this.lab.links) for (const { memory } of ways) this.#mayRefuse(memory);
    this.places = this.lab.nodes.flatMap((node) =>
      Array.from({ length: random.between(1, 3) }, () => ({
        ...{ node, isIsolated: false, isLearning: true },
        ...node.addStations(),
      })),
    );
    // The first questions are lost, since the other ends are not open yet.
    this.lab.pass(2000);
    for (const at of this.places.keys()) this.change(at);
  }

  /** Now and then the queue of a tunnel is full when a message of the mesh comes. */
  #mayRefuse(memory: StationPort['memory']): void {
    const send = memory.send.bind(memory);
    memory.send = (batch, index) => {
      const isOfMesh = Buffer.from(batch.frame(index)).readUIntBE(0, 6) === MESH_ADDRESS;
      return isOfMesh && this.#random.below(100) < this.#refusedPercent ? 'queueFull' : send(batch, index);
    };
  }

  /** A port is isolated, or not; an isolated one learns, since no other node would know its stations. */
  change(at: number): void {
    const place = this.places[at] as Place;
    place.isIsolated = this.#random.once(2);
    place.isLearning = place.isIsolated || !this.#random.once(4);
    const { isIsolated, isLearning } = place;
    place.node.bridge.setSettings(place.port, { ...DEFAULT_SETTINGS, isIsolated, isLearning });
  }

  #speak(at: number): { source: number; destination: number } {
    const { isLearning, memory } = this.places[at] as Place;
    const any = (): number => FIRST_STATION + this.#random.below(STATIONS);
    const source = isLearning ? any() : UNLEARNED + at;
    const destination = this.#random.once(3) ? BROADCAST : any();
    memory.deliver(stationFrame(destination, source, this.#origins.push(at) - 1));
    return { source, destination };
  }

  /** How often each port has got a frame since the last call; none of an isolated port at an isolated one. */
  #heard(context: string): Map<number, number[]> {
    const heard = new Map<number, number[]>();
    for (const [at, { heard: frames, isIsolated }] of this.places.entries()) {
      for (const frame of frames.splice(0)) {
        const number = frame.readUInt32BE(40);
        const from = this.#origins[number] as number;
        const isLeak = isIsolated && this.places[from]?.isIsolated;
        assert.ok(!isLeak, `${context}: a frame of isolated port ${from} at isolated port ${at}`);
        heard.set(number, [...(heard.get(number) ?? []), at]);
      }
    }
    return heard;
  }

  /** Lives without faults: each frame leaves as from one switch with all ports. */
  liveAsOne(steps: number, context: string): void {
    const random = this.#random;
    for (let step = 0; step < steps; step++) {
      if (random.once(8)) this.change(random.below(this.places.length));
      this.lab.pass(SETTLED_MS);
      const at = random.below(this.places.length);
      const first = this.#origins.length;
      const frames = Array.from({ length: random.between(1, 3) }, () => this.#speak(at));
      this.lab.pass(CALM_MS);
      const heard = this.#heard(`${context}, step ${step}, ${this.#describe()}`);
      for (const [index, { source, destination }] of frames.entries()) {
        const what = `${source.toString(16)} at ${at} to ${destination.toString(16)}`;
        const where = `${context}, step ${step}, frame ${index}: ${what}, ${this.#describe()}`;
        assert.deepEqual(heard.get(first + index) ?? [], this.#expected(at, source, destination), where);
      }
    }
  }

  #expected(from: number, source: number, destination: number): number[] {
    const { isLearning, isIsolated } = this.places[from] as Place;
    if (isLearning) this.#stations.set(source, from);
    const known = this.#stations.get(destination);
    const isTarget = (at: number): boolean => at !== from && (known === undefined || known === at);
    return [...this.places.keys()].filter((at) => isTarget(at) && !(isIsolated && this.places[at]?.isIsolated));
  }

  /** Lives with faults, and without a pause: no frame comes from an isolated port to another one. */
  liveWithFaults(steps: number, context: string): void {
    const { lab } = this;
    const random = this.#random;
    for (let step = 0; step < steps; step++) {
      const link = random.pick(lab.links);
      switch (random.below(8)) {
        case 0:
          link.cut();
          break;
        case 1:
        case 2:
          link.join();
          break;
        case 3:
          this.#refusedPercent = random.pick([0, 20, 100]);
          break;
        case 4:
          // What is on its way was sent before.
          lab.pass(CALM_MS);
          this.#heard(`${context}, step ${step}`);
          this.change(random.below(this.places.length));
          break;
        default:
          for (let count = random.between(1, 20); count > 0; count--) this.#speak(random.below(this.places.length));
      }
      lab.pass(random.once(10) ? 3000 : random.below(10));
      this.#heard(`${context}, step ${step}, ${this.#describe()}`);
    }
  }

  #describe(): string {
    return this.places
      .map(
        ({ node, isIsolated, isLearning }) => `${node.name}${isIsolated ? ':isolated' : ''}${isLearning ? '' : ':off'}`,
      )
      .join(' ');
  }
}
