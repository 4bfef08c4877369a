import type { Socket } from 'node:net';
import { addressGroup } from './address-group.ts';
import { EndpointCounters } from './endpoint-counters.ts';

export interface PendingLimits {
  /**
   * Pending connections of a listener. For one more, the one that has been idle longest is closed; while all of them have
   * a request under way, the new one is. Default 1024.
   */
  readonly maxPending?: number;
  /** Those from one address, or from one /64 of IPv6. Default 512. */
  readonly maxPerAddress?: number;
  /** For the TLS handshake and the head of a request together, and for the wait for the next request. Default 10 s. */
  readonly timeoutMs?: number;
}

interface PendingConnection {
  readonly socket: Socket;
  /** By which it counts for `maxPerAddress`; '' for a proxy, which has no such bound. */
  group: string;
  /** undefined while a request is under way */
  deadline: NodeJS.Timeout | undefined;
}

/**
 * The connections of a listener that have not become a tunnel, bounded in number, by address, and in time. Node's own
 * deadlines do not suffice: it checks them every 30 s, and none covers the TLS handshake and the head together.
 */
export class PendingConnections {
  readonly counters: EndpointCounters;
  readonly #maxPending: number;
  readonly #maxPerAddress: number;
  readonly #timeoutMs: number;
  /** by `endpointsOf` */
  readonly #pending = new Map<string, PendingConnection>();
  readonly #byGroup = new Map<string, number>();

  constructor(limits: PendingLimits = {}, counters: EndpointCounters = new EndpointCounters()) {
    this.counters = counters;
    this.#maxPending = limits.maxPending ?? 1024;
    this.#maxPerAddress = limits.maxPerAddress ?? 512;
    this.#timeoutMs = limits.timeoutMs ?? 10_000;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Adds an accepted connection; its deadline runs from here.
   * @param isProxy it carries connections of many clients: `maxPerAddress` does not apply
   * @returns false when the socket was destroyed, since a bound was reached
   */
  add(socket: Socket, isProxy = false): boolean {
    const key = endpointsOf(socket);
    const group = isProxy ? '' : addressGroup(socket.remoteAddress ?? '');
    if (!isProxy && this.#isShareTaken(group)) {
      socket.destroy();
      return false;
    }
    if (this.#pending.size >= this.#maxPending && !this.displaceOldest()) {
      this.counters.full++;
      socket.destroy();
      return false;
    }
    this.counters.connections++;
    const connection: PendingConnection = { socket, group, deadline: undefined };
    this.#pending.set(key, connection);
    this.#countIn(group);
    this.#arm(connection);
    socket.once('close', () => this.#drop(key, connection));
    return true;
  }

  /**
   * Counts a proxy's connection for the client's address, which its PROXY header named.
   * @returns false when the socket was destroyed, since that address has its share
   */
  attribute(socket: Socket, address: string): boolean {
    const connection = this.#pending.get(endpointsOf(socket));
    if (connection === undefined) return false;
    const group = addressGroup(address);
    if (this.#isShareTaken(group)) {
      socket.destroy();
      return false;
    }
    this.#countOut(connection.group);
    connection.group = group;
    this.#countIn(group);
    return true;
  }

  /** Stops the deadline while a request is under way, which has limits of its own. */
  busy(socket: Socket): void {
    const connection = this.#pending.get(endpointsOf(socket));
    clearTimeout(connection?.deadline);
    if (connection !== undefined) connection.deadline = undefined;
  }

  /** Starts the deadline for the next request. */
  idle(socket: Socket): void {
    const key = endpointsOf(socket);
    const connection = this.#pending.get(key);
    if (connection === undefined) return;
    clearTimeout(connection.deadline);
    // To the end of the order: a connection that was just used is the last to be displaced.
    this.#pending.delete(key);
    this.#pending.set(key, connection);
    this.#arm(connection);
  }

  /** Forgets a connection that has become a tunnel. */
  remove(socket: Socket): void {
    const key = endpointsOf(socket);
    const connection = this.#pending.get(key);
    if (connection !== undefined) this.#drop(key, connection);
  }

  /** Closes them all. */
  destroyAll(): void {
    for (const { socket } of [...this.#pending.values()]) socket.destroy();
  }

  #arm(connection: PendingConnection): void {
    connection.deadline = setTimeout(() => {
      this.counters.handshakeTimeouts++;
      connection.socket.destroy();
    }, this.#timeoutMs);
  }

  /** Closes the connection that has been idle longest. @returns false when all have a request under way */
  displaceOldest(): boolean {
    for (const [key, connection] of this.#pending) {
      if (connection.deadline === undefined) continue;
      this.counters.displaced++;
      this.#drop(key, connection);
      connection.socket.destroy();
      return true;
    }
    return false;
  }

  #drop(key: string, connection: PendingConnection): void {
    clearTimeout(connection.deadline);
    if (this.#pending.get(key) !== connection) return;
    this.#pending.delete(key);
    this.#countOut(connection.group);
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

/** A key for a connection of a listener. The TCP and the TLS socket of one connection have the same. */
export function endpointsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
