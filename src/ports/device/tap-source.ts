import { closeSync } from 'node:fs';
import { EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import { deviceError, errnoOf } from '../../native/device-error.ts';
import type { OpenedTap } from '../../native/devices.ts';
import type { Link } from '../../native/links.ts';
import { TAGS_STACKED } from '../../wire/ethernet/frame-length.ts';
import {
  OFFLOAD_CHECKSUM,
  OFFLOAD_NONE,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Offloads,
} from '../../wire/offload/virtio-header.ts';
import type { DeviceOptions } from './device-owner.ts';
import type { OpenDevice } from './device-setup.ts';
import { type OpenNetns, openNetns } from './netns.ts';
import { movingError, nameTaken, openingError, queuesTaken } from './tap-errors.ts';

export interface TapSourceOptions extends DeviceOptions {
  /** Exchange super-frames and unfinished checksums with the kernel; default true. */
  offload?: boolean;
  /** The network namespace that the device is put into: a name as of `ip netns`, or a path; default: ours. */
  netns?: string | undefined;
  /** The device's MAC address, `02:00:00:00:00:01`; default: what it has, or the kernel chooses. */
  mac?: string | undefined;
}

/** TUN_F_* of linux/if_tun.h, and the offloads they stand for. */
const FEATURES: readonly { feature: number; offload: Offloads }[] = [
  { feature: 0x01, offload: OFFLOAD_CHECKSUM },
  { feature: 0x02, offload: OFFLOAD_TSO4 },
  { feature: 0x04, offload: OFFLOAD_TSO6 },
  { feature: 0x08, offload: OFFLOAD_TSO_ECN },
  { feature: 0x20 | 0x40, offload: OFFLOAD_USO },
];
const ALL_FEATURES = FEATURES.reduce((all, { feature }) => all | feature, 0);
const NO_OFFLOAD_HEADERS = -1;
/** TUNSETSNDBUF: how much the kernel keeps of what we wrote, before writes are refused; its own default. */
const SEND_BUFFER_BYTES = 2 ** 31 - 1;
/**
 * The kernel's queue towards us, for devices that we make. It must hold what comes while
 * the switch waits for a processor: on a busy machine that is tens of milliseconds, and what
 * does not fit is lost. 10 000 frames last for 100 ms at 100 000 a second, as long as a device
 * may wait for a full tunnel, and take 80 KiB of pointers. With 2000, single runs lost 0.5 to
 * 5 % of 100 000 to 200 000 small packets a second, all of them here.
 */
const TX_QUEUE_FRAMES = 10_000;

/** Where a port has its TAP device from, at first and when it is there again. */
export class TapSource {
  readonly #options: TapSourceOptions;
  /** Whether the device is one that we made, which goes with our descriptor. */
  #isMade = false;
  /** The network namespace that it was made for was not there when it was looked for again. */
  #wasNetnsMissing = false;
  #netnsInode: number | undefined;

  constructor(options: TapSourceOptions) {
    this.#options = options;
  }

  /** Makes a device, or attaches a persistent one. @throws EtherwsError; then nothing is left behind */
  open(name: string): OpenDevice {
    const existing = existingLink(name);
    if (existing !== undefined) this.#options.register?.check(existing.index, name);
    return this.#configured(this.#openTap(name));
  }

  /**
   * Attaches a persistent device that is there again. One of ours is made anew only where it went with its network
   * namespace, and that is there again: a device that was deleted on purpose must not turn up again at once.
   */
  reopen(name: string, holder: object): OpenDevice {
    if (this.#isMade && this.#options.netns !== undefined) return this.#remake(name, this.#options.netns);
    const existing = existingLink(name);
    if (existing === undefined) throw notThere(name);
    this.#options.register?.check(existing.index, name, holder);
    if (existing.kind !== 'tun' || existing.isTap === false) {
      const { code, message, hint } = nameTaken(name);
      throw new EtherwsError(code, message, hint === undefined ? {} : { hint });
    }
    const tap = this.#openTap(name);
    if (tap.isPersistent && nativeAddon().readLink(tap.name).index === existing.index) return this.#configured(tap);
    // It went in between, and the kernel has made another one; or it is one that goes with another program.
    nativeAddon().close(tap.descriptor, () => undefined);
    throw notThere(name);
  }

  #remake(name: string, netns: string): OpenDevice {
    let found: OpenNetns;
    try {
      found = openNetns(netns);
    } catch (error) {
      this.#wasNetnsMissing = true;
      throw error;
    }
    closeSync(found.fd);
    if (!this.#wasNetnsMissing && found.inode === this.#netnsInode) throw notThere(name);
    const device = this.#configured(this.#openTap(name));
    this.#wasNetnsMissing = false;
    return device;
  }

  #openTap(name: string): OpenedTap {
    try {
      const features = this.#options.offload === false ? NO_OFFLOAD_HEADERS : ALL_FEATURES;
      return nativeAddon().openTap(name, features, SEND_BUFFER_BYTES);
    } catch (error) {
      throw openingError(error, name);
    }
  }

  /** Closes the descriptor when anything of it fails. */
  #configured(tap: OpenedTap): OpenDevice {
    try {
      const found = nativeAddon().readLink(tap.name);
      if ((found.queues ?? 1) > 1) throw queuesTaken(tap.name);
      const isOffloading = this.#options.offload !== false;
      this.#setMac(found);
      this.#isMade = !tap.isPersistent;
      const txQueueFrames = tap.isPersistent ? -1 : TX_QUEUE_FRAMES;
      const isSetUp = this.#move(found, txQueueFrames);
      return {
        descriptor: tap.descriptor,
        found,
        offloads: isOffloading ? offloadsOf(tap.features) : OFFLOAD_NONE,
        tagAllowance: TAGS_STACKED,
        givesSuperFrames: isOffloading,
        isRestored: tap.isPersistent,
        txQueueFrames,
        isSetUp,
        canMove: true,
      };
    } catch (error) {
      nativeAddon().close(tap.descriptor, () => undefined);
      throw error;
    }
  }

  #setMac({ index, name }: Link): void {
    const { mac } = this.#options;
    if (mac === undefined) return;
    const refusal = {
      code: 'ARGUMENT_INVALID',
      message: `Device "${name}" does not take the MAC address ${mac}`,
    } as const;
    try {
      nativeAddon().setLinkAddress(index, Buffer.from(mac.replaceAll(':', ''), 'hex'));
    } catch (error) {
      throw deviceError(error, name, {
        EADDRNOTAVAIL: refusal,
        EINVAL: refusal,
        EPERM: { code: 'PERMISSION_DENIED', message: `This user may not set the MAC address of "${name}"` },
      });
    }
  }

  /** @returns whether the device was moved, and set up where it is now */
  #move({ index, name }: Link, txQueueFrames: number): boolean {
    const { netns } = this.#options;
    if (netns === undefined) return false;
    const { fd, inode } = openNetns(netns);
    try {
      if (txQueueFrames >= 0) nativeAddon().changeLink(index, -1, -1, txQueueFrames);
      nativeAddon().moveLink(index, fd);
      this.#netnsInode = inode;
      return true;
    } catch (error) {
      throw movingError(error, name, netns);
    } finally {
      closeSync(fd);
    }
  }
}

function existingLink(name: string): Link | undefined {
  // The kernel chooses a name that is free.
  if (name === '' || name.includes('%')) return undefined;
  try {
    return nativeAddon().readLink(name);
  } catch (error) {
    if (errnoOf(error) === 'ENODEV') return undefined;
    throw deviceError(error, name);
  }
}

function notThere(name: string): EtherwsError {
  return new EtherwsError('DEVICE_NOT_FOUND', `There is no TAP device "${name}" that can be attached`);
}

function offloadsOf(features: number): Offloads {
  return FEATURES.filter(({ feature }) => (features & feature) === feature).reduce(
    (offloads, { offload }) => offloads | offload,
    OFFLOAD_NONE,
  );
}
