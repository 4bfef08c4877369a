/**
 * The zone of a link-local IPv6 address in a URL: `ws://[fe80::1%25eth0]/` (RFC
 * 6874), or with a bare `%`, as tools print it. WHATWG URL parsers refuse
 * both, so the zone is removed before parsing. It has a meaning on this host only, so no
 * header contains it.
 */
const ZONED = /^([a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?\[[\da-f:.]+)%(?:25)?([^\]/?#%]+)(\].*)$/is;

/** @returns the URL without its zone, and the zone: the name or the index of a device */
export function takeZoneOut(url: string): { readonly url: string; readonly zone: string | undefined } {
  const [, front = '', zone, rest = ''] = ZONED.exec(url) ?? [];
  return zone === undefined ? { url, zone } : { url: front + rest, zone };
}

/** @param host the IPv6 address of a URL without its zone */
export function withZone(host: string, zone: string | undefined): string {
  return zone === undefined ? host : `${host}%${zone}`;
}

/** @param url without its zone, and without credentials */
export function putZoneIn(url: string, zone: string | undefined): string {
  return zone === undefined ? url : url.replace(']', `%25${zone}]`);
}
