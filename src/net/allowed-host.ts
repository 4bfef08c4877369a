import { isIP } from 'node:net';

/**
 * Whether a request with this `Host` field may be answered. This stops DNS rebinding: a web page can make
 * a name of its own point here, but cannot change the name in `Host`. Addresses and `localhost` are always allowed.
 * @param host name or address, with or without a port
 * @param allowedHosts names in any case; `*.example.org` matches one label more (RFC 6125, 6.4.3)
 */
export function isAllowedHost(host: string | undefined, allowedHosts: readonly string[]): boolean {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host ?? '');
  if (parts === null) return false;
  if (parts[1] !== undefined) return isIP(parts[1]) === 6;
  const name = (parts[2] as string).toLowerCase().replace(/\.$/, '');
  if (isIP(name) === 4 || name === 'localhost') return true;
  const parent = name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : undefined;
  return allowedHosts.some((allowed) => {
    const wanted = allowed.toLowerCase();
    return wanted === name || wanted === parent;
  });
}
