import { nativeAddon } from './addon.ts';

/** Options of a socket that Node has no setter for. */
export interface SocketOptions {
  /** TCP_NODELAY: 1 sends small segments at once */
  noDelay?: number;
  /** TCP_NOTSENT_LOWAT: octets that may wait unsent in the kernel before the socket counts as not writable */
  notSentLowatBytes?: number;
  /** SO_SNDBUF: what a Unix socket holds for its reader; the kernel bounds it to net.core.wmem_max */
  sendBufferBytes?: number;
}

/** Sockets, by file descriptors that the caller keeps, and look-ups of host names. */
export interface SocketDoor {
  /** @throws the error of setsockopt(2) */
  setSocketOption(fd: number, name: keyof SocketOptions, value: number): void;
  /** @throws as setCongestionControl of StreamDoor would */
  tryCongestionControl(name: string): void;
  /**
   * Makes an unconnected TCP socket, which the caller owns.
   * @param device the only device for its packets (SO_BINDTODEVICE); empty: any
   * @param mark SO_MARK, for routing rules and packet filters; 0: none
   * @throws the option that failed is the `syscall`: ENODEV, EPERM
   */
  openTcpSocket(isIpv6: boolean, device: string, mark: number): number;
  /**
   * Sends one datagram to a Unix socket, without waiting.
   * @param name a path; `@` at its beginning stands for the octet 0 of an abstract name
   * @throws ENOENT, ECONNREFUSED: no program receives there; EAGAIN: its queue is full; ENAMETOOLONG
   */
  sendUnixDatagram(name: string, octets: Uint8Array): void;
  /**
   * Looks a name up by getaddrinfo, in a thread of its own. It does not keep the process alive, and cannot be ended.
   * @param onDone `addresses`, with a space between two, in the order in which they are to be tried; or `error`, the
   *   code of Node's dns.lookup. The other one is empty
   * @throws EAGAIN: no more threads
   */
  lookUpName(name: string, onDone: (error: string, addresses: string) => void): void;
  /**
   * The uid of the other end of a TCP connection within this network namespace, or of a Unix socket; -1 where it cannot
   * be known: the other end has been closed, or is not of this namespace.
   * @throws EPROTONOSUPPORT, EACCES and the like: this kernel does not tell
   */
  readPeerUser(fd: number): number;
}

/**
 * Tunes a socket by its file descriptor. These are tunings, not conditions: a
 * tunnel works without them, so nothing is thrown.
 * @returns whether all of them were set; false also without the addon
 */
export function setSocketOptions(fd: number, options: SocketOptions): boolean {
  let areAllSet = true;
  for (const [name, value] of Object.entries(options) as [keyof SocketOptions, number | undefined][]) {
    if (value === undefined) continue;
    try {
      nativeAddon().setSocketOption(fd, name, value);
    } catch {
      areAllSet = false;
    }
  }
  return areAllSet;
}
