import { connect, isIP, type LookupFunction, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { EtherwsError } from '../../../errors.ts';
import { linkLocalFault } from '../../../net/link-local.ts';
import { PeerDeadline } from '../../../net/peer-deadline.ts';
import { boundSocket, type SocketBinding } from './bound-socket.ts';
import type { DialAttempt } from './dial-attempt.ts';
import { nameLookups } from './name-lookup.ts';

/**
 * The time limit of one address of a name; then the next address is tried. The
 * first attempt is aborted, so the 250 ms of RFC 8305, which are meant for
 * parallel attempts, would exclude hosts behind a satellite link.
 */
const ADDRESS_TIMEOUT_MS = 1000;

export interface TcpOptions extends SocketBinding {
  /** The local address to connect from; only addresses of its family are tried. */
  readonly bindAddress?: string | undefined;
  /** default: the system's */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Tries the addresses of a host one after the other (RFC 8305, without parallel attempts).
 * @param host a name or an address; an IPv6 address may have a zone
 * @throws as net.connect does, with an AggregateError for several addresses; and EtherwsError HOST_UNREACHABLE when
 *   the host has no address of the family of `bindAddress`
 */
export async function connectTcp(
  host: string,
  listenPort: number,
  options: TcpOptions,
  attempt: DialAttempt,
): Promise<Socket> {
  const addresses = usable(await addressesOf(host, options, attempt), host, options);
  const failures: unknown[] = [];
  for (const [index, address] of addresses.entries()) {
    try {
      const timeoutMs = index === addresses.length - 1 ? undefined : ADDRESS_TIMEOUT_MS;
      return await connectTo({ host: address, port: listenPort }, options, attempt, timeoutMs);
    } catch (error) {
      attempt.signal.throwIfAborted();
      failures.push(error);
    }
  }
  throw failures.length === 1 ? failures[0] : new AggregateError(failures);
}

/** The addresses of a host in the order of attempts. @throws as Node's dns.lookup, or the reason of the signal */
export async function addressesOf(
  host: string,
  { lookup }: TcpOptions,
  attempt: DialAttempt,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const found = lookup === undefined ? nameLookups().addressesOf(host, attempt.signal) : addressesBy(lookup, host);
  return attempt.lookedUp(host, found);
}

function addressesBy(lookup: LookupFunction, host: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address));
    });
  });
}

/** The addresses with alternating families, beginning with that of the first address (RFC 8305, 4). */
function usable(addresses: readonly string[], host: string, { bindAddress }: TcpOptions): string[] {
  const first = isIP(addresses[0] ?? '');
  const ofFirst = addresses.filter((address) => isIP(address) === first);
  const ofOther = addresses.filter((address) => isIP(address) !== first);
  const ordered: string[] = [];
  for (let index = 0; index < Math.max(ofFirst.length, ofOther.length); index++) {
    ordered.push(...ofFirst.slice(index, index + 1), ...ofOther.slice(index, index + 1));
  }
  if (bindAddress === undefined) return ordered;
  const family = isIP(bindAddress);
  const matching = ordered.filter((address) => isIP(address) === family);
  if (matching.length > 0) return matching;
  throw new EtherwsError('HOST_UNREACHABLE', `${host} has no IPv${family} address to dial from ${bindAddress}`, {
    hint: 'Give a --bind-address of the other family, or none',
  });
}

async function connectTo(
  destination: { readonly host: string; readonly port: number },
  { bindAddress, bindDevice, fwmark }: TcpOptions,
  attempt: DialAttempt,
  timeoutMs: number | undefined,
): Promise<Socket> {
  const isOnLink = bindDevice !== undefined || bindAddress?.includes('%') === true;
  const fault = linkLocalFault(destination.host, isOnLink) ?? bindFault(bindAddress, isOnLink);
  if (fault !== undefined) throw fault;
  const options: TcpSocketConnectOpts = {
    ...destination,
    ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
  };
  const isBound = bindDevice !== undefined || fwmark !== undefined;
  const socket = attempt.hold(
    isBound ? boundSocket(destination.host, { bindDevice, fwmark }).connect(options) : connect(options),
  );
  const giveUp = (): unknown => socket.destroy(timeout(destination.host));
  const deadline = timeoutMs === undefined ? undefined : new PeerDeadline(timeoutMs, giveUp);
  try {
    await attempt.reached(socket, 'connect');
    return socket;
  } finally {
    deadline?.cancel();
  }
}

/** The kernel's error for an address of no device of this host. */
function bindFault(address: string | undefined, isOnLink: boolean): Error | undefined {
  if (address === undefined || linkLocalFault(address, isOnLink) === undefined) return undefined;
  const message = `bind EADDRNOTAVAIL ${address}`;
  return Object.assign(new Error(message), { code: 'EADDRNOTAVAIL', syscall: 'bind', address });
}

function timeout(address: string): Error {
  return Object.assign(new Error(`connect ETIMEDOUT ${address}`), { code: 'ETIMEDOUT', address });
}
