import { STATION_KINDS } from '../../../src/wire/mesh/station-records.ts';
import { EventQueue } from '../../support/event-queue.ts';
import { Random } from '../../support/random.ts';
import { CommonView } from './common-view.ts';
import { FullNode } from './full-node.ts';
import { LightNode } from './light-node.ts';
import { frameOctets, Octets } from './octets.ts';
import { nameOf, type SimNode, type Surroundings } from './sim-node.ts';

export interface ModelOptions {
  readonly nodes: number;
  readonly stations: number;
  /** How many of the nodes keep all that the others tell: the first ones. */
  readonly full: number;
  readonly seed: number;
  /** of full nodes; default: stations do not age, so that they need not speak again */
  readonly ageingTimeMs?: number;
}

const NOTHING = new Uint8Array();
const MOST_LATENCY_MS = 10;
const NO_AGEING_MS = 1e12;
const TICK_MS = 1000;

/**
 * The nodes of a cluster, the tunnels between them and their stations, on one virtual clock. Of the product: the exchange of
 * stations at each node, and the bridge at full ones. Modelled: tunnels (a latency for each pair and direction, in order; loss if
 * it is asked for), the detection of a dead peer, and what light nodes know.
 */
export class ClusterModel implements Surroundings {
  readonly options: ModelOptions;
  readonly random: Random;
  readonly octets: Octets;
  readonly nodes: SimNode[] = [];
  /** The node at which each station is; -1: at none. */
  readonly truth: Int32Array;
  /** One message of so many is lost; 0: none. */
  lossOf = 0;
  nowMs = 1_000_000;
  readonly #queue = new EventQueue();
  readonly #common: CommonView;
  readonly #isUp: Uint8Array;
  readonly #isAlive: Uint8Array;
  readonly #indexOf = new Map<string, number>();
  readonly #wakeMs: Float64Array;
  /** Light nodes that have asked light nodes, and are answered together. */
  readonly #asked = new Map<number, string[]>();
  /** Pairs between which nothing passes, whether or not their ends have noticed. */
  readonly #cuts = new Set<number>();
  #last: { readonly from: number; readonly kind: number; readonly payload: Uint8Array } | undefined;
  #lastOctets = 0;
  #concerned: ReadonlySet<number> = new Set();
  /** Whether light nodes do nothing with the last message but count it. */
  #isCountedOnly = false;

