import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { errnoOf } from '../../native/device-error.ts';
import type { TapLocation } from '../../native/devices.ts';
import type { Link } from '../../native/links.ts';
import type { Logger } from '../../observability/logger.ts';
import { type OpenDevice, setDown } from './device-setup.ts';
import { closeDescriptor, linkMonitor } from './link-monitor.ts';
import { nameOfNetns } from './netns.ts';

/** How the device is addressed when its settings are read or changed. */
export interface Whereabouts {
  readonly index: number;
  readonly name: string;
  /** Present when the device is in another network namespace. */
  readonly elsewhere?: { readonly netnsId: number; readonly netns: string; readonly tap: Descriptor } | undefined;
}

export interface AttachedDeviceEvents {
  /** The link state or the network namespace has changed. */
  changed(): void;
  /** The device was deleted, or moved to a network namespace where it cannot be followed. The last event. */
  gone(): void;
}

/** Poll interval for a device in another network namespace, of which rtnetlink reports no changes. */
const POLL_MS = 1000;
const MAX_LOOKS = 3;

/** One attached device, until it is deleted or released: its descriptor and the link state that the kernel reports. */
export class AttachedDevice {
  readonly device: OpenDevice;
  readonly #events: AttachedDeviceEvents;
  #link: Link;
  #location: TapLocation | undefined;
  #netns: string | undefined;
  #watchedIndex = -1;
  #unwatch: () => Promise<void> = () => Promise.resolve();
  #polling: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @throws what the addon throws; then the descriptor is still the caller's */
  constructor(device: OpenDevice, events: AttachedDeviceEvents) {
    this.device = device;
    this.#events = events;
    this.#link = device.found;
    try {
      this.#look();
    } catch (error) {
      void this.unwatch();
      throw error;
    }
  }

  get descriptor(): Descriptor {
    return this.device.descriptor;
  }

  get link(): Link {
    return this.#link;
  }

  /** The name of the device's network namespace; undefined: the namespace of this process. */
  get netns(): string | undefined {
    return this.#netns;
  }

  get whereabouts(): Whereabouts {
    const { index, name } = this.#link;
    if (this.#location === undefined || this.#netns === undefined) return { index, name };
    const { netnsId } = this.#location;
    return { index, name, elsewhere: { netnsId, netns: this.#netns, tap: this.descriptor } };
  }

  /** Reads the state from the kernel and reports changes. @returns whether the device still exists */
  refresh(): boolean {
    if (this.#isOver) return false;
    const [link, netns] = [this.#link, this.#netns];
    try {
      this.#lookAgain();
    } catch (error) {
      if (isGone(error)) {
        this.#end();
        return false;
      }
      // The state cannot be read, for example because no file descriptor is free: the old state holds until the retry.
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.refresh(), POLL_MS).unref();
      return true;
    }
    if (netns !== this.#netns || hasChanged(link, this.#link)) this.#events.changed();
    return true;
  }

  /** Closes the device without an event. @param restores whether a device that was found down is set down again */
  async release(restores: boolean, logger: Logger): Promise<void> {
    const { found, isRestored } = this.device;
    if (restores && isRestored && !found.isUp && this.#netns === undefined) setDown(this.#link, logger);
    await Promise.all([closeDescriptor(this.descriptor), this.unwatch()]);
  }

  /** Stops watching without an event. The descriptor stays open and belongs to the caller. */
  unwatch(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#polling);
    clearTimeout(this.#retry);
    return this.#unwatch();
  }

  /** As `#look`, tried again: a TAP device may move to another namespace between the two system calls of `#look`. */
  #lookAgain(): void {
    for (let tries = 1; ; tries++) {
      try {
        this.#look();
        return;
      } catch (error) {
        if (!this.device.canMove || errnoOf(error) !== 'ENODEV' || tries === MAX_LOOKS) throw error;
      }
    }
  }

  #look(): void {
    const location = this.device.canMove ? nativeAddon().locateTap(this.descriptor) : undefined;
    const index = location === undefined ? this.#link.index : indexHere(location);
    // Subscribe before reading the state, so that no change in between is missed.
    this.#follow(index);
    if (location === undefined || index !== undefined) {
      this.#link = nativeAddon().readLink(index ?? this.#link.index);
      this.#location = undefined;
      this.#netns = undefined;
    } else {
      this.#link = this.#readElsewhere(location);
      this.#location = location;
      this.#netns = nameOfNetns(location.netnsInode);
    }
  }

  #readElsewhere({ name, netnsId }: TapLocation): Link {
    try {
      if (netnsId >= 0) return nativeAddon().readLink(name, netnsId);
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error;
    }
    // Without privileges in that namespace the link cannot be read: it counts as up until a read or write fails.
    return { ...this.#link, name, isUp: true, isRunning: true };
  }

  #hear(link: Link): void {
    // Its ifindex may be in use by another device now. A TAP device that was removed here may have moved to another namespace.
    if (link.isRemoved && !this.device.canMove) this.#end();
    else this.refresh();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.gone();
  }

  /** @param index ifindex in the network namespace of this process; undefined: the device is in another one */
  #follow(index: number | undefined): void {
    if (index === undefined) {
      this.#polling ??= setInterval(() => this.refresh(), POLL_MS).unref();
    } else {
      clearInterval(this.#polling);
      this.#polling = undefined;
    }
    const wanted = index ?? -1;
    if (wanted === this.#watchedIndex) return;
    void this.#unwatch();
    this.#watchedIndex = wanted;
    this.#unwatch =
      index === undefined ? () => Promise.resolve() : linkMonitor.watch(index, (link) => this.#hear(link));
  }
}

/** The ifindex of a TAP device in the network namespace of this process; undefined: it is in another one. */
function indexHere({ name, netnsId, netnsInode }: TapLocation): number | undefined {
  if (netnsId >= 0) return undefined;
  try {
    return nativeAddon().readLink(name).index;
  } catch (error) {
    // The descriptor works, so the device exists; the ENODEV means that it is in another namespace.
    if (netnsInode === 0 && errnoOf(error) === 'ENODEV') return undefined;
    throw error;
  }
}

function hasChanged(before: Link, now: Link): boolean {
  return (
    before.index !== now.index ||
    before.name !== now.name ||
    before.mtu !== now.mtu ||
    before.isUp !== now.isUp ||
    before.isRunning !== now.isRunning
  );
}

/** A deleted device: ENODEV from rtnetlink, EBADFD (for which libuv has no name) from a TAP descriptor. */
function isGone(error: unknown): boolean {
  return (
    errnoOf(error) === 'ENODEV' ||
    (error instanceof Error && 'syscall' in error && error.syscall === 'ioctl(TUNGETIFF)')
  );
}
