import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { deviceError, errnoOf } from '../../native/device-error.ts';
import type { Link } from '../../native/links.ts';
import type { Logger } from '../../observability/logger.ts';
import type { TagAllowance } from '../../wire/ethernet/frame-length.ts';
import type { Offloads } from '../../wire/offload/virtio-header.ts';

/** An open device, as made by the factories of tap and netdev. */
export interface OpenDevice {
  readonly descriptor: Descriptor;
  /** The link state before etherws changed anything. */
  readonly found: Link;
  readonly offloads: Offloads;
  /** The VLAN tags that the device takes on top of a payload of MTU length. */
  readonly tagAllowance: TagAllowance;
  /** Whether reads may return super-frames. */
  readonly givesSuperFrames: boolean;
  /** Whether a link that was found down is set down again when the port closes. */
  readonly isRestored: boolean;
  /** The transmit queue length (txqlen) to set on the device, in frames; -1 leaves it unchanged. */
  readonly txQueueFrames: number;
  /** Whether the device was already set up. */
  readonly isSetUp?: boolean;
  /** Whether the descriptor still works after the device moved to another network namespace; true of TAP devices. */
  readonly canMove: boolean;
}

/** Sets a device up and calls `use`; when either fails, restores the link and closes the descriptor. @throws EtherwsError */
export function useDevice<T>(device: OpenDevice, logger: Logger, use: (device: OpenDevice) => T): T {
  const { descriptor, found, isRestored, txQueueFrames } = device;
  try {
    if (!found.isUp && !device.isSetUp) nativeAddon().changeLink(found.index, 1, -1, txQueueFrames);
    return use(device);
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

export function setDown({ index, name }: Link, logger: Logger): void {
  try {
    nativeAddon().changeLink(index, 0, -1, -1);
  } catch (error) {
    // The device was deleted meanwhile, or the privileges were dropped: closing goes on.
    if (errnoOf(error) !== 'ENODEV') logger.warn({ device: name, error }, 'the device could not be set down again');
  }
}
