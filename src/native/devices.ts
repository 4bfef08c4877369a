import type { DiscardReason } from '../bridge/port.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';
import type { Descriptor } from './descriptors.ts';

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

export interface OpenedTap {
  readonly descriptor: Descriptor;
  /** The real name, where `%d` was asked for. */
  readonly name: string;
  /** TUN_F_* as the kernel took them; -1 without virtio-net headers. */
  readonly features: number;
  readonly isPersistent: boolean;
}

/** The network namespace that a TAP device is in, and its name there. */
export interface TapLocation {
  readonly name: string;
  /** the number by which our own namespace knows it; -1: it is our own */
  readonly netnsId: number;
  /** by which it is known elsewhere, as in `net:[4026531840]`; 0: the kernel does not tell us where it is */
  readonly netnsInode: number;
}

/**
 * TAP devices and packet sockets. What a device does is never thrown: it is a negative errno or stands in a tally.
 * TypeError and RangeError are thrown for arguments that do not fit, such as a frame outside of its slab.
 */
export interface DeviceDoor {
  /**
   * @param features TUN_F_*, or -1 without virtio-net headers
   * @throws the errno of open(2) or of the ioctl that failed: EBUSY, EPERM, ENOENT
   */
  openTap(name: string, features: number, sendBufferBytes: number): OpenedTap;
  /** @throws the errno of the call that failed: EPERM without CAP_NET_RAW, ENODEV */
  openPacketSocket(interfaceIndex: number, hasOffloadHeaders: boolean, receiveBufferBytes: number): Descriptor;
  /** Whether packet sockets of this kernel take datagram super-frames (gso_type UDP_L4); false where it cannot be tried. */
  packetSocketsTakeUso(): boolean;
  /** Where a TAP device is, and what it is called there. @throws EBADFD once it was deleted */
  locateTap(tap: Descriptor): TapLocation;

  /**
   * Writes the named frames in order; one that fails keeps none of the others.
   * @param groOffloads the offloads that a TAP device takes: consecutive TCP segments
   *   of a flow become super-frames on the way (native/offload/gro.h); 0 writes each as it is
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
    groOffloads: Offloads,
    tally: Uint32Array,
  ): number;
  /**
   * Copies the head of the frame that a read or a write dropped last for a reason that points at a fault, with its
   * virtio-net header in front (fault-example.ts).
   * @param reason an index into TALLY_REASONS
   * @returns the frame's length; 0: there is none
   */
  takeFaultExample(reason: number, bytes: Uint8Array): number;

  /**
   * Gives the slab that all devices are read into before `onReady` is called, and the tally that is written for it.
   * The four arrays are kept as long as the thread lives, those of an earlier call too; their octets are overwritten at
   * each wake-up, so a receiver copies what it wants to keep.
   * @throws RangeError: the tally is shorter than TALLY_REASONS
   */
  shareDeviceSlab(bytes: Uint8Array, starts: Uint32Array, lengths: Uint32Array, tally: Uint32Array): void;
  /**
   * From now on the device is read into the shared slab before `onReady` is told how many frames there are. Each has
   * RECORD_HEADER_BYTES in front of it, and SLAB_FRONT_BYTES are free in front of the first.
   * @param room the longest frame; a longer one is discarded as too long
   * @throws RangeError: a room below 0 or above the longest super-frame, or no slab has been shared
   */
  readsFrames(descriptor: Descriptor, room: number): void;
}
