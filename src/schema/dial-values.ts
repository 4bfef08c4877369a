import { domainToASCII } from 'node:url';
import * as v from 'valibot';
import { parsePins } from '../auth/parse-pins.ts';
import { takeZoneOut } from '../net/url-zone.ts';
import { parseHostAddress } from '../wire/ethernet/ip-address.ts';
import { complaintOf } from './check.ts';
import { text } from './types.ts';

/** The rules of single values of dial options. */

const URL_CHARACTERS = 2048;
const HEADER_CHARACTERS = 8192;
/** The longest DNS name (RFC 1035, 2.3.4), without its final dot. */
const NAME_CHARACTERS = 253;
/** The zone of an address: the name or the index of a device. */
const ZONE = /^[^\s/:%\]]{1,15}$/;

/** Header fields of the opening handshake: another value would break it. */
const HANDSHAKE_FIELD =
  /^(host|connection|upgrade|origin|content-length|transfer-encoding|etherws-(wire|resume|switch)|sec-websocket-.*)$/i;

/** The URL of a proxy, or `direct`. A secret, since it may contain a password. */
export const proxyUrl = text((url) => {
  if (url === 'direct') return undefined;
  if (url.length > URL_CHARACTERS) return `is longer than ${URL_CHARACTERS} characters`;
  if (!/^(https?|socks5h?):\/\//i.test(url) || !URL.canParse(takeZoneOut(url).url)) {
    return 'is neither "direct" nor an http://, https://, socks5:// or socks5h:// URL';
  }
  return undefined;
});

/** `b64token` of RFC 6750, 2.1. A secret. */
export const bearerToken = text((token) => {
  if (token.length > HEADER_CHARACTERS) return `is longer than ${HEADER_CHARACTERS} characters`;
  return /^[\w.~+/-]+=*$/.test(token) ? undefined : 'has a character that no bearer token has';
});

/** `NAME:VALUE` (RFC 9110, 5); the value may be a secret. */
export const headerField = text((field) => {
  if (field.length > HEADER_CHARACTERS) return `is longer than ${HEADER_CHARACTERS} characters`;
  const [, name = '', value] = /^([^:]*):(.*)$/s.exec(field) ?? [];
  if (value === undefined) return 'must be NAME:VALUE';
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'has a name that no header field can have';
  if (HANDSHAKE_FIELD.test(name)) return `sets ${name}, which belongs to the handshake itself`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? undefined : 'has a character that no header field may have';
});

/** A DNS name for TLS server name indication (RFC 6066, 3); the output of an internationalised name is its ASCII form. */
export const serverName = v.pipe(
  text((given) => {
    // `domainToASCII` reads a name as the host of a URL, and would cut it before what ends a host there.
    if (/[^\w.\-\u0080-\uffff]/.test(given)) return 'is not the name of a host';
    const name = asciiOf(given);
    if (name.length > NAME_CHARACTERS) return `is longer than ${NAME_CHARACTERS} characters`;
    const isName = /^([a-z\d_]([a-z\d_-]*[a-z\d_])?\.)*[a-z\d_]([a-z\d_-]*[a-z\d_])?$/i.test(name);
    return isName && !/^[\d.]+$/.test(name) ? undefined : 'is not the name of a host';
  }),
  v.transform(asciiOf),
);

function asciiOf(name: string): string {
  return domainToASCII(name) || name;
}

/** An IPv4 or IPv6 address of a host; a link-local one with its zone, such as `fe80::1%eth0`. */
export const hostAddress = text((value) => {
  const [address = '', zone, ...more] = value.split('%');
  if (zone !== undefined && (more.length > 0 || !/^fe[89ab][\da-f]:[\da-f:]+$/i.test(address) || !ZONE.test(zone))) {
    return 'cannot be: only a link-local address has a zone, as in fe80::1%eth0';
  }
  const complaint = complaintOf(() => parseHostAddress(address));
  return complaint && `cannot be: ${complaint.sentence}`;
});

/** `sha256//BASE64;sha256//BASE64` */
export const publicKeyPins = text((pins) => {
  const complaint = complaintOf(() => parsePins(pins));
  return complaint && `cannot be: ${complaint.sentence}`;
});
