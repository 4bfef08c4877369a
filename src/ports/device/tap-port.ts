import { SILENT } from '../../observability/logger.ts';
import { checkDeviceName } from './device-name.ts';
import { DevicePort } from './device-port.ts';
import { type OpenDevice, useDevice } from './device-setup.ts';
import { TapSource, type TapSourceOptions } from './tap-source.ts';

export type TapPortOptions = TapSourceOptions;

/** A port on a TAP device: the kernel receives the frames that are written, and the frames that it sends are read. */
export class TapPort extends DevicePort {
  readonly type = 'tap';

  /**
   * Creates the TAP device `name`, or attaches to an existing persistent one,
   * and sets it up. Closing the port deletes a device that was created here; a
   * persistent one stays, and is set down again if it was down.
   *
   * @param name 1 to 15 octets; the kernel replaces one `%d` by the first free number; empty means `tap%d`
   * @throws EtherwsError ARGUMENT_INVALID, ADDON_MISSING, PERMISSION_DENIED,
   *   DEVICE_BUSY, DEVICE_NOT_FOUND, DEVICE_FAILED, NETNS_NOT_FOUND; all changes are undone then
   */
  static async open(name: string, options: TapPortOptions = {}): Promise<TapPort> {
    checkDeviceName(name, true);
    const { register, logger = SILENT } = options;
    const source = new TapSource(options);
    const reopen = (again: string, holder: object): OpenDevice => source.reopen(again, holder);
    return useDevice(source.open(name), logger, (device) => new TapPort({ device, reopen, register, logger }));
  }
}
