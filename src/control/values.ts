import { EtherwsError } from '../errors.ts';
import { takeZoneOut } from '../net/url-zone.ts';
import { formatPrefix, parseHostAddress, parsePrefix, prefixLengthOfNetmask } from '../wire/ethernet/ip-address.ts';
import { integer, invalid, quote, type Shape, secret, text } from './shape.ts';

/** The rules of single values, as the command line and both sides of the RPC apply them. */

/** The Linux limit of an interface name, without its terminating zero (IFNAMSIZ). */
const DEVICE_NAME_BYTES = 15;
const URL_CHARACTERS = 2048;
const CREDENTIAL_CHARACTERS = 1024;
const PATH_CHARACTERS = 4096;
/** The longest IPv6 address with a prefix length has 49. */
const ADDRESS_CHARACTERS = 64;
/** What every IPv4 host must take (RFC 791, 3.1), as in 1.x. */
const LEAST_MTU = 576;
const MOST_MTU = 65_535;
const MOST_WAIT_SECONDS = 86_400;

/** Ports count from 1 upward. */
export const portNumber: Shape<number> = integer(1);

/** The number of a port as a parameter: also as decimal text, which 1.x took and shell scripts send. */
export const portParameter: Shape<number> = {
  read: (value, name) =>
    portNumber.read(typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value, name),
};

export const mtu: Shape<number> = integer(LEAST_MTU, MOST_MTU);

/** Seconds between two tries, up to a day. */
export const waitSeconds: Shape<number> = {
  read(value, name) {
    if (typeof value === 'number' && value > 0 && value <= MOST_WAIT_SECONDS) return value;
    throw invalid(`${name} must be a number of seconds above 0 and up to ${MOST_WAIT_SECONDS}, got ${quote(value)}`);
  },
};

/** The name of a network interface, by the kernel's rules (dev_valid_name); `%` would make it a template. */
export const deviceName: Shape<string> = text((name) => (name === '' ? 'is empty' : deviceComplaint(name)));

/** The name of a TAP device: in one with `%d` the kernel puts a number, for an empty one it chooses all of it. */
export const tapName: Shape<string> = text((name) => {
  if (name === '') return undefined;
  if (!name.includes('%')) return deviceComplaint(name);
  if (!/^[^%]*%d[^%]*$/.test(name)) return 'has another "%" than one %d, where the kernel puts a number';
  return deviceComplaint(name.replace('%d', ''), name);
});

function deviceComplaint(name: string, whole: string = name): string | undefined {
  if (Buffer.byteLength(whole) > DEVICE_NAME_BYTES) return `is longer than ${DEVICE_NAME_BYTES} bytes`;
  if (name === '.' || name === '..') return 'is not a device name';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\s/:%\u0000-\u001f\u007f]/.test(name) ? 'has a character that no device name may have' : undefined;
}

/**
 * Where a tunnel is dialled. A user in the URL would stand in listport for
 * everyone, so it must come as an option; a fragment is no part of a WebSocket
 * URL (RFC 6455, 3).
 */
export const tunnelUrl: Shape<string> = text((url) => {
  if (url.length > URL_CHARACTERS) return `is longer than ${URL_CHARACTERS} characters`;
  const { url: bare } = takeZoneOut(url);
  if (!/^wss?:\/\//i.test(url) || /[\s\p{C}]/u.test(url) || !URL.canParse(bare)) return 'is not a ws:// or wss:// URL';
  const { username, password, hash } = new URL(bare);
  if (username !== '' || password !== '') return 'holds a user; give it as the options user and passwd';
  return hash !== '' || url.endsWith('#') ? 'has a fragment (#), which WebSocket URLs may not have' : undefined;
});

/** A user's name for Basic authentication, which a colon would end (RFC 7617, 2). */
export const userName: Shape<string> = text((name) => {
  if (name === '') return 'is empty';
  return name.includes(':') ? 'has a colon, which Basic authentication cannot carry' : credentialComplaint(name);
});

export const password: Shape<string> = secret(credentialComplaint);

/** A path on the switch's host. */
export const filePath: Shape<string> = text((path) => {
  if (path === '') return 'is empty';
  if (path.length > PATH_CHARACTERS) return `is longer than ${PATH_CHARACTERS} characters`;
  return path.includes('\0') ? 'has a zero byte' : undefined;
});

/** An IPv4 address that an interface can bear. */
export const ipv4Address: Shape<string> = address((value) => {
  if (value.includes('/') || value.includes(':')) {
    const hint = 'An address with a prefix length, and every IPv6 address, is written ADDRESS/LENGTH in addresses';
    throw new EtherwsError('ADDRESS_INVALID', `"${value}" is no IPv4 address`, { hint });
  }
  return parseHostAddress(value).address;
});

/** A dotted IPv4 netmask without holes. */
export const ipv4Netmask: Shape<string> = address((value) => {
  prefixLengthOfNetmask(value);
  return value;
});

/** `ADDRESS/LENGTH`, IPv4 or IPv6; reads as its canonical text. */
export const addressWithLength: Shape<string> = address((value) => formatPrefix(parsePrefix(value)));

/** @param canonical throws ADDRESS_INVALID; the text that it gets is short enough to be repeated */
function address(canonical: (value: string) => string): Shape<string> {
  const shortText = text((value) =>
    value.length > ADDRESS_CHARACTERS ? `is longer than ${ADDRESS_CHARACTERS} characters` : undefined,
  );
  return { read: (value, name) => canonical(shortText.read(value, name)) };
}

function credentialComplaint(value: string): string | undefined {
  if (value.length > CREDENTIAL_CHARACTERS) return `is longer than ${CREDENTIAL_CHARACTERS} characters`;
  return /\p{Cc}/u.test(value) ? 'has a control character, which Basic authentication cannot carry' : undefined;
}
