import { EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { deviceError } from '../../native/device-error.ts';
import type { Link } from '../../native/links.ts';
import { SILENT } from '../../observability/logger.ts';
import { TAGS_ONE_CUSTOMER } from '../../wire/ethernet/frame-length.ts';
import {
  OFFLOAD_CHECKSUM,
  OFFLOAD_NONE,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Offloads,
} from '../../wire/offload/virtio-header.ts';
import { checkDeviceName } from './device-name.ts';
import type { DeviceOptions } from './device-owner.ts';
import { DevicePort } from './device-port.ts';
import { type OpenDevice, useDevice } from './device-setup.ts';

export interface NetdevPortOptions extends DeviceOptions {
  /**
   * Take super-frames and unfinished checksums for sending; the kernel finishes
   * what the hardware cannot. Default true. Received frames may need offloads either way:
   * the kernel hands packet sockets frames that it has merged or not finished
   * yet, and only the offload header tells.
   */
  offload?: boolean;
}

const ARPHRD_ETHER = 1;
/** Whatever the hardware lacks, the kernel does behind a packet socket. */
const SEND_OFFLOADS: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN;
/** Bursts wait here while the event loop is busy. */
const RECEIVE_BUFFER_BYTES = 4 << 20;

/** A port on an Ethernet device of the host, by a packet socket in promiscuous mode. */
export class NetdevPort extends DevicePort {
  readonly type = 'netdev';

  /**
   * Attaches the device `name`, which is set up if it was down, and set down
   * again at the end. The port never receives what it has sent.
   *
   * @throws EtherwsError ARGUMENT_INVALID, ADDON_MISSING, PERMISSION_DENIED,
   *   DEVICE_BUSY, DEVICE_NOT_FOUND, DEVICE_FAILED; then nothing is left behind
   */
  static async open(name: string, options: NetdevPortOptions = {}): Promise<NetdevPort> {
    checkDeviceName(name, false);
    const { register, logger = SILENT } = options;
    const reopen = (again: string, holder?: object): OpenDevice => openDevice(again, options, holder);
    return useDevice(reopen(name), logger, (device) => new NetdevPort({ device, reopen, register, logger }));
  }
}

function openDevice(name: string, { offload, register }: NetdevPortOptions, holder?: object): OpenDevice {
  const found = findDevice(name);
  register?.check(found.index, name, holder);
  return {
    descriptor: openSocket(found),
    found,
    offloads: offload === false ? OFFLOAD_NONE : sendOffloads(),
    // packet(7) refuses more than the MTU but for one C-TAG.
    tagAllowance: TAGS_ONE_CUSTOMER,
    givesSuperFrames: true,
    isRestored: true,
    txQueueFrames: -1,
    // A packet socket is bound to a device of its own network namespace.
    canMove: false,
  };
}

function sendOffloads(): Offloads {
  return nativeAddon().packetSocketsTakeUso() ? SEND_OFFLOADS | OFFLOAD_USO : SEND_OFFLOADS;
}

function findDevice(name: string): Link {
  let link: Link;
  try {
    link = nativeAddon().readLink(name);
  } catch (error) {
    throw deviceError(error, name, {
      ENODEV: {
        code: 'DEVICE_NOT_FOUND',
        message: `There is no network device "${name}"`,
        hint: 'See which there are: ip link',
      },
    });
  }
  if (link.hardwareType !== ARPHRD_ETHER) {
    throw new EtherwsError('DEVICE_FAILED', `Device "${name}" is no Ethernet device`, {
      hint: 'A netdev port needs one that carries Ethernet frames',
    });
  }
  return link;
}

function openSocket(link: Link): Descriptor {
  try {
    return nativeAddon().openPacketSocket(link.index, true, RECEIVE_BUFFER_BYTES);
  } catch (error) {
    throw deviceError(error, link.name, {
      EPERM: {
        code: 'PERMISSION_DENIED',
        message: `This user may not open a packet socket on "${link.name}"`,
        hint: 'Run as root, or with the capabilities CAP_NET_RAW and CAP_NET_ADMIN',
      },
    });
  }
}
