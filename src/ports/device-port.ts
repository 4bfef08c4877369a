import type {
  CloseReason,
  Congestion,
  DiscardReason,
  LinkState,
  NetworkInterface,
  Port,
  PortEvents,
  Shortcut,
} from '../bridge/port.ts';
import type { Logger } from '../observability/logger.ts';
import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../wire/ethernet-frame.ts';
import { FrameBatch } from '../wire/frame-batch.ts';
import { MAX_TAGS_BYTES, statedLength, type TagAllowance, tagBytesOf } from '../wire/frame-length.ts';
import type { FrameExample } from '../wire/frame-summary.ts';
import { debtOf, GSO_NONE, OFFLOAD_HEADER_BYTES, OFFLOAD_NONE, type Offloads } from '../wire/offload.ts';
import { deviceError, errnoOf } from './device-error.ts';
import { takeFaultExample } from './fault-example.ts';
import { LinuxInterface } from './interface-settings.ts';
import { closeDescriptor, linkMonitor } from './link-monitor.ts';
import {
  type Descriptor,
  type Link,
  LOST,
  nativeAddon,
  RECORD_HEADER_BYTES,
  SLAB_FRONT_BYTES,
  TALLY_REASONS,
} from './native.ts';
import { forgetShortcuts, shorten } from './shortcuts.ts';

/** An open device, as the factories of tap and netdev hand it over. */
export interface OpenDevice {
  readonly descriptor: Descriptor;
  /** The link as it was found, before anything was changed. */
  readonly found: Link;
  readonly offloads: Offloads;
  /** Which tags the device takes on top of a full payload. */
  readonly tagAllowance: TagAllowance;
  /** Whether what is read may be a super-frame. */
  readonly givesSuperFrames: boolean;
  /** Whether a link that was found down is set down again at the end. */
  readonly isRestored: boolean;
  /** Frames that wait in the kernel for us, where that is ours to say; -1 leaves it. */
  readonly txQueueFrames: number;
  readonly logger: Logger;
}

/** Frames a wake-up delivers at most: enough to pay for the call, few enough to let others have their turn. */
const BATCH_FRAMES = 256;
/**
 * Four of the largest records. Measured with 60 000-octet frames that are copied on, a frame costs 14 µs in such a
 * slab, 16 to 18 µs in one of 1 MiB, which no longer fits into the cache, and 16 µs when each comes by itself.
 */
const SLAB_BYTES = SLAB_FRONT_BYTES + 4 * (RECORD_HEADER_BYTES + MAX_SUPER_FRAME_BYTES + 4);
/** How long a congested egress port is waited for; then it has to drop what it cannot take. */
const MAX_WAIT_MS = 100;

/** What devices are read into. Delivery is synchronous: one serves all devices of the process, and stays in the cache. */
let slab: FrameBatch | undefined;
/** What was dropped by the call before, for whichever device. */
const tally = new Uint32Array(TALLY_REASONS.length);

/**
 * A port on a device of the kernel that is read and written by frames: the
 * part that tap and netdev have in common.
 *
 * In: the kernel says that something is waiting → one call of the addon reads
 * it into a slab → the bridge gets one batch.
 * Out: `send` notes the frame's index → `flush` makes one call for all of them.
 */
export abstract class DevicePort implements Port {
  abstract readonly type: 'tap' | 'netdev';
  readonly offloads: Offloads;
  readonly tagAllowance: TagAllowance;
  readonly networkInterface: NetworkInterface;
  readonly #device: OpenDevice;
  readonly #indexes = new Uint32Array(BATCH_FRAMES);
  readonly #unwatch: () => Promise<void>;
  #link: Link;
  #state: LinkState = 'down';
  #events: PortEvents | undefined;
  #noted: FrameBatch | undefined;
  #notedFrames = 0;
  /** The lengths of the noted batch, once padding was cut from one of its frames; else its own hold. */
  #cutLengths: Uint32Array | undefined;
  /** Runs while a congested egress port is waited for. */
  #patience: NodeJS.Timeout | undefined;
  /** Why the device is gone for good. */
  #loss: string | undefined;
  #closing: Promise<void> | undefined;
  /** The directions and reasons of discards that were reported with an example, a bit each. */
  #explained = 0;

  protected constructor(device: OpenDevice) {
    this.#device = device;
    this.offloads = device.offloads;
    this.tagAllowance = device.tagAllowance;
    const { index } = device.found;
    // Subscribes before it looks: a change between the two is then heard, not missed.
    this.#unwatch = linkMonitor.watch(index, (link) => this.#linkEvent(link));
    try {
      this.#link = nativeAddon().readLink(index);
    } catch (error) {
      void this.#unwatch();
      throw error;
    }
    this.#state = stateOf(this.#link);
    this.networkInterface = new LinuxInterface(index, () => this.target);
  }

