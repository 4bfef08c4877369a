import { EtherwsError } from '../errors.ts';
import { deviceOptions } from './client-options.ts';
import { optional, type Shape, text } from './shape.ts';

/** What a tap port takes. */
export interface TapOptions {
  /** the network namespace for the device: a name as of `ip netns`, or a path on the switch's host */
  netns?: string;
  /** the device's MAC address, `02:00:00:00:00:01` */
  mac?: string;
}

const PATH_CHARACTERS = 4096;

/** A name has no slash, a path begins with one. */
const netns: Shape<string> = text((value) => {
  if (value === '' || value === '.' || value === '..') return 'names no network namespace';
  if (value.length > PATH_CHARACTERS) return `is longer than ${PATH_CHARACTERS} characters`;
  if (value.includes('\0')) return 'has a zero byte';
  return value.includes('/') && !value.startsWith('/') ? 'is a path that does not begin with "/"' : undefined;
});

/** Of a single station: neither all zeros nor a group address. Reads in lower case. */
const macAddress: Shape<string> = {
  read(value, name) {
    const address = text((given) => {
      if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(given)) return 'is no MAC address such as 02:00:00:00:00:01';
      if (Number.parseInt(given.slice(0, 2), 16) % 2 === 1) return 'is a group address';
      return /^[0:]*$/.test(given) ? 'is no address of a station' : undefined;
    }).read(value, name);
    return address.toLowerCase();
  },
};

/** What a tap port takes; the options of 1.x may stand there, as for every device. */
export const tapOptions: Shape<TapOptions> = {
  read(value, name) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      deviceOptions.read(value, name);
      throw new EtherwsError('ARGUMENT_INVALID', `${name} must be an object`);
    }
    const given: { netns?: unknown; mac?: unknown } = { ...value };
    const read: TapOptions = {};
    const place = optional(netns).read(given.netns, `${name}.netns`);
    const mac = optional(macAddress).read(given.mac, `${name}.mac`);
    if (place !== undefined) read.netns = place;
    if (mac !== undefined) read.mac = mac;
    const { netns: _netns, mac: _mac, ...others } = given;
    deviceOptions.read(others, name);
    return read;
  },
};
