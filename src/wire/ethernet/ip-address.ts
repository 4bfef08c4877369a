import { EtherwsError } from '../../errors.ts';

/**
 * IP addresses, prefixes and netmasks as text, checked before they are passed to
 * the kernel. Both ends of the control API use these functions, so the client and
 * the switch refuse the same input with the same message.
 *
 * All of them throw EtherwsError ADDRESS_INVALID unless they say otherwise.
 */

/** An address of an interface, in canonical text, and the length of its network prefix in bits. */
export interface IpPrefix {
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefixLength: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Dotted quad to an unsigned 32-bit number. Octal, short and hexadecimal spellings are refused: tools disagree on them. */
export function parseIpv4(text: string): number {
  const quad = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (quad === null) throw invalid(`"${text}" is no IPv4 address`, 'Write four decimal numbers, as in 192.0.2.1');
  let value = 0;
  for (const part of quad.slice(1)) {
    if (part.length > 1 && part.startsWith('0')) {
      throw invalid(`"${text}" is no IPv4 address: "${part}" has a leading zero`, 'Write it without leading zeros');
    }
    const octet = Number(part);
    if (octet > 255) throw invalid(`"${text}" is no IPv4 address: ${part} is outside 0..255`);
    value = value * 256 + octet;
  }
  return value;
}

export function formatIpv4(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/** Eight 16-bit groups, from any spelling of RFC 4291, 2.2. A zone (`%eth0`) is refused: no caller has a use for one. */
export function parseIpv6(text: string): readonly number[] {
  const refuse = (why: string): EtherwsError =>
    invalid(`"${text}" is no IPv6 address: ${why}`, 'Write it as in 2001:db8::1');
  if (text.includes('%')) throw refuse('it has a zone');

  const halves = text.split('::');
  if (halves.length > 2) throw refuse('"::" stands twice');
  const head = groupsOf(halves[0] as string, refuse, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] as string, refuse, true) : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) {
    throw refuse(`it has ${head.length + tail.length} groups of 16 bits, not 8`);
  }
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string, refuse: (why: string) => EtherwsError, mayEndInIpv4: boolean): number[] {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (mayEndInIpv4 && index === parts.length - 1 && part.includes('.')) {
      const value = parseIpv4(part);
      groups.push(value >>> 16, value & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      throw refuse(`"${part}" is no group of one to four hexadecimal digits`);
    }
  }
  return groups;
}

/** The canonical text of RFC 5952: lower case, the longest run of zero groups as `::`. */
export function formatIpv6(groups: readonly number[]): string {
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > runLength) {
      runStart = start;
      runLength = end - start;
    }
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (runStart < 0) return hex(groups);
  return `${hex(groups.slice(0, runStart))}::${hex(groups.slice(runStart + runLength))}`;
}

/**
 * An address that can be assigned to an interface, in canonical text. Unspecified,
 * multicast and reserved addresses are refused.
 */
export function parseHostAddress(text: string): Pick<IpPrefix, 'family' | 'address'> {
  if (text.includes(':')) {
    const groups = parseIpv6(text);
    if (groups.every((group) => group === 0)) throw invalid(`${text} is the unspecified address`);
    if ((groups[0] as number) >>> 8 === 0xff) throw invalid(`${text} is a multicast address`);
    return { family: 6, address: formatIpv6(groups) };
  }
  const value = parseIpv4(text);
  const first = value >>> 24;
  if (first === 0) throw invalid(`${text} is in 0.0.0.0/8, which no host may bear`);
  if (first >= 224) {
    const what = first < 240 ? 'a multicast address' : value === 0xffffffff ? 'the broadcast address' : 'reserved';
    throw invalid(`${text} is ${what}`);
  }
  return { family: 4, address: formatIpv4(value) };
}

/** Parses `ADDRESS/LENGTH`, IPv4 or IPv6, of an address that can be assigned to an interface. */
export function parsePrefix(text: string): IpPrefix {
  const slash = text.indexOf('/');
  if (slash < 0) throw invalid(`"${text}" has no prefix length`, `Write ADDRESS/LENGTH, as in ${text}/24`);
  const { family, address } = parseHostAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length)) throw invalid(`"${length}" in "${text}" is no prefix length`);
  return { family, address, prefixLength: checkPrefixLength(family, Number(length)) };
}

/** The checks of `parsePrefix` on an address and a prefix length that are separate values. */
export function checkPrefix(address: string, prefixLength: number): IpPrefix {
  const host = parseHostAddress(address);
  return { ...host, prefixLength: checkPrefixLength(host.family, prefixLength) };
}

export function formatPrefix(prefix: { readonly address: string; readonly prefixLength: number }): string {
  return `${prefix.address}/${prefix.prefixLength}`;
}

/** The prefix length of a dotted netmask: 255.255.255.0 is 24. A mask with a gap, and 0.0.0.0, are refused. */
export function prefixLengthOfNetmask(netmask: string): number {
  const mask = parseIpv4(netmask);
  const length = Math.clz32(~mask);
  if (length === 0) throw invalid(`${netmask} as a netmask would put every address on this link`);
  if (mask !== maskOf(length)) {
    throw invalid(
      `${netmask} is no netmask: its ones are not contiguous`,
      `The nearest is ${formatIpv4(maskOf(length))}`,
    );
  }
  return length;
}

/** The dotted netmask of a prefix length: 24 is 255.255.255.0. @throws RangeError outside of 0..32 */
export function netmaskOfPrefixLength(prefixLength: number): string {
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) {
    throw new RangeError(`prefix length ${prefixLength} is outside 0..32`);
  }
  return formatIpv4(maskOf(prefixLength));
}

/** The prefix length of the address class (RFC 791, 3.2): 1.x sets no netmask, and SIOCSIFADDR then uses the class. */
export function classfulPrefixLength(address: string): number {
  const first = parseIpv4(address) >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

function checkPrefixLength(family: 4 | 6, prefixLength: number): number {
  const longest = BITS[family];
  if (!Number.isInteger(prefixLength) || prefixLength < 1 || prefixLength > longest) {
    throw invalid(`prefix length ${prefixLength} is outside 1..${longest} for IPv${family}`);
  }
  return prefixLength;
}

function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

function invalid(message: string, hint?: string): EtherwsError {
  return new EtherwsError('ADDRESS_INVALID', message, hint === undefined ? {} : { hint });
}
