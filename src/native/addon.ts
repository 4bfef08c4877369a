import { fileURLToPath } from 'node:url';
import type { DiscardReason } from '../bridge/port.ts';
import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { OffloadAddon } from '../wire/offload/native-engine.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';
import type { MessageCodec } from '../wire/websocket/message-codec.ts';
import { loadAddon } from './load-addon.ts';

declare const brand: unique symbol;

/** An open file descriptor that the addon keeps. It is closed by `close`, when it is collected, or with its thread. */
export type Descriptor = object & { readonly [brand]: 'Descriptor' };

/** The flow table of a bridge; it goes with the last of its JavaScript object and the descriptors that are ends of its flows. */
export type NativeFlows = object & { readonly [brand]: 'NativeFlows' };

/** One direction of a TLS connection, under one key, which is forgotten by `endTlsRecords` or when it is collected. */
export type TlsRecords = object & { readonly [brand]: 'TlsRecords' };

/** A link as rtnetlink describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_*: 1 is Ethernet */
  readonly hardwareType: number;
  /** set up by the administrator */
  readonly isUp: boolean;
  /** able to carry frames: up, and with a carrier */
  readonly isRunning: boolean;
  /** only in events: the device is gone */
  readonly isRemoved: boolean;
  readonly mtu: number;
  readonly minMtu?: number;
  readonly maxMtu?: number;
  readonly txQueueFrames?: number;
  /** `tun`, `veth`, `bridge`, …; hardware has none */
  readonly kind?: string;
  /** of the kind `tun`: whether it is a TAP device */
  readonly isTap?: boolean;
  /** of the kind `tun`: made for several queues, of which programs have so many */
  readonly isMultiQueue?: boolean;
  readonly queues?: number;
}

/** A link has got an address, or an address that it has was confirmed. */
export interface NewAddress {
  readonly index: number;
  readonly hasNewAddress: true;
}

export interface LinkAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  readonly isSecondary: boolean;
}

/** The network namespace that a TAP device is in, and its name there. */
export interface TapLocation {
  readonly name: string;
  /** the number by which our own namespace knows it; -1: it is our own */
  readonly netnsId: number;
  /** by which it is known elsewhere, as in `net:[4026531840]`; 0: the kernel does not tell us where it is */
  readonly netnsInode: number;
}

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

export interface OpenedTap {
  readonly descriptor: Descriptor;
  /** The real name, where `%d` was asked for. */
  readonly name: string;
  /** TUN_F_* as the kernel took them; -1 without virtio-net headers. */
  readonly features: number;
  readonly isPersistent: boolean;
}

/**
 * What native/ offers. Failures are Errors with the errno's name as `code` and
 * the failed call as `syscall`, except on the data path, which never throws for
 * what a device does.
 */
export interface NativeAddon extends OffloadAddon, MessageCodec {
  openTap(name: string, features: number, sendBufferBytes: number): OpenedTap;
  openPacketSocket(interfaceIndex: number, hasOffloadHeaders: boolean, receiveBufferBytes: number): Descriptor;
  /** Whether packet sockets of this kernel take datagram super-frames (gso_type UDP_L4); false where it cannot be tried. */
  packetSocketsTakeUso(): boolean;
  /** A subscription to the changes of all links, and to the addresses that they get. */
  openLinkEvents(): Descriptor;

  /**
   * Calls once per wake-up while something is waiting; `status` is a negative errno, or READABLE and WRITABLE, or'ed.
   * @param onReady `count` with READABLE: what was read already, for what is read before (readsFrames, openTunnel), or a
   *   negative errno; with WRITABLE, of a tunnel: see sendOctets
   */
  watch(descriptor: Descriptor, onReady: (status: number, count: number) => void): void;
  /** What is to wake us up: READABLE, WRITABLE, or'ed; 0 for nothing. At first it is READABLE. */
  await(descriptor: Descriptor, events: number): void;
  /**
   * Calls `onReady` of each descriptor of frames that awaits READABLE and is, as the loop will do; but not where the
   * last time is a fifth of a millisecond ago or less, nor from inside of an `onReady`.
   */
  pollNow(): void;
  pause(descriptor: Descriptor): void;
  resume(descriptor: Descriptor): void;
  /** No readiness is told from here on. @returns whether `onClosed` will be called, when nothing of it is left */
  close(descriptor: Descriptor, onClosed: () => void): boolean;

