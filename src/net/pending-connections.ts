import type { Socket } from 'node:net';
import { addressGroup } from './address-group.ts';
import { DoorCounters } from './endpoint-counters.ts';

export interface VisitorLimits {
  /**
   * Connections that have not become a tunnel. For one more the one that has been idle longest is cut, and where all are
   * being answered, the newcomer is. Default 1024.
   */
  readonly maxVisitors?: number;
  /** Those of one address, or of one /64 of IPv6. Default 512. */
  readonly maxPerAddress?: number;
  /** How long TLS and the head of a request may take together, and how long a connection may wait for the next one. Default 10 s. */
  readonly timeoutMs?: number;
}

interface Visitor {
  readonly socket: Socket;
  /** what its share is counted by; '' for a proxy, which has none */
  group: string;
  /** undefined while a request of his is being answered */
  deadline: NodeJS.Timeout | undefined;
}

/**
 * The connections of a listener that are not tunnels (yet), so that they cannot
 * be more, from one place, or slower than they may be. Node's own deadlines for
 * heads are looked at every 30 s only, and none spans TLS and the head.
 */
export class Visitors {
  readonly counters: DoorCounters;
  readonly #maxVisitors: number;
  readonly #maxPerAddress: number;
  readonly #timeoutMs: number;
  /** by the ends of the connection */
  readonly #visitors = new Map<string, Visitor>();
  readonly #byGroup = new Map<string, number>();

  constructor(limits: VisitorLimits = {}, counters: DoorCounters = new DoorCounters()) {
    this.counters = counters;
    this.#maxVisitors = limits.maxVisitors ?? 1024;
    this.#maxPerAddress = limits.maxPerAddress ?? 512;
    this.#timeoutMs = limits.timeoutMs ?? 10_000;
  }

  get size(): number {
    return this.#visitors.size;
  }

  /**
   * Takes a fresh connection in; its deadline runs from here.
   * @param isProxy it stands for many: no share of an address applies
   * @returns false when it has been destroyed instead
   */
  enter(socket: Socket, isProxy = false): boolean {
    const key = endsOf(socket);
    const group = isProxy ? '' : addressGroup(socket.remoteAddress ?? '');
    if (!isProxy && this.#isShareTaken(group)) {
      socket.destroy();
      return false;
    }
    if (this.#visitors.size >= this.#maxVisitors && !this.displaceOldest()) {
      this.counters.full++;
      socket.destroy();
      return false;
    }
    this.counters.connections++;
    const visitor: Visitor = { socket, group, deadline: undefined };
    this.#visitors.set(key, visitor);
    this.#countIn(group);
    this.#arm(visitor);
    socket.once('close', () => this.#leave(key, visitor));
    return true;
  }

  /**
   * A proxy has said whom this connection is for: from here on it counts for that address.
   * @returns false when it has been destroyed instead
   */
  attribute(socket: Socket, address: string): boolean {
    const visitor = this.#visitors.get(endsOf(socket));
    if (visitor === undefined) return false;
    const group = addressGroup(address);
    if (this.#isShareTaken(group)) {
      socket.destroy();
      return false;
    }
    this.#countOut(visitor.group);
    visitor.group = group;
    this.#countIn(group);
    return true;
  }

  /** A request of this connection is being answered: that has limits of its own. */
  busy(socket: Socket): void {
    const visitor = this.#visitors.get(endsOf(socket));
    clearTimeout(visitor?.deadline);
    if (visitor !== undefined) visitor.deadline = undefined;
  }

  /** The answer is out; the next head has its time. */
  idle(socket: Socket): void {
    const key = endsOf(socket);
    const visitor = this.#visitors.get(key);
    if (visitor === undefined) return;
    clearTimeout(visitor.deadline);
    // Behind all others again: who has just been served is not the first to be displaced.
    this.#visitors.delete(key);
    this.#visitors.set(key, visitor);
    this.#arm(visitor);
  }

  /** The connection is somebody else's from here on. */
  depart(socket: Socket): void {
    const key = endsOf(socket);
    const visitor = this.#visitors.get(key);
    if (visitor !== undefined) this.#leave(key, visitor);
  }

  /** Cuts them all. */
  destroyAll(): void {
    for (const { socket } of [...this.#visitors.values()]) socket.destroy();
  }

  #arm(visitor: Visitor): void {
    visitor.deadline = setTimeout(() => {
      this.counters.dawdled++;
      visitor.socket.destroy();
    }, this.#timeoutMs);
  }

  /** Cuts the connection that has been idle longest. @returns false when all are being answered */
  displaceOldest(): boolean {
    for (const [key, visitor] of this.#visitors) {
      if (visitor.deadline === undefined) continue;
      this.counters.displaced++;
      this.#leave(key, visitor);
      visitor.socket.destroy();
      return true;
    }
    return false;
  }

  #leave(key: string, visitor: Visitor): void {
    clearTimeout(visitor.deadline);
    if (this.#visitors.get(key) !== visitor) return;
    this.#visitors.delete(key);
    this.#countOut(visitor.group);
  }

  #isShareTaken(group: string): boolean {
    if ((this.#byGroup.get(group) ?? 0) < this.#maxPerAddress) return false;
    this.counters.overAddressShare++;
    return true;
  }

  #countIn(group: string): void {
    this.#byGroup.set(group, (this.#byGroup.get(group) ?? 0) + 1);
  }

  #countOut(group: string): void {
    const left = (this.#byGroup.get(group) ?? 0) - 1;
    if (left > 0) this.#byGroup.set(group, left);
    else this.#byGroup.delete(group);
  }
}

/** Names a connection on a listener, whichever of its socket objects is at hand: behind TLS requests have another. */
export function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