  /** The device's name, also after somebody has renamed it. */
  get target(): string {
    return this.#link.name;
  }

  /** The MTU and an Ethernet header; follows the MTU. Tags may come on top (`tagAllowance`). */
  get maxFrameBytes(): number {
    return this.#link.mtu + HEADER_BYTES;
  }

  open(events: PortEvents): void {
    if (this.#loss !== undefined) events.linkChanged('closed', this.#loss);
    if (this.#closing !== undefined) return;
    this.#events = events;
    if (this.#state !== 'up') events.linkChanged(this.#state, reasonOf(this.#link));
    slab ??= createSlab();
    nativeAddon().watch(this.#device.descriptor, (status, count) => this.#ready(status, count));
    this.#setRoom();
  }

  get shortcutEnd(): object | undefined {
    return this.#state === 'up' && this.#events !== undefined ? this.#device.descriptor : undefined;
  }

  shorten(shortcut: Shortcut): void {
    if (this.shortcutEnd !== undefined) shorten(this.#device.descriptor, shortcut);
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    if (this.#state !== 'up' || this.#events === undefined) return 'linkDown';
    const length = batch.lengths[index] as number;
    if (length < HEADER_BYTES) return 'runt';
    const kept = length > this.maxFrameBytes ? this.#fitted(batch, index, length) : length;
    if (kept < 0) return 'tooLong';
    // The addon is handed one slab a call.
    if (batch !== this.#noted || this.#notedFrames === BATCH_FRAMES) this.#write();
    this.#noted = batch;
    if (kept < length) this.#cut(batch, index, kept);
    this.#indexes[this.#notedFrames++] = index;
    return undefined;
  }

  flush(_isSoleEgress: boolean): void {
    this.#write();
  }

  close(_reason?: CloseReason): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { found, descriptor, isRestored, logger } = this.#device;
    this.#events = undefined;
    this.#forgetNoted();
    clearTimeout(this.#patience);
    if (this.#state !== 'closed' && isRestored && !found.isUp) setDown(found, logger);
    this.#state = 'closed';
    await Promise.all([closeDescriptor(descriptor), this.#unwatch()]);
  }

  /**
   * How much of a frame beyond `maxFrameBytes` is written: all of it under tags or as a super-frame; of a frame with
   * padding behind it, what its payload states; -1: it does not fit.
   */
  #fitted(batch: FrameBatch, index: number, length: number): number {
    const { bytes } = batch;
    const start = batch.starts[index] as number;
    const longest = this.maxFrameBytes + tagBytesOf(bytes, start, length, this.tagAllowance);
    if (length <= longest) return length;
    if (batch.hasOffloadHeaders && debtOf(bytes, start - OFFLOAD_HEADER_BYTES) !== OFFLOAD_NONE) {
      const isSuperFrame = bytes[start - OFFLOAD_HEADER_BYTES + 1] !== GSO_NONE;
      return isSuperFrame && this.offloads !== OFFLOAD_NONE && length <= MAX_SUPER_FRAME_BYTES ? length : -1;
    }
    // Some relays send every frame at the full length of a buffer.
    const stated = statedLength(bytes, start, length);
    return stated <= longest ? stated : -1;
  }

  /** Writes less of a frame of the noted batch, whose own lengths are shared with the other egress ports. */
  #cut(batch: FrameBatch, index: number, length: number): void {
    this.#cutLengths ??= batch.lengths.slice(0, batch.count);
    this.#cutLengths[index] = length;
  }

  #write(): void {
    const batch = this.#noted;
    const frames = this.#notedFrames;
    if (batch === undefined || frames === 0) return;
    const { bytes, starts, hasOffloadHeaders } = batch;
    const lengths = this.#cutLengths ?? batch.lengths;
    this.#forgetNoted();
    const { descriptor } = this.#device;
    const indexes = this.#indexes;
    const taken = nativeAddon().writeFrames(
      descriptor,
      bytes,
      starts,
      lengths,
      indexes,
      frames,
      hasOffloadHeaders,
      this.offloads,
      tally,
    );
    if (taken !== frames) this.#report('tx');
  }

  #forgetNoted(): void {
    this.#noted = undefined;
    this.#notedFrames = 0;
    this.#cutLengths = undefined;
  }

  /** @param count frames in the slab, or a negative errno */
  #ready(status: number, count: number): void {
    if (this.#events === undefined || slab === undefined) return;
    if (status === LOST) {
      this.#report('tx');
      return;
    }
    // A packet socket says once, as an error, that its device went down: the link monitor tells that better.
    if (count < 0 && (status < 0 || this.#isGone())) {
      if (this.#isGone()) this.#lose(`${this.target} was deleted`);
      return;
    }
    this.#report('rx');
    if (count <= 0) return;
    slab.count = count;
    const congestion = this.#events?.receive(slab);
    if (congestion !== undefined) this.#wait(congestion);
  }

  /** Leaves frames in the device's own queue, where their senders notice, until the way is free again. */
  #wait(congestion: Congestion): void {
    // The port may have been closed from inside `receive`.
    if (this.#closing !== undefined) return;
    nativeAddon().pause(this.#device.descriptor);
    this.#patience = setTimeout(this.#resume, MAX_WAIT_MS);
    congestion.onceRelieved(this.#resume);
  }

  readonly #resume = (): void => {
    if (this.#patience === undefined || this.#closing !== undefined) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    nativeAddon().resume(this.#device.descriptor);
  };

  #isGone(): boolean {
    try {
      nativeAddon().readLink(this.#link.index);
      return false;
    } catch (error) {
      return errnoOf(error) === 'ENODEV';
    }
  }

  #report(direction: 'rx' | 'tx'): void {
    for (let i = 0; i < TALLY_REASONS.length; i++) {
      const frames = tally[i] as number;
      if (frames > 0)
        this.#events?.discarded(direction, TALLY_REASONS[i] as DiscardReason, frames, this.#example(direction, i));
    }
  }

  /** A frame that was dropped, for the first report of each direction and reason; only that one is shown. */
  #example(direction: 'rx' | 'tx', reason: number): FrameExample | undefined {
    const bit = 1 << (2 * reason + (direction === 'rx' ? 0 : 1));
    if ((this.#explained & bit) !== 0) return undefined;
    this.#explained |= bit;
    return takeFaultExample(reason);
  }

  #linkEvent(link: Link): void {
    if (this.#state === 'closed') return;
    if (link.isRemoved) {
      this.#lose(`${this.target} was deleted`);
      return;
    }
    // What was decided for longer or for shorter frames does not hold any more.
    if (link.mtu !== this.#link.mtu) forgetShortcuts();
    this.#link = link;
    if (this.#events !== undefined && this.#closing === undefined) this.#setRoom();
    const state = stateOf(link);
    if (state === this.#state) return;
    this.#state = state;
    this.#events?.linkChanged(state, reasonOf(link));
  }

  /** Tells how long frames may be that are read from now on. */
  #setRoom(): void {
    const room = this.#device.givesSuperFrames ? MAX_SUPER_FRAME_BYTES : this.maxFrameBytes + MAX_TAGS_BYTES;
    nativeAddon().readsFrames(this.#device.descriptor, Math.min(room, MAX_SUPER_FRAME_BYTES));
  }

  /** The device is gone for good. */
  #lose(reason: string): void {
    const events = this.#events;
    this.#loss = reason;
    this.#state = 'closed';
    void this.close();
    events?.linkChanged('closed', reason);
  }
}

function createSlab(): FrameBatch {
  // Not from Node's pool, and not zeroed: the kernel writes before anybody reads.
  const batch = new FrameBatch(Buffer.allocUnsafeSlow(SLAB_BYTES), BATCH_FRAMES);
  batch.hasOffloadHeaders = true;
  nativeAddon().shareDeviceSlab(batch.bytes, batch.starts, batch.lengths, tally);
  return batch;
}

/** Sets an open device up and makes its port, or puts everything back. */
export function portOn<P>(device: OpenDevice, make: (device: OpenDevice) => P): P {
  const { descriptor, found, isRestored, txQueueFrames, logger } = device;
  try {
    if (!found.isUp) nativeAddon().changeLink(found.index, 1, -1, txQueueFrames);
    return make(device);
  } catch (error) {
    if (isRestored && !found.isUp) setDown(found, logger);
    nativeAddon().close(descriptor, () => undefined);
    throw deviceError(error, found.name, {
      EPERM: {
        code: 'PERMISSION_DENIED',
        message: `Device "${found.name}" is down, and this user may not set it up`,
        hint: `Run as root, or: ip link set ${found.name} up`,
      },
    });
  }
}

function setDown({ index, name }: Link, logger: Logger): void {
  try {
    nativeAddon().changeLink(index, 0, -1, -1);
  } catch (error) {
    // It was deleted this moment, or our privileges are gone: closing goes on all the same.
    if (errnoOf(error) !== 'ENODEV') logger.warn({ device: name, error }, 'the device could not be set down again');
  }
}

function stateOf(link: Link): 'up' | 'down' {
  return link.isUp && link.isRunning ? 'up' : 'down';
}

function reasonOf(link: Link): string | undefined {
  if (!link.isUp) return `${link.name} is set down`;
  return link.isRunning ? undefined : `${link.name} has no carrier`;
}
