import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { deviceError, errnoOf } from '../../native/device-error.ts';
import type { Link } from '../../native/links.ts';
import type { Logger } from '../../observability/logger.ts';
import type { TagAllowance } from '../../wire/ethernet/frame-length.ts';
import type { Offloads } from '../../wire/offload/virtio-header.ts';

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
  /** Whether the device was set up with whatever else was done to it. */
  readonly isSetUp?: boolean;
  /** Whether the descriptor goes on working in another network namespace: that of a TAP device does. */
  readonly canMove: boolean;
}

/** Sets a device up, and sees it used, or puts everything back and closes its descriptor. @throws EtherwsError */
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
    // It was deleted this moment, or our privileges are gone: closing goes on all the same.
    if (errnoOf(error) !== 'ENODEV') logger.warn({ device: name, error }, 'the device could not be set down again');
  }
}
