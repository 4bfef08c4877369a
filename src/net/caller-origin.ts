import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { peerUserOf } from './peer-user.ts';
import { endpointsOf } from './pending-connections.ts';

/** Where a request comes from: `uid` is undefined where it cannot be known. */
export type CallerOrigin =
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'forwarded' }
  | { readonly kind: 'local'; readonly uid: number | undefined };

const ELSEWHERE: CallerOrigin = { kind: 'elsewhere' };
const FORWARDED: CallerOrigin = { kind: 'forwarded' };
const UNKNOWN: CallerOrigin = { kind: 'local', uid: undefined };

/** What a proxy adds that any of them may have added: RFC 7239, RFC 9110 7.6.3, and what came before these. */
const FORWARDING_FIELDS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;
/** How long the addresses of this host are taken for known. */
const ADDRESSES_MS = 1000;

/**
 * Where the connections of a listener come from. Each is looked at when it is accepted: the sooner, the less likely
 * has its other end been closed, and with it all that the kernel knows of its user.
 */
export class CallerOrigins {
  /** by the ends of the connection */
  readonly #origins = new Map<string, CallerOrigin>();

  note(socket: Socket): void {
    const ends = endpointsOf(socket);
    this.#origins.set(ends, isOfThisHost(socket) ? { kind: 'local', uid: peerUserOf(socket) } : ELSEWHERE);
    socket.once('close', () => this.#origins.delete(ends));
  }

  /**
   * @param isAnnounced a PROXY header stood in front: the connection's other end speaks for another host
   */
  of(request: IncomingMessage, isAnnounced: boolean): CallerOrigin {
    // A connection that was closed has lost its ends, and its caller every right.
    const origin = this.#origins.get(endpointsOf(request.socket)) ?? UNKNOWN;
    if (origin.kind !== 'local') return origin;
    const isForwarded = isAnnounced || FORWARDING_FIELDS.some((name) => request.headers[name] !== undefined);
    return isForwarded ? FORWARDED : origin;
  }
}

function isOfThisHost({ remoteAddress = '', localAddress = '' }: Socket): boolean {
  const [remote, local] = [plain(remoteAddress), plain(localAddress)];
  // Also by the near end: a local caller may choose an address that `ownAddresses` lacks, such as that of an interface
  // without a carrier, and net.ipv4.conf.*.route_localnet lets other hosts reach 127.0.0.1.
  if (remote === local || isLoopback(remote) || isLoopback(local)) return true;
  return ownAddresses().has(remote);
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
}

let addresses: ReadonlySet<string> = new Set();
let addressesAtMs = Number.NEGATIVE_INFINITY;

function ownAddresses(): ReadonlySet<string> {
  const nowMs = performance.now();
  if (nowMs - addressesAtMs > ADDRESSES_MS) {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    addresses = new Set(all.map(({ address }) => address));
    addressesAtMs = nowMs;
  }
  return addresses;
}
