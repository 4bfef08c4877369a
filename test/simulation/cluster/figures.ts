import { ClusterModel } from './cluster-model.ts';
import { faultsOf, isRight } from './judge.ts';
import { nameOf } from './sim-node.ts';

export interface FiguresOptions {
  readonly nodes: number;
  readonly stations: number;
  readonly full: number;
  readonly seed: number;
  readonly log: (line: string) => void;
}

/** What the simulation measures. Octets are those of frames on mesh ports; times are virtual milliseconds. */
export interface Figures {
  /** control octets at a node, sent and received, for each station of the cluster and minute: the node with most */
  readonly atRest: number;
  readonly moving: number;
  /** from the frame of a moved station until all full nodes send to its new place: median, 99th percentile, longest */
  readonly moveMs: readonly [number, number, number];
  /** from the end of a process, and of a machine, until no full node sends to it; and until its stations are found elsewhere */
  readonly processDeath: { readonly goneMs: number; readonly rightMs: number };
  readonly machineDeath: { readonly goneMs: number; readonly rightMs: number };
  /** a tunnel between two nodes that was cut is back */
  readonly rejoin: { readonly ms: number; readonly octets: number };
  /** a node with all stations starts again */
  readonly restart: { readonly ms: number; readonly octets: number };
  readonly faults: readonly string[];
}

const FILL_MS = 10_000;
const SETTLE_MS = 70_000;
const MINUTE_MS = 60_000;
/** The share of stations that move each minute. */
const MOVING = 0.01;
const PROBES = 300;
const POLL_MS = 1;
/** A tunnel notices a silent peer within this time. */
const SILENCE_MS = [1000, 1500] as const;
/** The connections of a process that ends are closed at once. */
const CLOSED_MS = [1, 10] as const;
/** A client that has lost its node dials another one within this time. */
const DIAL_MS = 2000;
const CUT_MS = 20_000;

/** Plays the life of a large cluster, and measures it. */
export function figuresOf(options: FiguresOptions): Figures {
  return new Life(options).play();
}