  /**
   * Reads what is waiting into a slab, until it is full.
   * Records are `[4 octets free][10-octet virtio-net header][frame]`, one
   * directly behind the other, and the first stands behind SLAB_FRONT_BYTES.
   * @param room the longest frame to expect; a longer one is dropped and tallied
   * @param tally what was dropped, by TALLY_REASONS; set anew
   * @returns the number of frames, or a negative errno
   */
  readFrames(
    descriptor: Descriptor,
    bytes: Uint8Array,
    starts: Uint32Array,
    lengths: Uint32Array,
    room: number,
    tally: Uint32Array,
  ): number;
  /**
   * Writes the named frames in order; one that fails keeps none of the others.
   * @param mergeFor the offloads that a TAP device takes: consecutive TCP segments
   *   of a flow become super-frames on the way (native/offload/merge.h); 0 writes each as it is
   * @returns how many were taken
   */
  writeFrames(
    descriptor: Descriptor,
    bytes: Uint8Array,
    starts: Uint32Array,
    lengths: Uint32Array,
    indexes: Uint32Array,
    count: number,
    hasOffloadHeaders: boolean,
    mergeFor: Offloads,
    tally: Uint32Array,
  ): number;

  /**
   * Copies the head of the frame that a read or a write dropped last for a reason that points at a fault, with its
   * virtio-net header in front (fault-example.ts).
   * @param reason an index into TALLY_REASONS
   * @returns the frame's length; 0: there is none
   */
  takeFaultExample(reason: number, bytes: Uint8Array): number;

  // The fast path (native/datapath/datapath.h): frames that match a flow go from one descriptor to another, and only the rest
  // is JavaScript's.

  /** Where devices are read to, for good, before `onReady` is called. The tally is written for it, too. */
  shareDeviceSlab(bytes: Uint8Array, starts: Uint32Array, lengths: Uint32Array, tally: Uint32Array): void;
  /** Where frames of tunnels are listed, for good, before `onOctets` is called. */
  shareFrameList(starts: Uint32Array, lengths: Uint32Array): void;
  /** Where native code counts what tunnels hold, for good: BufferBudget's. */
  shareBufferCells(cells: Float64Array): void;
  /** What a tunnel holds of messages that are not all there, or have not all left. */
  heldBytes(descriptor: Descriptor): number;
  /** From now on the device is read as by `readFrames`, into the shared slab, before `onReady` is told how many there are. */
  readsFrames(descriptor: Descriptor, room: number): void;
  /**
   * From now on the stream is read before JavaScript is called, and taken apart.
   * @param onOctets see FramingEvents in transport.ts
   */
  openTunnel(
    descriptor: Descriptor,
    isMasking: boolean,
    isBatched: boolean,
    maxMessageBytes: number,
    onOctets: (bytes: Buffer, frames: number, oddStart: number, oddLength: number, from: number, end: number) => number,
  ): void;
  /**
   * From now on the tunnel's octets are records of TLS 1.3, opened and sealed where they are read and written.
   * @param recordsAKey when so many were sealed under our key, nothing is sealed before JavaScript has updated it; when so
   *   many were opened under the peer's, JavaScript is told, to ask for another one, and a quarter more breaks the protocol
   * @param prefetched ciphertext that was read already
   * @param onRecord `status`: 21 or 22 for an alert or a record of the handshake, with its content; a fatal alert (RFC
   *   8446, B.2), negative; or 256: the peer's key is worn. And whether data came since the last call. @returns 0: nothing more is opened, 1: go on, 2: the same, and data would break the protocol now
   */
  sealTunnel(
    descriptor: Descriptor,
    opening: TlsRecords,
    sealing: TlsRecords,
    recordsAKey: number,
    prefetched: Uint8Array,
    onRecord: (status: number, content: Buffer, hasData: boolean) => number,
  ): void;
  /** Goes on under other keys. */
  renewTunnelKeys(descriptor: Descriptor, opening: TlsRecords, sealing: TlsRecords): void;
  /** Reads now, and gives everything to `onOctets`. @returns how many octets, 0 at the stream's end, or a negative errno */
  readTunnel(descriptor: Descriptor): number;
  /** Goes on with octets that were read from the stream before. */
  feedTunnel(descriptor: Descriptor, bytes: Uint8Array): void;
  /** An empty flow table. @param nowMs the present time by the clock of its bridge, which runs as performance.now() does */
  createFlowTable(nowMs: number): NativeFlows;
  /**
   * Frames with the addresses and the outer C-TAG of `bytes[start .. end)` go from one watched descriptor to another. Each
   * descriptor is an end of one table's flows: those of another table, in which it was before, are invalid then.
   * @param cells what each port counts in (bridge/counters.ts); kept until the descriptor is closed
   * @param offloads those that the egress takes, and `maxFrameBytes` the longest finished frame
   * @param tagAllowance which tags may stand on top of that (frame-length.ts)
   * @param mayWait whether a device may be left unread while the egress has no room
   * @param meter the token buckets of frames and of bits that the frames are charged to (bridge/token-bucket.ts)
   */
  installFlow(
    table: NativeFlows,
    ingress: Descriptor,
    ingressCells: Float64Array,
    egress: Descriptor,
    egressCells: Float64Array,
    bytes: Uint8Array,
    start: number,
    end: number,
    offloads: Offloads,
    maxFrameBytes: number,
    tagAllowance: TagAllowance,
    lifeMs: number,
    mayWait: boolean,
    meter: Float64Array | undefined,
  ): void;
  /** No flow of the table is followed any more. */
  invalidateFlows(table: NativeFlows): void;
  /** No flow from or to the descriptor is followed any more; nor is any other one of its table. */
  endFlows(descriptor: Descriptor): void;

