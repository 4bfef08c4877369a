import type { Descriptor } from './descriptors.ts';
import type { TlsRecords } from './tls.ts';

/** What a connection's TCP knows of its way. */
export interface TcpPath {
  /** The shortest round trip of the last minutes. */
  readonly shortestUs: number;
  /** Its smoothed round trip, and by how much that varies (RFC 6298). A late acknowledgement at a pause counts as well. */
  readonly roundTripUs: number;
  readonly variationUs: number;
  /** What waits in the kernel until it may be sent. */
  readonly unsentBytes: number;
}

/**
 * Connected TCP sockets, and the tunnels on them. Each door throws TypeError for what is no stream; those of tunnels
 * throw EBADF for a stream on which no tunnel was opened, or that is closed.
 */
export interface StreamDoor {
  /** A descriptor of its own for the connection behind `fd`. `fd` stays the caller's to close. @throws EMFILE, EBADF */
  adoptSocket(fd: number): Descriptor;
  /** Ends our direction of a stream. @returns 0, or a negative errno; EAGAIN while octets wait: `onReady` is told */
  endStream(descriptor: Descriptor): number;
  /** Whether the kernel had no room for something that was written since the last call. */
  takeHasWaited(descriptor: Descriptor): boolean;
  /** The name of the algorithm by which a connection's TCP answers congestion. @throws what getsockopt(2) gives */
  readCongestionControl(descriptor: Descriptor): string;
  /** @throws ENOENT: the kernel has none of that name; EPERM: not for us (net.ipv4.tcp_allowed_congestion_control) */
  setCongestionControl(descriptor: Descriptor, name: string): void;
  /** @throws what getsockopt(2) gives */
  readPath(descriptor: Descriptor): TcpPath;

  /**
   * Gives the list in which frames of tunnels stand before `onOctets` is called. Both arrays are kept as long as the
   * thread lives, and are overwritten for each `onOctets`.
   */
  shareFrameList(starts: Uint32Array, lengths: Uint32Array): void;
  /** Gives the cells in which native code counts what tunnels hold: BufferBudget's. Kept as long as the thread lives. */
  shareBufferCells(cells: Float64Array): void;
  /** Octets that a tunnel holds of messages that are not all there, or have not all left. */
  heldBytes(descriptor: Descriptor): number;
  /**
   * From now on the stream is read before JavaScript is called, and its messages are taken apart. It stays so until the
   * descriptor is closed; a stream is opened as a tunnel once.
   * @param isMasking whether we mask what we send: a client does (RFC 6455, 5.3)
   * @param isBatched whether messages are those of the batched wire
   * @param onOctets kept until the descriptor is closed; see FramingEvents in transport.ts. The buffer is valid inside of
   *   the call only
   * @throws EBADF: no frame list was shared, or the descriptor is closed or a tunnel already; ENOMEM
   */
  openTunnel(
    descriptor: Descriptor,
    isMasking: boolean,
    isBatched: boolean,
    maxMessageBytes: number,
    onOctets: (bytes: Buffer, frames: number, oddStart: number, oddLength: number, from: number, end: number) => number,
  ): void;
  /**
   * From now on the tunnel's octets are records of TLS 1.3, opened and sealed where they are read and written. The keys and
   * `onRecord` are kept until the descriptor is closed, or others take their place.
   * @param recordsAKey when so many were sealed under our key, nothing is sealed before JavaScript has updated it; when so
   *   many were opened under the peer's, JavaScript is told, to ask for another one, and a quarter more breaks the protocol
   * @param prefetched ciphertext that was read already; it is copied
   * @param onRecord `status`: 21 or 22 for an alert or a record of the handshake, with its content; a fatal alert (RFC
   *   8446, B.2), negative; or 256: the peer's key is worn. And whether data came since the last call. @returns 0: nothing
   *   more is opened, 1: go on, 2: the same, and data would break the protocol now
   * @throws EINVAL: it is under TLS already; ENOMEM; ENOSYS: Node does not export the ciphers of its OpenSSL
   */
  sealTunnel(
    descriptor: Descriptor,
    opening: TlsRecords,
    sealing: TlsRecords,
    recordsAKey: number,
    prefetched: Uint8Array,
    onRecord: (status: number, content: Buffer, hasData: boolean) => number,
  ): void;
  /** Goes on under other keys, which are kept in place of the former. @throws EINVAL: it is not under TLS; ENOSYS */
  renewTunnelKeys(descriptor: Descriptor, opening: TlsRecords, sealing: TlsRecords): void;
  /** Reads now, and gives everything to `onOctets`. @returns how many octets, 0 at the stream's end, or a negative errno */
  readTunnel(descriptor: Descriptor): number;
  /** Goes on with octets that were read from the stream before. They are copied where they are kept. @throws ENOMEM */
  feedTunnel(descriptor: Descriptor, bytes: Uint8Array): void;

  /**
   * Sends `bytes[from .. to)` by a tunnel, in records where it is under TLS. All of it is taken: what the kernel does not
   * take is copied, and goes before anything else when there is room.
   * @returns how many octets wait now, those of earlier calls among them: `onReady` is told as WRITABLE with a count
   *   whenever some of them have left, until the count is 0. Or a negative errno: nothing was taken; EDQUOT when the
   *   sealing key has sealed `recordsAKey` records (sealTunnel)
   */
  sendOctets(descriptor: Descriptor, bytes: Uint8Array, from: number, to: number): number;
  /** As sendOctets, one TLS record of a type that is not data; there is no limit of the key. */
  sendRecord(descriptor: Descriptor, type: number, content: Uint8Array): number;
  /**
   * As sendOctets, frames as messages of the tunnel's wire: one for all of them on the batched wire, else one each.
   * @param indexes the first `count` name the frames
   * @param leastBytes shorter payloads are padded with zeros, on the raw wire
   * @throws RangeError for more than a write's worth (64 KiB) and one frame
   */
  sendFrames(
    descriptor: Descriptor,
    bytes: Uint8Array,
    starts: Uint32Array,
    lengths: Uint32Array,
    indexes: Uint32Array,
    count: number,
    hasOffloadHeaders: boolean,
    leastBytes: number,
  ): number;
}
