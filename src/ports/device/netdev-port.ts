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
   * Whether super-frames and partial checksums are sent as they are; the kernel
   * does what the hardware cannot. Default true. Received frames may carry
   * offloads with either value: the kernel delivers merged frames and partial
   * checksums to packet sockets, marked only in the offload header.
   */
  offload?: boolean;
}

const ARPHRD_ETHER = 1;
/** Behind a packet socket the kernel does in software each of these that the hardware lacks. */
const SEND_OFFLOADS: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN;
/** SO_RCVBUF: holds bursts while the event loop is busy. */
const RECEIVE_BUFFER_BYTES = 4 << 20;

/** A port on an Ethernet device of the host, by a packet socket in promiscuous mode. */
export class NetdevPort extends DevicePort {
  readonly type = 'netdev';

  /**
   * Attaches the device `name`. A device that was down is set up, and set down
   * again when the port closes. The port does not receive its own frames.
   *
   * @throws EtherwsError ARGUMENT_INVALID, ADDON_MISSING, PERMISSION_DENIED,
   *   DEVICE_BUSY, DEVICE_NOT_FOUND, DEVICE_FAILED; all changes are undone then
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
    // A packet socket refuses frames above the MTU, except for the 4 octets of one C-TAG (0x8100).
    tagAllowance: TAGS_ONE_CUSTOMER,
    givesSuperFrames: true,
    isRestored: true,
    txQueueFrames: -1,
    // A packet socket works only in the network namespace that it was made in.
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