  constructor(options: ModelOptions) {
    const { nodes, stations, seed } = options;
    this.options = options;
    this.random = new Random(seed);
    this.octets = new Octets(nodes);
    this.truth = new Int32Array(stations).fill(-1);
    this.#common = new CommonView(stations);
    this.#isUp = new Uint8Array(nodes * nodes);
    this.#isAlive = new Uint8Array(nodes).fill(1);
    this.#wakeMs = new Float64Array(nodes).fill(Number.POSITIVE_INFINITY);
    for (let index = 0; index < nodes; index++) {
      this.#indexOf.set(nameOf(index), index);
      this.nodes.push(this.#make(index));
    }
    this.#secondly();
  }

  get full(): readonly FullNode[] {
    return this.nodes.filter((node): node is FullNode => node.isFull && this.isAlive(node.index));
  }

  isAlive(node: number): boolean {
    return this.#isAlive[node] === 1;
  }

  isUp(one: number, other: number): boolean {
    return this.#isUp[one * this.options.nodes + other] === 1;
  }

  after(ms: number, action: () => void): void {
    this.#queue.add(this.nowMs + ms, action);
  }

  /** Lets time pass. @param isDone ends it early */
  run(ms: number, isDone: () => boolean = () => false): void {
    const endMs = this.nowMs + ms;
    for (let next = this.#queue.takeUntil(endMs); next !== undefined; next = this.#queue.takeUntil(endMs)) {
      this.nowMs = next.atMs;
      next.action();
      if (isDone()) return;
    }
    this.nowMs = endMs;
  }

  send(from: number, to: string, kind: number, payload: Uint8Array): boolean {
    const target = this.#indexOf.get(to) as number;
    if (!this.isUp(from, target)) return false;
    const last = this.#last;
    if (last?.payload !== payload || last.from !== from || last.kind !== kind) this.#newMessage(from, kind, payload);
    // Of a thousand nodes nearly all only count what they are told.
    if (this.#isCountedOnly && target >= this.options.full && this.#cuts.size === 0 && this.lossOf === 0) {
      this.octets.add(from, target, this.#lastOctets);
      return true;
    }
    if (this.#cuts.size > 0 && this.#cuts.has(this.#pair(from, target))) return true;
    if (this.lossOf > 0 && this.random.once(this.lossOf)) return this.random.once(2);
    this.octets.add(from, target, this.#lastOctets);
    const receiver = this.nodes[target] as SimNode;
    if (receiver.isFull) this.#deliver(from, target, kind, payload);
    else this.#sendToLight(from, target, kind, payload);
    return true;
  }

  wakeBy(node: number, atMs: number): void {
    if (!(atMs < (this.#wakeMs[node] as number)) || !this.isAlive(node)) return;
    this.#wakeMs[node] = atMs;
    this.#queue.add(Math.max(atMs, this.nowMs), () => {
      if (this.#wakeMs[node] !== atMs) return;
      this.#wakeMs[node] = Number.POSITIVE_INFINITY;
      if (this.isAlive(node)) this.nodes[node]?.exchange.tick(this.nowMs);
    });
  }

  /** Joins two nodes. @param laterMs how much later the other end is ready; what is sent to it before is lost */
  join(one: number, other: number, laterMs = 0): void {
    this.#cuts.delete(this.#pair(one, other));
    this.#up(one, other);
    if (laterMs === 0) {
      this.#up(other, one);
      return;
    }
    this.after(laterMs, () => {
      if (this.isUp(one, other)) this.#up(other, one);
    });
  }

  isCut(one: number, other: number): boolean {
    return this.#cuts.has(this.#pair(one, other));
  }

  /** The tunnel is cut. Each end notices within `detectMs`. */
  cut(one: number, other: number, detectMs: () => number): void {
    this.#cuts.add(this.#pair(one, other));
    for (const [here, there] of [
      [one, other],
      [other, one],
    ] as const) {
      this.after(detectMs(), () => this.#down(here, there));
    }
  }

  /** A node dies. @param detectMs how long after that another one notices. @returns the longest of these times */
  kill(node: number, detectMs: () => number): number {
    this.#isAlive[node] = 0;
    let longestMs = 0;
    for (let other = 0; other < this.options.nodes; other++) {
      if (!this.isUp(other, node)) continue;
      this.#isUp[node * this.options.nodes + other] = 0;
      const ms = detectMs();
      longestMs = Math.max(longestMs, ms);
      this.after(ms, () => this.#down(other, node));
    }
    this.after(longestMs, () => this.#common.nodeGone(node));
    for (let station = 0; station < this.truth.length; station++) {
      if (this.truth[station] !== node) continue;
      this.truth[station] = -1;
      this.#common.notHeld(station, node);
    }
    return longestMs;
  }

  /** A dead node is started again, with nothing. It has no tunnels yet. */
  restart(node: number): void {
    this.#isAlive[node] = 1;
    this.#wakeMs[node] = Number.POSITIVE_INFINITY;
    this.#isUp.fill(0, node * this.options.nodes, (node + 1) * this.options.nodes);
    this.nodes[node] = this.#make(node);
  }

  /** A station appears at a node; where it was, it is no longer. @param isTold whether its former port goes down at once */
  place(station: number, node: number, isTold: boolean): void {
    const before = this.truth[station] as number;
    if (isTold && before >= 0) this.nodes[before]?.leave(station);
    this.truth[station] = node;
    this.nodes[node]?.arrive(station);
  }

  remove(station: number): void {
    this.nodes[this.truth[station] as number]?.leave(station);
    this.truth[station] = -1;
  }

  /** A constant of the pair and direction, so that messages keep their order. */
  latencyMs(from: number, to: number): number {
    return 0.2 + (Math.imul(from * 7919 + to + 1, 0x9e37_79b1) >>> 0) * ((MOST_LATENCY_MS - 0.2) / 0x1_0000_0000);
  }

  #pair(one: number, other: number): number {
    return Math.min(one, other) * this.options.nodes + Math.max(one, other);
  }

  /** A network of the product ticks once a second, and when its entities have asked for it. */
  #secondly(): void {
    for (const node of this.nodes) {
      if (!this.isAlive(node.index)) continue;
      if (node instanceof FullNode) node.age();
      node.exchange.tick(this.nowMs);
    }
    this.after(TICK_MS, () => this.#secondly());
  }

  #make(index: number): SimNode {
    const { nodes, stations, full, ageingTimeMs = NO_AGEING_MS } = this.options;
    return index < full
      ? new FullNode(this, index, nodes, stations, ageingTimeMs)
      : new LightNode(this, index, this.#common);
  }

  #up(here: number, there: number): void {
    if (!this.isAlive(here) || !this.isAlive(there) || this.isUp(here, there)) return;
    this.#isUp[here * this.options.nodes + there] = 1;
    this.nodes[here]?.exchange.linkUp(nameOf(there), this.nowMs);
  }

  #down(here: number, there: number): void {
    if (!this.isUp(here, there)) return;
    this.#isUp[here * this.options.nodes + there] = 0;
    if (this.isAlive(here)) this.nodes[here]?.linkDown(nameOf(there));
  }

  #newMessage(from: number, kind: number, payload: Uint8Array): void {
    this.#last = { from, kind, payload };
    this.#lastOctets = frameOctets(payload);
    this.#isCountedOnly = false;
    if (this.options.full === this.options.nodes) return;
    this.#concerned = this.#common.concerned(kind, payload);
    this.#isCountedOnly =
      this.#concerned.size === 0 && kind !== STATION_KINDS.wantWhole && kind !== STATION_KINDS.wholeEnd;
    if (kind === STATION_KINDS.announce || kind === STATION_KINDS.withdraw || kind === STATION_KINDS.flush)
      this.after(MOST_LATENCY_MS, () => this.#common.told(from, kind, payload));
  }

  #deliver(from: number, to: number, kind: number, payload: Uint8Array): void {
    const sender = this.nodes[from];
    const receiver = this.nodes[to];
    this.after(this.latencyMs(from, to), () => {
      // What is on its way to a node, or from one, dies with it and with the tunnel.
      if (this.nodes[to] !== receiver || this.nodes[from] !== sender || !this.isAlive(to) || !this.isUp(to, from))
        return;
      receiver?.exchange.received(nameOf(from), kind, payload, this.nowMs);
    });
  }

  #sendToLight(from: number, to: number, kind: number, payload: Uint8Array): void {
    if (kind === STATION_KINDS.announce || kind === STATION_KINDS.newer) {
      if (this.#concerned.has(to)) this.#deliver(from, to, kind, payload);
    } else if (kind === STATION_KINDS.wantWhole) {
      if (this.nodes[from]?.isFull === true) this.#deliver(from, to, kind, payload);
      else this.#answerLight(from, to);
    }
    // A light node has kept nothing of it, so it must not compare it with a digest.
    else if (kind === STATION_KINDS.wholeEnd) this.#deliver(from, to, kind, NOTHING);
  }

  /** Light nodes know of each other by the common view. What the whole set would take is counted. */
  #answerLight(asking: number, asked: number): void {
    const stations = (this.nodes[asked] as LightNode).size;
    const records = 14 * stations;
    const frames = Math.ceil(stations / 100);
    this.octets.add(asked, asking, 60 + 60 + records + frames * 21, frames + 2);
    const waiting = this.#asked.get(asking);
    if (waiting !== undefined) return void waiting.push(nameOf(asked));
    const names = [nameOf(asked)];
    this.#asked.set(asking, names);
    this.after(MOST_LATENCY_MS, () => {
      this.#asked.delete(asking);
      if (!this.isAlive(asking)) return;
      for (const name of names)
        this.nodes[asking]?.exchange.received(name, STATION_KINDS.wholeEnd, NOTHING, this.nowMs);
    });
  }
}