  /** A descriptor of its own for the connection behind `fd`, whose owner closes `fd`. */
  adoptSocket(fd: number): Descriptor;
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
  /** Ends our direction of a stream. @returns 0, or a negative errno; EAGAIN while octets wait: `onReady` is told */
  endStream(descriptor: Descriptor): number;

  // TLS records behind the handshake (RFC 8446, 5): there where Node exports the ciphers of its OpenSSL.

  /**
   * Says whether AES-GCM of keys that start from now on may be that of a library which is faster than OpenSSL.
   * @returns the version of ipsec-mb where that is so
   */
  chooseAes?(mayUseLibrary: boolean): string | null;
  /** One direction of a connection under one key. @param suite an index into SUITES (tls/key-schedule.ts) */
  startTlsRecords?(suite: number, key: Uint8Array, iv: Uint8Array, sequence: number, isSealing: boolean): TlsRecords;
  /** The number of the next record under the key. */
  countTlsRecords?(records: TlsRecords): number;
  /** Forgets the key. */
  endTlsRecords?(records: TlsRecords): void;
  /**
   * Opens whole records of `bytes[from .. end)` and puts their application data
   * into `target[at .. most)`, which may not overlap.
   * @param opened gets how many octets were consumed, how many of data they gave, and how many of content lie behind it
   * @returns 0 when no whole record is left or no room for it; 21 or 22 behind an alert or a record of the handshake,
   *   whose content lies behind the data; or a fatal alert (RFC 8446, B.2), negative: nothing behind it is opened
   */
  openTlsRecords?(
    records: TlsRecords,
    bytes: Uint8Array,
    from: number,
    end: number,
    target: Uint8Array,
    at: number,
    most: number,
    opened: Uint32Array,
  ): number;
  /** Seals `bytes[from .. end)` in records of a type, from `target[at]` on. @returns the position behind them */
  sealTlsRecords?(
    records: TlsRecords,
    type: number,
    bytes: Uint8Array,
    from: number,
    end: number,
    target: Uint8Array,
    at: number,
  ): number;

  /** What became of links, oldest first; null when the kernel had to drop events. */
  readLinkEvents(descriptor: Descriptor): (Link | NewAddress)[] | null;
  /** @param netnsId where, by the number that locateTap gives; default: our own network namespace */
  readLink(nameOrIndex: string | number, netnsId?: number): Link;
  /**
   * -1 leaves a setting as it is.
   * @param tap where: in the network namespace that this device is in, which takes CAP_SYS_ADMIN; default: our own
   */
  changeLink(index: number, isUp: -1 | 0 | 1, mtu: number, txQueueFrames: number, tap?: Descriptor): void;
  /** Sets the MAC address. */
  setLinkAddress(index: number, octets: Uint8Array): void;
  /** Puts a device into another network namespace, and sets it up there. @throws EEXIST: the name is taken there */
  moveLink(index: number, netnsFd: number): void;
  /** Where a TAP device is, and what it is called there. @throws EBADFD once it was deleted */
  locateTap(tap: Descriptor): TapLocation;
  /** @param netnsId as of readLink */
  listAddresses(index: number, netnsId?: number): LinkAddress[];
  /** @param tap as of changeLink */
  addAddress(index: number, address: string, prefixLength: number, tap?: Descriptor): void;
  deleteAddress(index: number, address: string, prefixLength: number, tap?: Descriptor): void;

  /** The name of the algorithm by which a connection's TCP answers congestion. */
  readCongestionControl(descriptor: Descriptor): string;
  /** @throws ENOENT: the kernel has none of that name; EPERM: not for us (net.ipv4.tcp_allowed_congestion_control) */
  setCongestionControl(descriptor: Descriptor, name: string): void;
  /** Whether the other would throw. */
  tryCongestionControl(name: string): void;
  readPath(descriptor: Descriptor): TcpPath;
  /** Whether the kernel had no room for something that was written since the last call. */
  takeHasWaited(descriptor: Descriptor): boolean;

