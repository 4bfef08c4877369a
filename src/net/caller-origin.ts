import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { peerUserOf } from './peer-user.ts';
import { endpointsOf } from './pending-connections.ts';

/**
 * Where a request comes from: another host, a proxy on this host, or a user of this host. `uid` is undefined when the
 * kernel no longer knows the user.
 */
export type CallerOrigin =
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'forwarded' }
  | { readonly kind: 'local'; readonly uid: number | undefined };

const ELSEWHERE: CallerOrigin = { kind: 'elsewhere' };
const FORWARDED: CallerOrigin = { kind: 'forwarded' };
const UNKNOWN: CallerOrigin = { kind: 'local', uid: undefined };

/** Fields that proxies add to requests: RFC 7239, RFC 9110 (7.6.3), and the older, unstandardized ones. */
const FORWARDING_FIELDS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;
/** For how long a read of this host's addresses is reused. */
const ADDRESSES_CACHE_MS = 1000;

/**
 * The origins of a listener's connections. They are looked up when a connection is accepted: once its other end is
 * closed, the kernel no longer knows the user.
 */
export class CallerOrigins {
  /** by `endpointsOf` */
  readonly #origins = new Map<string, CallerOrigin>();

  note(socket: Socket): void {
    const ends = endpointsOf(socket);
    this.#origins.set(ends, isOfThisHost(socket) ? { kind: 'local', uid: peerUserOf(socket) } : ELSEWHERE);
    socket.once('close', () => this.#origins.delete(ends));
  }

  /**
   * @param isAnnounced the connection began with a PROXY header, so its other end is a proxy
   */
  of(request: IncomingMessage, isAnnounced: boolean): CallerOrigin {
    // A closed socket has no addresses any more. The user is then unknown, and has no rights.
    const origin = this.#origins.get(endpointsOf(request.socket)) ?? UNKNOWN;
    if (origin.kind !== 'local') return origin;
    const isForwarded = isAnnounced || FORWARDING_FIELDS.some((name) => request.headers[name] !== undefined);
    return isForwarded ? FORWARDED : origin;
  }
}

function isOfThisHost({ remoteAddress = '', localAddress = '' }: Socket): boolean {
  const [remote, local] = [plain(remoteAddress), plain(localAddress)];
  // Equal addresses: a local caller may use an address that `ownAddresses` lacks, such as that of an interface
  // without a carrier. A loopback address at our end: net.ipv4.conf.*.route_localnet lets other hosts reach it, and such
  // a connection counts as local, whose user is then unknown.
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
  if (nowMs - addressesAtMs > ADDRESSES_CACHE_MS) {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    addresses = new Set(all.map(({ address }) => address));
    addressesAtMs = nowMs;
  }
  return addresses;
}
