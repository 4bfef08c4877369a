import * as v from 'valibot';
import { takeZoneOut } from '../net/url-zone.ts';
import { messageOf } from './check.ts';
import { integer, integerOrDigits, seconds, text } from './types.ts';

/** The rules of single values, as the command line, both sides of the RPC and configuration files apply them. */

/** The Linux limit of an interface name, without its terminating zero (IFNAMSIZ). */
const DEVICE_NAME_BYTES = 15;
const URL_CHARACTERS = 2048;
const CREDENTIAL_CHARACTERS = 1024;
const PATH_CHARACTERS = 4096;
/** The datagram length that every IPv4 host must accept (RFC 791, 3.1), and the lower limit of 1.x. */
const LEAST_MTU = 576;
const MOST_MTU = 65_535;
const MOST_WAIT_SECONDS = 86_400;
const MOST_NAME_CHARACTERS = 63;
const PORT_NAME = new RegExp(`^[A-Za-z][A-Za-z0-9_.-]{0,${MOST_NAME_CHARACTERS - 1}}$`);
const MOST_DESCRIPTION_CHARACTERS = 255;

/** The name of a port. It begins with a letter, so that it can never be taken for a number. */
export const portName = text(
  (name) => {
    if (name === '') return 'is empty';
    if (name.length > MOST_NAME_CHARACTERS) return `is longer than ${MOST_NAME_CHARACTERS} characters`;
    if (!/^[A-Za-z]/.test(name)) return 'does not begin with a letter from A to Z';
    return PORT_NAME.test(name) ? undefined : 'has another character than letters, digits, "-", "_" and "."';
  },
  { pattern: PORT_NAME.source },
);

/** A name, or an empty text, which removes the name. */
export const portNameOrNone = v.union(
  [v.literal(''), portName],
  messageOf({ sentence: '{name} must be a name or an empty text, got {value}' }),
);

/** The description of a port: one line in any script; empty for none. */
export const portDescription = text(
  (words) => {
    if (words.length > MOST_DESCRIPTION_CHARACTERS) return `is longer than ${MOST_DESCRIPTION_CHARACTERS} characters`;
    return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(words) ? 'has a control character or a line end' : undefined;
  },
  { maxLength: MOST_DESCRIPTION_CHARACTERS },
);

const portNumber = integerOrDigits(1);
const numberOrName = v.union([portNumber, portName]);

/** The number of a port, also as decimal text, or its name. A text that does not begin like a number is checked as a name. */
export const portReference = {
  ...numberOrName,
  '~run': (dataset: { value: unknown }, config: never) => {
    const { value } = dataset;
    const isName = typeof value === 'string' && /^(?![-+.]?\d)./.test(value);
    return (isName ? portName : portNumber)['~run'](dataset as never, config);
  },
} as typeof numberOrName;

export const mtu = integer(LEAST_MTU, MOST_MTU);

/** The wait between two attempts, up to one day. */
export const waitSeconds = seconds(MOST_WAIT_SECONDS);

/** The name of a network interface, by the kernel's rules (dev_valid_name); `%` would make it a template. */
export const deviceName = text((name) => (name === '' ? 'is empty' : deviceComplaint(name)), { minLength: 1 });

/** The name of a TAP device. The kernel replaces `%d` by a number, and chooses a name for an empty one. */
export const tapName = text((name) => {
  if (name === '') return undefined;
  if (!name.includes('%')) return deviceComplaint(name);
  if (!/^[^%]*%d[^%]*$/.test(name)) return 'has another "%" than one %d, where the kernel puts a number';
  return deviceComplaint(name.replace('%d', ''), name);
});

function deviceComplaint(name: string, whole: string = name): string | undefined {
  if (Buffer.byteLength(whole) > DEVICE_NAME_BYTES) return `is longer than ${DEVICE_NAME_BYTES} bytes`;
  if (name === '.' || name === '..') return 'is not a device name';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  return /[\s/:%\u0000-\u001f\u007f]/.test(name) ? 'has a character that no device name may have' : undefined;
}

/**
 * The URL of a tunnel. Credentials in it are refused, since listport would show them to
 * every caller; they are options. A WebSocket URL has no fragment (RFC 6455, 3).
 */
export const tunnelUrl = text((url) => {
  if (url.length > URL_CHARACTERS) return `is longer than ${URL_CHARACTERS} characters`;
  const { url: bare } = takeZoneOut(url);
  if (!/^wss?:\/\//i.test(url) || /[\s\p{C}]/u.test(url) || !URL.canParse(bare)) return 'is not a ws:// or wss:// URL';
  const { username, password, hash } = new URL(bare);
  if (username !== '' || password !== '') return 'holds a user; give it as the options user and passwd';
  return hash !== '' || url.endsWith('#') ? 'has a fragment (#), which WebSocket URLs may not have' : undefined;
});

/** A user name for Basic authentication, in which a colon ends it (RFC 7617, 2). */
export const userName = text((name) => {
  if (name === '') return 'is empty';
  return name.includes(':') ? 'has a colon, which Basic authentication cannot carry' : credentialComplaint(name);
});

/** A password for Basic authentication. A secret: see `Row.secret`. */
export const password = text(credentialComplaint);

function credentialComplaint(value: string): string | undefined {
  if (value.length > CREDENTIAL_CHARACTERS) return `is longer than ${CREDENTIAL_CHARACTERS} characters`;
  return /\p{Cc}/u.test(value) ? 'has a control character, which Basic authentication cannot carry' : undefined;
}

/** A path on the switch's host. */
export const filePath = text((path) => {
  if (path === '') return 'is empty';
  if (path.length > PATH_CHARACTERS) return `is longer than ${PATH_CHARACTERS} characters`;
  return path.includes('\0') ? 'has a zero byte' : undefined;
});

/** A network namespace: a name, which has no slash, or a path, which begins with one. */
export const netnsPlace = text((value) => {
  if (value === '' || value === '.' || value === '..') return 'names no network namespace';
  if (value.length > PATH_CHARACTERS) return `is longer than ${PATH_CHARACTERS} characters`;
  if (value.includes('\0')) return 'has a zero byte';
  return value.includes('/') && !value.startsWith('/') ? 'is a path that does not begin with "/"' : undefined;
});

/** A unicast MAC address other than all zeros. The output is in lower case. */
export const stationAddress = v.pipe(
  text((address) => {
    if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(address)) return 'is no MAC address such as 02:00:00:00:00:01';
    if (Number.parseInt(address.slice(0, 2), 16) % 2 === 1) return 'is a group address';
    return /^[0:]*$/.test(address) ? 'is no address of a station' : undefined;
  }),
  v.toLowerCase(),
);
