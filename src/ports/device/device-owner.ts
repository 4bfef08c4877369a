import type { Logger } from '../../observability/logger.ts';
import type { DeviceRegister } from './device-register.ts';
import type { OpenDevice } from './device-setup.ts';

/** What both kinds of device ports take. */
export interface DeviceOptions {
  /** which devices are ports of the switch; default: nothing is known of other ports */
  register?: DeviceRegister | undefined;
  logger?: Logger | undefined;
}

/** What a port needs to have its device, again and again. */
export interface DeviceOwner {
  readonly device: OpenDevice;
  /** Opens the device of that name that is there again. @param holder the port, which is registered. @throws EtherwsError */
  reopen(name: string, holder: object): OpenDevice;
  readonly register: DeviceRegister | undefined;
  readonly logger: Logger;
}
