import type { Logger } from '../../observability/logger.ts';
import type { DeviceRegister } from './device-register.ts';
import type { OpenDevice } from './device-setup.ts';

/** Options of both kinds of device ports. */
export interface DeviceOptions {
  /** the devices that are ports of the switch; default: no check against other ports */
  register?: DeviceRegister | undefined;
  logger?: Logger | undefined;
}

/** What a device port needs to open its device, and to open it again after it was deleted. */
export interface DeviceOwner {
  readonly device: OpenDevice;
  /** Opens a device of that name after the old one was deleted. @param holder the registered port. @throws EtherwsError */
  reopen(name: string, holder: object): OpenDevice;
  readonly register: DeviceRegister | undefined;
  readonly logger: Logger;
}
