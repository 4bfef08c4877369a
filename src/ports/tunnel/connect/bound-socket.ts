import { isIP, Socket, type SocketConstructorOpts } from 'node:net';
import { nativeAddon } from '../../../native/addon.ts';
import { deviceError } from '../../../native/device-error.ts';

/** Options of a socket that must be set before it is connected, for hosts with several routes. */
export interface SocketBinding {
  /** the network device to send by, regardless of the routing table (SO_BINDTODEVICE) */
  readonly bindDevice?: string | undefined;
  /** the mark of its packets, for routing rules and packet filters (SO_MARK) */
  readonly fwmark?: number | undefined;
}

/**
 * An unconnected socket of the address's family.
 * @throws EtherwsError ADDON_MISSING, DEVICE_NOT_FOUND, PERMISSION_DENIED
 */
export function boundSocket(address: string, { bindDevice = '', fwmark = 0 }: SocketBinding): Socket {
  const fd = openSocket(isIP(address) === 6, bindDevice, fwmark);
  // Without `manualStart` Node reads at once, which fails on an unconnected socket.
  const options: SocketConstructorOpts & { readonly manualStart: true } = { fd, manualStart: true };
  return new Socket(options);
}

function openSocket(isIpv6: boolean, bindDevice: string, fwmark: number): number {
  try {
    return nativeAddon().openTcpSocket(isIpv6, bindDevice, fwmark);
  } catch (error) {
    throw deviceError(error, bindDevice, {
      ENODEV: {
        code: 'DEVICE_NOT_FOUND',
        message: `There is no device ${bindDevice} to dial through`,
        hint: 'Check --bind-device against: ip link',
      },
      EPERM: {
        code: 'PERMISSION_DENIED',
        message: 'The switch may not choose the device or the mark of a connection',
        hint: '--bind-device takes CAP_NET_RAW, and --fwmark CAP_NET_ADMIN',
      },
    });
  }
}
