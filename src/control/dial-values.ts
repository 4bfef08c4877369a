import { domainToASCII } from 'node:url';
import { parsePins } from '../auth/parse-pins.ts';
import { EtherwsError } from '../errors.ts';
import { takeZoneOut } from '../net/url-zone.ts';
import { parseHostAddress } from '../wire/ethernet/ip-address.ts';
import { type Shape, secret, text } from './shape.ts';

/** The rules of the values that say how a tunnel is dialled. */

const URL_CHARACTERS = 2048;
const HEADER_CHARACTERS = 8192;
const NAME_CHARACTERS = 253;
/** A device's name, or its number. */
const ZONE = /^[^\s/:%\]]{1,15}$/;

/** Fields that the handshake itself is made of: another value would break it. */
const OURS =
  /^(host|connection|upgrade|origin|content-length|transfer-encoding|etherws-wire|etherws-resume|sec-websocket-.*)$/i;

/** A proxy, which may hold a password that nothing repeats. */
export const proxyUrl: Shape<string> = secret((url) => {
  if (url === 'direct') return undefined;
  if (url.length > URL_CHARACTERS) return `is longer than ${URL_CHARACTERS} characters`;
  if (!/^(https?|socks5h?):\/\//i.test(url) || !URL.canParse(takeZoneOut(url).url)) {
    return 'is neither "direct" nor an http://, https://, socks5:// or socks5h:// URL';
  }
  return undefined;
});

/** `b64token` of RFC 6750, 2.1. */
export const bearerToken: Shape<string> = secret((token) => {
  if (token.length > HEADER_CHARACTERS) return `is longer than ${HEADER_CHARACTERS} characters`;
  return /^[\w.~+/-]+=*$/.test(token) ? undefined : 'has a character that no bearer token has';
});

/** `NAME:VALUE` (RFC 9110, 5); the value may be a secret. */
export const headerField: Shape<string> = secret((field) => {
  if (field.length > HEADER_CHARACTERS) return `is longer than ${HEADER_CHARACTERS} characters`;
  const [, name = '', value] = /^([^:]*):(.*)$/s.exec(field) ?? [];
  if (value === undefined) return 'must be NAME:VALUE';
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'has a name that no header field can have';
  if (OURS.test(name)) return `sets ${name}, which belongs to the handshake itself`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? undefined : 'has a character that no header field may have';
});

/** A DNS name, as TLS can ask for it (RFC 6066, 3); an internationalised one is read as its ASCII form. */
export const serverName: Shape<string> = {
  read: (value, name) => asciiName.read(typeof value === 'string' ? domainToASCII(value) || value : value, name),
};

const asciiName: Shape<string> = text((name) => {
  if (name.length > NAME_CHARACTERS) return `is longer than ${NAME_CHARACTERS} characters`;
  const isName = /^([a-z\d_]([a-z\d_-]*[a-z\d_])?\.)*[a-z\d_]([a-z\d_-]*[a-z\d_])?$/i.test(name);
  return isName && !/^[\d.]+$/.test(name) ? undefined : 'is not the name of a host';
});

/** An IPv4 or IPv6 address of a host; a link-local one with its zone, as `fe80::1%eth0`. */
export const hostAddress: Shape<string> = text((value) => {
  const [address = '', zone, ...more] = value.split('%');
  if (zone !== undefined && (more.length > 0 || !/^fe[89ab][\da-f]:[\da-f:]+$/i.test(address) || !ZONE.test(zone))) {
    return 'cannot be: only a link-local address has a zone, as in fe80::1%eth0';
  }
  return complaintOf(() => parseHostAddress(address));
});

/** `sha256//BASE64;sha256//BASE64` */
export const publicKeyPins: Shape<string> = text((pins) => complaintOf(() => parsePins(pins)));

function complaintOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof EtherwsError) return `cannot be: ${error.message}`;
    throw error;
  }
}