class Life {
  readonly #model: ClusterModel;
  readonly #options: FiguresOptions;
  readonly #startMs = performance.now();
  readonly #faults: string[] = [];

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.#model = new ClusterModel(options);
  }

  play(): Figures {
    const { nodes } = this.#options;
    this.#joinAll();
    this.#fill();
    const atRest = this.#octetsOf(2, () => undefined);
    const { moving, moveMs } = this.#moves();
    this.#judge('after stations have moved');
    const processDeath = this.#death(nodes - 1, CLOSED_MS);
    const machineDeath = this.#death(nodes - 2, SILENCE_MS);
    this.#judge('after nodes have died');
    const rejoin = this.#rejoin(0, nodes - 3);
    const restart = this.#restart(1);
    this.#judge('at the end');
    const faults = this.#faults;
    return { atRest, moving, moveMs, processDeath, machineDeath, rejoin, restart, faults };
  }

  #joinAll(): void {
    const model = this.#model;
    for (let one = 0; one < this.#options.nodes; one++) {
      for (let other = 0; other < one; other++) model.after(model.random.below(2000), () => model.join(one, other));
    }
    model.run(5000);
    this.#say('the tunnels are up');
  }

  /** Stations come evenly to all nodes, as fast as a cluster is filled by its clients. */
  #fill(): void {
    const model = this.#model;
    const { nodes, stations } = this.#options;
    const slices = FILL_MS / 10;
    for (let slice = 0; slice < slices; slice++) {
      model.after(slice * 10, () => {
        const end = Math.floor((stations * (slice + 1)) / slices);
        for (let station = Math.floor((stations * slice) / slices); station < end; station++) {
          model.place(station, station % nodes, false);
        }
      });
    }
    model.octets.reset();
    model.run(FILL_MS + SETTLE_MS);
    this.#say(
      `${stations} stations are told: ${(model.octets.atNodes.mean / stations).toFixed(1)} octets each at a node`,
    );
    this.#judge('after the start');
  }

  /** @returns octets at the node with most, for each station and minute */
  #octetsOf(minutes: number, act: () => void): number {
    const { octets } = this.#model;
    octets.reset();
    act();
    this.#model.run(minutes * MINUTE_MS);
    this.#say(`${minutes} minutes passed with ${octets.frames} frames`);
    return octets.atNodes.most / this.#options.stations / minutes;
  }

  #moves(): Pick<Figures, 'moving' | 'moveMs'> {
    const model = this.#model;
    const { stations, nodes } = this.#options;
    const times: number[] = [];
    const perMinute = Math.max(1, Math.round(stations * MOVING));
    const moving = this.#octetsOf(2, () => {
      for (let move = 0; move < 2 * perMinute; move++) {
        const probed = move < PROBES;
        model.after(model.random.below(2 * MINUTE_MS), () => {
          const station = model.random.below(stations);
          model.place(station, model.random.below(nodes), model.random.once(2));
          if (probed) this.#poll([station], (ms) => times.push(ms));
        });
      }
    });
    model.run(SETTLE_MS);
    times.sort((one, other) => one - other);
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN;
    return { moving, moveMs: [at(0.5), at(0.99), at(1)] };
  }

  #death(node: number, [least, most]: readonly [number, number]): Figures['processDeath'] {
    const model = this.#model;
    const { random, truth } = model;
    const stations = [...truth.keys()].filter((station) => truth[station] === node);
    const killedMs = model.nowMs;
    model.kill(node, () => random.between(least, most));
    let rightMs = Number.NaN;
    for (const station of stations) {
      model.after(random.below(DIAL_MS), () => model.place(station, random.below(node), false));
    }
    model.after(DIAL_MS, () => this.#poll(stations, () => (rightMs = model.nowMs - killedMs - DIAL_MS)));
    const isGone = (): boolean =>
      model.full.every((full) => stations.every((station) => full.whereIs(station) !== node));
    let goneMs = Number.NaN;
    const poll = (): void => {
      if (isGone()) goneMs = model.nowMs - killedMs;
      else model.after(POLL_MS, poll);
    };
    poll();
    model.run(SETTLE_MS);
    this.#say(`${nameOf(node)} with ${stations.length} stations has died`);
    return { goneMs, rightMs };
  }

  #rejoin(full: number, other: number): Figures['rejoin'] {
    const model = this.#model;
    model.cut(full, other, () => model.random.between(...SILENCE_MS));
    model.run(CUT_MS);
    const stations = [...model.truth.keys()].filter((station) => model.truth[station] === other);
    model.octets.reset();
    const before = model.nowMs;
    let ms = Number.NaN;
    model.join(full, other);
    this.#poll(stations, () => (ms = model.nowMs - before));
    model.run(3000);
    return { ms, octets: model.octets.received[full] as number };
  }

  #restart(node: number): Figures['restart'] {
    const model = this.#model;
    const { nodes } = this.#options;
    model.kill(node, () => model.random.between(...CLOSED_MS));
    model.run(5000);
    model.octets.reset();
    const before = model.nowMs;
    const startMs = performance.now();
    let ms = Number.NaN;
    model.restart(node);
    for (let other = 0; other < nodes; other++) {
      if (other !== node) model.after(model.random.below(1000), () => model.join(node, other));
    }
    model.after(1000, () => this.#poll(this.#sample(), () => (ms = model.nowMs - before)));
    model.run(10_000);
    this.#say(
      `${nameOf(node)} has started again; that took ${Math.round(performance.now() - startMs)} ms of this process`,
    );
    const octets = model.octets.received[node] as number;
    model.run(SETTLE_MS);
    return { ms, octets };
  }

  /** A part of the stations, so that polling costs little. */
  #sample(): number[] {
    const { stations } = this.#options;
    return Array.from({ length: Math.min(stations, 5000) }, (_, at) =>
      Math.floor((at * stations) / Math.min(stations, 5000)),
    );
  }

  #poll(stations: readonly number[], done: (ms: number) => void): void {
    const model = this.#model;
    const before = model.nowMs;
    const poll = (): void => {
      if (isRight(model, stations)) done(model.nowMs - before);
      else if (model.nowMs - before < SETTLE_MS) model.after(POLL_MS, poll);
    };
    poll();
  }

  #judge(when: string): void {
    this.#faults.push(...faultsOf(this.#model).map((fault) => `${when}: ${fault}`));
    this.#say(`judged ${when}: ${this.#faults.length} faults`);
  }

  #say(line: string): void {
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(0);
    const megabytes = Math.round(process.memoryUsage().rss / 1e6);
    this.#options.log(
      `${seconds} s, ${megabytes} MB, virtual ${Math.round(this.#model.nowMs / 1000) - 1000} s: ${line}`,
    );
  }
}
