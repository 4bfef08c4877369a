import type { Socket } from 'node:net';
import { addressGroup } from './address-group.ts';
import { EndpointCounters } from './endpoint-counters.ts';
import { PeerDeadline } from './peer-deadline.ts';

export interface PendingLimits {
  /**
   * The most pending connections of a listener. One more displaces one, see `displaceOldest`, or is refused
   * while all of them have a request of a proven caller in progress. Default 1024.
   */
  readonly maxPending?: number;
  /** The most pending connections from one IPv4 address or one IPv6 /64. Default 512. */
  readonly maxPerAddress?: number;
  /** Covers the TLS handshake and the head of a request together, and the wait for the next request. Default 10 000. */
  readonly timeoutMs?: number;
}

const DEFAULTS: Required<PendingLimits> = { maxPending: 1024, maxPerAddress: 512, timeoutMs: 10_000 };

interface PendingConnection {
  readonly socket: Socket;
  /** The `addressGroup` that `maxPerAddress` applies to; '' for a proxy, which is not limited. */
  group: string;
  /** undefined while a request is in progress */
  deadline: PeerDeadline | undefined;
  /** Whether the request in progress is one of a caller with credentials, so that it is not displaced. */
  isProven: boolean;
}

/**
 * The connections of a listener that are not tunnels (yet), limited in number, per address, and in time. Node's own
 * timeouts do not suffice: Node checks them every 30 s, and none covers the TLS handshake and the head together.
 */
export class PendingConnections {
  readonly counters: EndpointCounters;
  #limits: Required<PendingLimits>;
  /** by `endpointsOf` */
  readonly #pending = new Map<string, PendingConnection>();
  readonly #byGroup = new Map<string, number>();

  constructor(limits: PendingLimits = {}, counters: EndpointCounters = new EndpointCounters()) {
    this.counters = counters;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Changes the limits for new connections; absent ones have their defaults. */
  setLimits(limits: PendingLimits): void {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Adds an accepted connection and starts its timeout.
   * @param isProxy the address is a proxy with many clients: `maxPerAddress` does not apply
   * @returns false if a limit was reached; the socket is then destroyed
   */
  add(socket: Socket, isProxy = false): boolean {
    const key = endpointsOf(socket);
    const group = isProxy ? '' : addressGroup(socket.remoteAddress ?? '');
    if (!isProxy && this.#isAtLimit(group)) {
      socket.destroy();
      return false;
    }
    if (this.#pending.size >= this.#limits.maxPending && !this.displaceOldest()) {
      this.counters.full++;
      socket.destroy();
      return false;
    }
    this.counters.connections++;
    const connection: PendingConnection = { socket, group, deadline: undefined, isProven: false };
    this.#pending.set(key, connection);
    this.#countIn(group);
    this.#arm(connection);
    socket.once('close', () => this.#drop(key, connection));
    return true;
  }

  /**
   * Counts a proxy's connection for the client's address that its PROXY header names.
   * @returns false if the limit of that address was reached; the socket is then destroyed
   */
  attribute(socket: Socket, address: string): boolean {
    const connection = this.#pending.get(endpointsOf(socket));
    if (connection === undefined) return false;
    const group = addressGroup(address);
    if (this.#isAtLimit(group)) {
      socket.destroy();
      return false;
    }
    this.#countOut(connection.group);
    connection.group = group;
    this.#countIn(group);
    return true;
  }

  /**
   * Stops the timeout while a request is in progress; the route has limits of its own. Until `proven` the connection may
   * still be displaced, so that slow requests without credentials cannot take all places.
   */
  busy(socket: Socket): void {
    const key = endpointsOf(socket);
    const connection = this.#pending.get(key);
    if (connection === undefined) return;
    connection.deadline?.cancel();
    connection.deadline = undefined;
    connection.isProven = false;
    // Those that are displaced first are at the front.
    this.#pending.delete(key);
    this.#pending.set(key, connection);
  }

  /** The caller of the request in progress has shown credentials, or needs none. */
  proven(socket: Socket): void {
    const connection = this.#pending.get(endpointsOf(socket));
    if (connection !== undefined) connection.isProven = true;
  }

  /** Starts the timeout for the next request. */
  idle(socket: Socket): void {
    const key = endpointsOf(socket);
    const connection = this.#pending.get(key);
    if (connection === undefined) return;
    connection.deadline?.cancel();
    // Moves it to the end of the Map's order, so a connection that was just used is displaced last.
    this.#pending.delete(key);
    this.#pending.set(key, connection);
    this.#arm(connection);
  }

  /** Removes a connection that has become a tunnel. */
  remove(socket: Socket): void {
    const key = endpointsOf(socket);
    const connection = this.#pending.get(key);
    if (connection !== undefined) this.#drop(key, connection);
  }

  destroyAll(): void {
    for (const { socket } of [...this.#pending.values()]) socket.destroy();
  }

  #arm(connection: PendingConnection): void {
    connection.deadline = new PeerDeadline(this.#limits.timeoutMs, () => {
      // It has ended by itself in the last turn.
      if (connection.socket.destroyed) return;
      this.counters.handshakeTimeouts++;
      connection.socket.destroy();
    });
  }

  /**
   * Closes the connection that has been idle longest; without one, the one whose request of an unproven caller began first.
   * @returns false if all have a request of a proven caller in progress
   */
  displaceOldest(): boolean {
    let found: [string, PendingConnection] | undefined;
    for (const entry of this.#pending) {
      const { deadline, isProven } = entry[1];
      if (deadline === undefined && isProven) continue;
      found ??= entry;
      if (deadline === undefined) continue;
      found = entry;
      break;
    }
    if (found === undefined) return false;
    this.counters.displaced++;
    this.#drop(...found);
    found[1].socket.destroy();
    return true;
  }

  #drop(key: string, connection: PendingConnection): void {
    connection.deadline?.cancel();
    if (this.#pending.get(key) !== connection) return;
    this.#pending.delete(key);
    this.#countOut(connection.group);
  }

  #isAtLimit(group: string): boolean {
    if ((this.#byGroup.get(group) ?? 0) < this.#limits.maxPerAddress) return false;
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

/** The key of a listener's connection. The TCP and the TLS socket of one connection have the same key. */
export function endpointsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
