import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { errnoOf } from '../../native/device-error.ts';
import type { TapLocation } from '../../native/devices.ts';
import type { Link } from '../../native/links.ts';
import type { Logger } from '../../observability/logger.ts';
import { type OpenDevice, setDown } from './device-setup.ts';
import { closeDescriptor, linkMonitor } from './link-monitor.ts';
import { nameOfNetns } from './netns.ts';

/** Where the device is, for settings. */
export interface Whereabouts {
  readonly index: number;
  readonly name: string;
  /** Present when it is in another network namespace. */
  readonly elsewhere?: { readonly netnsId: number; readonly netns: string; readonly tap: Descriptor } | undefined;
}

export interface AttachedDeviceEvents {
  /** The link, or where it is, has changed. */
  changed(): void;
  /** The device was deleted, or has left without us. Last event. */
  gone(): void;
}

/** How often a device is asked for its state where the kernel tells us nothing: in another network namespace. */
const POLL_MS = 1000;
const MAX_LOOKS = 3;

/** One device for as long as it is there: its descriptor, and what the kernel says of its link. */
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

  /** The network namespace that the device is in, by its name; undefined: ours. */
  get netns(): string | undefined {
    return this.#netns;
  }

  get whereabouts(): Whereabouts {
    const { index, name } = this.#link;
    if (this.#location === undefined || this.#netns === undefined) return { index, name };
    const { netnsId } = this.#location;
    return { index, name, elsewhere: { netnsId, netns: this.#netns, tap: this.descriptor } };
  }

  /** Asks the kernel; tells what has changed. @returns whether the device is still there */
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
      // No descriptor is left to ask by, for example: what was known holds until it can be asked again.
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.refresh(), POLL_MS).unref();
      return true;
    }
    if (netns !== this.#netns || hasChanged(link, this.#link)) this.#events.changed();
    return true;
  }

  /** Ends without a word. @param restores whether the device is set down again where it was found down */
  async release(restores: boolean, logger: Logger): Promise<void> {
    const { found, isRestored } = this.device;
    if (restores && isRestored && !found.isUp && this.#netns === undefined) setDown(this.#link, logger);
    await Promise.all([closeDescriptor(this.descriptor), this.unwatch()]);
  }

  /** Ends without a word, and leaves the descriptor to the caller. */
  unwatch(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#polling);
    clearTimeout(this.#retry);
    return this.#unwatch();
  }

  /** As `#look`; a TAP device may move between the two questions that are asked there. */
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
    // Subscribes before it looks: a change between the two is then heard, not missed.
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
    // Without a right over that namespace its devices cannot be looked at; frames tell whether this one works.
    return { ...this.#link, name, isUp: true, isRunning: true };
  }

  #hear(link: Link): void {
    // Another device may have its number by now. A TAP that was removed here may have moved.
    if (link.isRemoved && !this.device.canMove) this.#end();
    else this.refresh();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.gone();
  }

  /** @param index of a device in our network namespace; undefined: it is elsewhere */
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

/** The number of a TAP device in our own network namespace; undefined: it is in another one. */
function indexHere({ name, netnsId, netnsInode }: TapLocation): number | undefined {
  if (netnsId >= 0) return undefined;
  try {
    return nativeAddon().readLink(name).index;
  } catch (error) {
    // The device is alive, so where the kernel does not say where it is, it is elsewhere.
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

/** ENODEV of rtnetlink; a TAP's descriptor says EBADFD, which libuv has no name for. */
function isGone(error: unknown): boolean {
  return (
    errnoOf(error) === 'ENODEV' ||
    (error instanceof Error && 'syscall' in error && error.syscall === 'ioctl(TUNGETIFF)')
  );
}
