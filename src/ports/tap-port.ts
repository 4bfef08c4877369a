import { EtherwsError } from '../errors.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { TAGS_STACKED } from '../wire/frame-length.ts';
import {
  OFFLOAD_CHECKSUM,
  OFFLOAD_NONE,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Offloads,
} from '../wire/offload.ts';
import { deviceError } from './device-error.ts';
import { checkDeviceName } from './device-name.ts';
import { DevicePort, type OpenDevice, portOn } from './device-port.ts';
import { type Link, nativeAddon, type OpenedTap } from './native.ts';

export interface TapPortOptions {
  /** Exchange super-frames and unfinished checksums with the kernel; default true. */
  offload?: boolean;
  logger?: Logger;
}

/** TUN_F_* of linux/if_tun.h, and the debts they stand for. */
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
 * The kernel's queue towards us, for devices that we make: twice its own 1000, so
 * that a burst of small frames may wait while we are busy elsewhere. Arithmetic, no
 * measurement: 2000 frames last for 20 ms at 100 000 a second.
 */
const TX_QUEUE_FRAMES = 2000;

/** A port on a TAP device: what we write, the kernel receives, and what it sends, we read. */
export class TapPort extends DevicePort {
  readonly type = 'tap';

  /**
   * Creates the TAP device `name`, or attaches to a persistent one that exists,
   * and sets it up. A device that was created goes with the port; a persistent
   * one stays, and is set down again if it was down.
   *
   * @param name 1 to 15 octets; for one `%d` the kernel puts the first free number
   * @throws EtherwsError ARGUMENT_INVALID, ADDON_MISSING, PERMISSION_DENIED,
   *   DEVICE_BUSY, DEVICE_NOT_FOUND, DEVICE_FAILED; then nothing is left behind
   */
  static async open(name: string, options: TapPortOptions = {}): Promise<TapPort> {
    checkDeviceName(name, true);
    const isOffloading = options.offload !== false;
    const tap = openTap(name, isOffloading ? ALL_FEATURES : NO_OFFLOAD_HEADERS);
    return portOn(
      {
        descriptor: tap.descriptor,
        found: nativeAddon().readLink(tap.name),
        offloads: isOffloading ? offloadsOf(tap.features) : OFFLOAD_NONE,
        tagAllowance: TAGS_STACKED,
        givesSuperFrames: isOffloading,
        isRestored: tap.isPersistent,
        txQueueFrames: tap.isPersistent ? -1 : TX_QUEUE_FRAMES,
        logger: options.logger ?? SILENT,
      },
      (device: OpenDevice) => new TapPort(device),
    );
  }
}

function offloadsOf(features: number): Offloads {
  return FEATURES.filter(({ feature }) => (features & feature) === feature).reduce(
    (offloads, { offload }) => offloads | offload,
    OFFLOAD_NONE,
  );
}

function openTap(name: string, features: number): OpenedTap {
  const addon = nativeAddon();
  try {
    return addon.openTap(name, features, SEND_BUFFER_BYTES);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && error.syscall === 'open(/dev/net/tun)') {
      throw controlDeviceError(error);
    }
    throw deviceError(error, name, {
      EPERM: {
        code: 'PERMISSION_DENIED',
        message: `This user may not create or attach TAP device "${name}"`,
        hint: `Run as root, or let root do this once: ip tuntap add ${name} mode tap user $USER`,
      },
      EBUSY: {
        code: 'DEVICE_BUSY',
        message: `TAP device "${name}" is in use already`,
        hint: 'Delete the port or stop the program that has it, or take another name',
      },
      EINVAL: nameTaken(name),
    });
  }
}

function nameTaken(name: string): { code: 'DEVICE_BUSY' | 'DEVICE_FAILED'; message: string; hint?: string } {
  let existing: Link | undefined;
  try {
    existing = nativeAddon().readLink(name);
  } catch {
    return { code: 'DEVICE_FAILED', message: `The kernel refuses to make a TAP device "${name}"` };
  }
  const kind = existing.kind === 'tun' ? ' (it is a TUN device, or one of another mode)' : ` (${kindOf(existing)})`;
  return {
    code: 'DEVICE_BUSY',
    message: `Device "${name}" exists and is no TAP device that can be attached${kind}`,
    hint: `Take another name, or attach it as it is: addport netdev ${name}`,
  };
}

function kindOf(link: Link): string {
  return link.kind === undefined ? 'it is no virtual device' : `it is a ${link.kind} device`;
}

function controlDeviceError(error: Error): unknown {
  const missing = {
    code: 'DEVICE_NOT_FOUND',
    message: 'This system has no /dev/net/tun, so it has no TAP devices',
    hint: 'Load the module: modprobe tun. In a container, pass it in: --device /dev/net/tun',
  } as const;
  const denied = {
    code: 'PERMISSION_DENIED',
    message: 'This user may not open /dev/net/tun',
    hint: 'Run as root, or let root do this once: chmod 0666 /dev/net/tun',
  } as const;
  const mapped = deviceError(error, '/dev/net/tun', {
    ENOENT: missing,
    ENODEV: missing,
    ENXIO: missing,
    EACCES: denied,
    EPERM: denied,
  });
  return mapped instanceof EtherwsError ? mapped : error;
}
