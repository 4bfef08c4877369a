import { BlockList, isIP } from 'node:net';

/** Where an address can be reached: in this host, on its links, or anywhere. */
export type AddressScope = 'host' | 'link' | 'net';

const HOST = new BlockList();
HOST.addSubnet('127.0.0.0', 8, 'ipv4'); // RFC 1122, 3.2.1.3
HOST.addSubnet('0.0.0.0', 8, 'ipv4'); // connect(2) takes it for this host
HOST.addAddress('::1', 'ipv6'); // RFC 4291, 2.5.3
HOST.addAddress('::', 'ipv6');
const LINK = new BlockList();
LINK.addSubnet('169.254.0.0', 16, 'ipv4'); // RFC 3927; services of clouds, too
LINK.addSubnet('fe80::', 10, 'ipv6'); // RFC 4291, 2.5.6

/** @param host an address, with or without a zone, or a name; undefined for a name that must be looked up first */
export function scopeOf(host: string): AddressScope | undefined {
  const bare = host.replace(/%.*$/, '');
  const address = /^::ffff:[\d.]+$/i.test(bare) ? bare.slice('::ffff:'.length) : bare;
  const family = isIP(address);
  // RFC 6761, 6.3: all names below it are this host.
  if (family === 0) return /(^|\.)localhost\.?$/i.test(host) ? 'host' : undefined;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (HOST.check(address, type)) return 'host';
  return LINK.check(address, type) ? 'link' : 'net';
}
