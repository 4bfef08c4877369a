import { isIP, Socket, type SocketConstructorOpts } from 'node:net';
import { nativeAddon } from '../../../native/addon.ts';
import { deviceError } from '../../../native/device-error.ts';

/** What has to stand before a socket is connected, on hosts with several ways out. */
export interface SocketBinding {
  /** the device of this host that is used, whatever the routes say (SO_BINDTODEVICE) */
  readonly bindDevice?: string | undefined;
  /** the mark of its packets, for routing rules and packet filters (SO_MARK) */
  readonly fwmark?: number | undefined;
}

/**
 * A socket that is not connected yet, for an address of that family.
 * @throws EtherwsError ADDON_MISSING, DEVICE_NOT_FOUND, PERMISSION_DENIED
 */
export function boundSocket(address: string, { bindDevice = '', fwmark = 0 }: SocketBinding): Socket {
  const fd = openSocket(isIP(address) === 6, bindDevice, fwmark);
  // Node would begin to read at once, which a socket without a connection refuses.
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