  setSocketOption(fd: number, name: keyof SocketOptions, value: number): void;
  readSocketOption(fd: number, name: keyof SocketOptions): number;

  /**
   * Looks a name up by getaddrinfo, in a thread of its own. It does not keep the process alive, and cannot be ended.
   * @param onDone `addresses`, with a space between two, in the order in which they are to be tried; or `error`, the
   *   code of Node's dns.lookup. The other one is empty
   * @throws EAGAIN: no more threads
   */
  lookUpName(name: string, onDone: (error: string, addresses: string) => void): void;
  /**
   * A TCP socket that is not connected yet, which the caller owns.
   * @param device it reaches through this one only (SO_BINDTODEVICE); empty: any
   * @param mark SO_MARK, for routing rules and packet filters; 0: none
   * @throws the option that failed is the `syscall`: ENODEV, EPERM
   */
  openTcpSocket(isIpv6: boolean, device: string, mark: number): number;

  /** @param group empty: the user's own. @returns uid and gid. @throws ENOENT */
  lookUpUser(user: string, group: string): [uid: number, gid: number];
  /** Ids of all threads, for good; this thread keeps CAP_NET_ADMIN and CAP_NET_RAW where it has them, the others nothing. */
  becomeUser(user: string, uid: number, gid: number): void;
  /** PR_SET_NO_NEW_PRIVS */
  forbidNewPrivileges(): void;
  /** dup2(2): whatever is written to `to` goes where `from` leads, from one instant to the next. */
  redirectDescriptor(from: number, to: number): void;
  /**
   * The uid of the other end of a TCP connection within this network namespace, or of a Unix socket; -1 where it cannot
   * be known: the other end has been closed, or is not of this namespace.
   * @throws EPROTONOSUPPORT, EACCES and the like: this kernel does not tell
   */
  readPeerUser(fd: number): number;
  /** @throws ENOENT */
  lookUpGroup(group: string): number;
  /** From the system's user database, in another thread; a name that is empty and no groups where there is no such user. */
  describeUser(uid: number): Promise<{ readonly name: string; readonly groups: readonly number[] }>;
  /** What malloc was given back goes back to the system. */
  trimMemory(): void;
  /** Whether malloc overwrites what it is given back from now on (glibc; pieces above 1 KiB). */
  wipeFreedMemory(isOn: boolean): void;
}

export const READABLE = 1;
export const WRITABLE = 2;
/** Told to a device: frames that followed a flow were lost, and stand in the shared tally. */
export const LOST = 4;

/** The free octets at the front of a slab: room for the head of a tunnel message. As in native/datapath/frames.h. */
export const SLAB_FRONT_BYTES = 64;
/** What stands in front of each frame in a slab. As in native/datapath/frames.h. */
export const RECORD_HEADER_BYTES = 14;
/** The reasons in a tally's order. As in native/datapath/tally.h. */
export const TALLY_REASONS: readonly DiscardReason[] = [
  'queueFull',
  'linkDown',
  'tooLong',
  'badOffload',
  'deviceError',
];

let loaded: NativeAddon | undefined;

/** Loads the addon on first use. @throws EtherwsError ADDON_MISSING */
export function nativeAddon(): NativeAddon {
  loaded ??= load();
  return loaded;
}

/** The addon where it has been loaded: without it there is nothing of its to take back. */
export function loadedAddon(): NativeAddon | undefined {
  return loaded;
}

/**
 * Forwards frames that have come since the loop looked for them. To be called between pieces of work of which clients can
 * cause many in one turn of the loop. Where less than 0.2 ms has passed it costs as much as looking at the clock.
 */
export function pollNow(): void {
  // Without the addon nothing is watched, and nothing needs it.
  loaded?.pollNow();
}

function load(): NativeAddon {
  const file = fileURLToPath(new URL('../../../build/Release/etherws.node', import.meta.url));
  return loadAddon(file) as NativeAddon;
}

/** Options of a TCP socket that Node has no setter for. */
export interface SocketOptions {
  /** TCP_NODELAY: 1 sends small segments at once */
  noDelay?: number;
  /** TCP_NOTSENT_LOWAT: octets that may wait unsent in the kernel before the socket counts as not writable */
  notSentLowatBytes?: number;
  /** TCP_QUICKACK: 1 acknowledges at once */
  quickAck?: number;
  /** TCP_USER_TIMEOUT: how long sent data may stay unacknowledged */
  userTimeoutMs?: number;
  /** SO_SNDBUF and SO_RCVBUF; the kernel doubles them, and stops tuning them by itself */
  sendBufferBytes?: number;
  receiveBufferBytes?: number;
  /** SO_BUSY_POLL, in microseconds */
  busyPollUs?: number;
  /** SO_PRIORITY, 0..6 */
  priority?: number;
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
