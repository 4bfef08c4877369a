import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * The fault of a link-local address without a zone, or with a zone that is no device of this host. Without a zone it is
 * ambiguous, since it is valid on every link (RFC 4291, 2.5.6). The kernel refuses both, but Node 24 and later use the
 * first device with a link-local address instead.
 * @param address any host; an IPv6 address may have a zone: the name or the index of a device
 * @param isOnLink whether something else names the link, so that no zone is needed
 * @returns the error of connect(2); undefined for all other hosts
 */
export function linkLocalFault(address: string, isOnLink = false): NodeJS.ErrnoException | undefined {
  if (!/^fe[89ab]/i.test(address) || isIP(address) !== 6) return undefined;
  const [, zone] = address.split('%');
  if (zone === undefined ? isOnLink : isDevice(zone)) return undefined;
  return Object.assign(new Error(`connect EINVAL ${address}`), { code: 'EINVAL' });
}

/** Whether a device has IPv6 addresses; without one it has no link-local address to connect from. */
function isDevice(zone: string): boolean {
  const devices = networkInterfaces();
  if (devices[zone] !== undefined) return true;
  return Object.values(devices).some((addresses) =>
    addresses?.some((address) => address.family === 'IPv6' && String(address.scopeid) === zone),
  );
}
