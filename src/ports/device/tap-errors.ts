import { type ErrorCode, EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import { deviceError, errnoOf } from '../../native/device-error.ts';
import type { Link } from '../../native/links.ts';
import { notANetns } from './netns.ts';

/** The error to throw for an error of openTap. */
export function openingError(error: unknown, name: string): unknown {
  if (error instanceof Error && 'syscall' in error && error.syscall === 'open(/dev/net/tun)') {
    return controlDeviceError(error);
  }
  return deviceError(error, name, {
    EPERM: {
      code: 'PERMISSION_DENIED',
      message: `This user may not create or attach TAP device "${name}"`,
      hint: `Run as root, or let root do this once: ip tuntap add ${name} mode tap user $USER`,
    },
    EBUSY: inUse(name),
    EINVAL: nameTaken(name),
  });
}

/** The error to throw for an error of moveLink. @param netns name or path of the network namespace */
export function movingError(error: unknown, name: string, netns: string): unknown {
  if (errnoOf(error) === 'EINVAL') return notANetns(netns, error);
  return deviceError(error, name, {
    EEXIST: {
      code: 'DEVICE_BUSY',
      message: `There is a device "${name}" in network namespace ${netns} already`,
      hint: 'Take another name, or delete that device first',
    },
    EPERM: {
      code: 'PERMISSION_DENIED',
      message: `This user may not put devices into network namespace ${netns}`,
      hint: 'Run the switch as root, or with CAP_NET_ADMIN in the user namespace that owns it',
    },
  });
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

function inUse(name: string): Refusal {
  return {
    code: 'DEVICE_BUSY',
    message: `TAP device "${name}" is in use already`,
    hint: 'Delete the port or stop the program that has it, or take another name',
  };
}

/** The error for a multi-queue device of which another program has queues, and so receives a part of the frames. */
export function queuesTaken(name: string): EtherwsError {
  return new EtherwsError('DEVICE_BUSY', `Another program has a queue of TAP device "${name}"`, {
    hint: 'It would take a part of the frames. Stop that program, or take another device',
  });
}

/** Why an existing device cannot be attached as a TAP device. */
export function nameTaken(name: string): Refusal {
  let existing: Link | undefined;
  try {
    existing = nativeAddon().readLink(name);
  } catch {
    return { code: 'DEVICE_FAILED', message: `The kernel refuses to make a TAP device "${name}"` };
  }
  const hint = `Take another name, or attach it as it is: addport netdev ${name}`;
  const message = `Device "${name}" exists and is no TAP device that can be attached (${kindOf(existing)})`;
  if (existing.isTap === false) return { code: 'DEVICE_BUSY', message, hint: 'Take another name' };
  return { code: 'DEVICE_BUSY', message, hint };
}

function kindOf(link: Link): string {
  if (link.kind === undefined) return 'it is no virtual device';
  if (link.kind !== 'tun') return `it is a ${link.kind} device`;
  return link.isTap === false ? 'it is a TUN device, which carries no Ethernet frames' : 'the kernel refuses it';
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
