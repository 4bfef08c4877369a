import { SILENT } from '../../observability/logger.ts';
import { checkDeviceName } from './device-name.ts';
import { DevicePort } from './device-port.ts';
import { type OpenDevice, useDevice } from './device-setup.ts';
import { TapSource, type TapSourceOptions } from './tap-source.ts';

export type TapPortOptions = TapSourceOptions;

/** A port on a TAP device: what we write, the kernel receives, and what it sends, we read. */
export class TapPort extends DevicePort {
  readonly type = 'tap';

  /**
   * Creates the TAP device `name`, or attaches to a persistent one that exists,
   * and sets it up. A device that was created goes with the port; a persistent
   * one stays, and is set down again if it was down.
   *
   * @param name 1 to 15 octets; for one `%d` the kernel puts the first free number; empty is `tap%d`
   * @throws EtherwsError ARGUMENT_INVALID, ADDON_MISSING, PERMISSION_DENIED,
   *   DEVICE_BUSY, DEVICE_NOT_FOUND, DEVICE_FAILED, NETNS_NOT_FOUND; then nothing is left behind
   */
  static async open(name: string, options: TapPortOptions = {}): Promise<TapPort> {
    checkDeviceName(name, true);
    const { register, logger = SILENT } = options;
    const source = new TapSource(options);
    const reopen = (again: string, holder: object): OpenDevice => source.reopen(again, holder);
    return useDevice(source.open(name), logger, (device) => new TapPort({ device, reopen, register, logger }));
  }
}
