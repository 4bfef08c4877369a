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
  /** Whether super-frames and partial checksums are exchanged with the kernel; default true. */
  offload?: boolean;
  /** The network namespace that the device is moved to: a name of `ip netns`, or a path; default: this process's. */
  netns?: string | undefined;
  /** The MAC address, for example `02:00:00:00:00:01`; default: the existing device's, or one that the kernel chooses. */
  mac?: string | undefined;
}

/** The TUN_F_* flags of linux/if_tun.h and the offloads that they enable. */
const FEATURES: readonly { feature: number; offload: Offloads }[] = [
  { feature: 0x01, offload: OFFLOAD_CHECKSUM },
  { feature: 0x02, offload: OFFLOAD_TSO4 },
  { feature: 0x04, offload: OFFLOAD_TSO6 },
  { feature: 0x08, offload: OFFLOAD_TSO_ECN },
  { feature: 0x20 | 0x40, offload: OFFLOAD_USO },
];
const ALL_FEATURES = FEATURES.reduce((all, { feature }) => all | feature, 0);
const NO_OFFLOAD_HEADERS = -1;
/** TUNSETSNDBUF: octets of written frames that the kernel holds before it refuses writes; the kernel's default. */
const SEND_BUFFER_BYTES = 2 ** 31 - 1;
/**
 * The transmit queue length (txqlen) of devices that etherws makes, in frames. The queue must
 * hold what the host sends while the switch waits for a processor, tens of milliseconds on a
 * busy machine; more is lost. 10 000 frames are 100 ms at 100 000 frames/s, as long as a device
 * waits for a congested tunnel, and take 80 KiB of pointers. With 2000, single runs lost 0.5 to
 * 5 % of 100 000 to 200 000 small packets/s, all of them in this queue.
 */
const TX_QUEUE_FRAMES = 10_000;

/** Opens the TAP device of a port, and opens it again after it was deleted. */
export class TapSource {
  readonly #options: TapSourceOptions;
  /** Whether the device was made here: the kernel deletes it when the descriptor is closed. */
  #isMade = false;
  /** Whether the namespace that the device was made for was missing at the last attempt. */
  #wasNetnsMissing = false;
  #netnsInode: number | undefined;

  constructor(options: TapSourceOptions) {
    this.#options = options;
  }

  /** Makes a device, or attaches a persistent one. @throws EtherwsError; all changes are undone then */
  open(name: string): OpenDevice {
    const existing = existingLink(name);
    if (existing !== undefined) this.#options.register?.check(existing.index, name);
    return this.#configured(this.#openTap(name));
  }

  /**
   * Attaches a persistent device that exists again. A device that was made here is made again only when it was deleted
   * with its network namespace and the namespace exists again: a device that an operator deleted must stay deleted.
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
    // The persistent device was deleted meanwhile, so that the kernel made a new one; or the device is not persistent
    // and belongs to another program.
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
  // The kernel will choose a free name.
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
