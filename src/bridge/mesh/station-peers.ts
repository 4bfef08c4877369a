import { StationPeer } from './station-peer.ts';

/** The other nodes of a network that are reached, and those of them with which something is open. */
export class StationPeers {
  readonly #peers = new Map<string, StationPeer>();
  /** So that a change does not look at all nodes of a large cluster. */
  readonly #open = new Set<StationPeer>();
  readonly #wakeBy: (atMs: number) => void;

  /** @param wakeBy as of `ExchangeParts` */
  constructor(wakeBy: (atMs: number) => void) {
    this.#wakeBy = wakeBy;
  }

  get size(): number {
    return this.#peers.size;
  }

  get isAnyOpen(): boolean {
    return this.#open.size > 0;
  }

  get(node: string | undefined): StationPeer | undefined {
    return node === undefined ? undefined : this.#peers.get(node);
  }

  values(): IterableIterator<StationPeer> {
    return this.#peers.values();
  }

  /** A node is reached, perhaps anew: nothing is known of it. */
  add(node: string, nowMs: number): void {
    const former = this.#peers.get(node);
    if (former !== undefined) this.#open.delete(former);
    const peer = new StationPeer(node, nowMs);
    this.#peers.set(node, peer);
    this.#open.add(peer);
  }

  remove(node: string): void {
    const peer = this.#peers.get(node);
    this.#peers.delete(node);
    if (peer !== undefined) this.#open.delete(peer);
  }

  /** Something is open with a node from now on. */
  open(peer: StationPeer): void {
    this.#open.add(peer);
  }

  /** Notes whether anything is open with a node, after something has changed there. */
  follow(peer: StationPeer): void {
    if (this.#peers.get(peer.node) === peer && peer.isOpen) this.#open.add(peer);
    else this.#open.delete(peer);
  }

  /** A message to a node was lost: it gets all again. */
  lost(peer: StationPeer, nowMs: number): void {
    peer.lost(nowMs);
    this.#open.add(peer);
    this.#wakeBy(peer.resendMs);
  }
}
