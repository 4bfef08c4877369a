import { parseIpv4, parseIpv6 } from '../wire/ethernet/ip-address.ts';
import { FilterError } from './filter-error.ts';
import type { Word } from './filter-words.ts';

/** The values of a filter: addresses, networks, ports and numbers. */

const MOST_VID = 4095;
const MOST_PORT = 65_535;

export interface Network {
  /** an IPv4 address as a 32-bit number; an IPv6 address as eight 16-bit numbers */
  readonly address: number | readonly number[];
  readonly mask: number | readonly number[];
}

/** @throws FilterError */
export function numberIn({ text, column }: Word, what: string, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = /^(0x[0-9a-f]{1,12}|0|[1-9]\d{0,14})$/i.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  const bound = most === Number.MAX_SAFE_INTEGER ? '' : ` up to ${most}`;
  throw new FilterError(column, `${what} must be a number${bound}, got "${text}"`);
}

export function vidIn(word: Word): number {
  return numberIn(word, 'a VLAN', MOST_VID);
}

export function portIn(word: Word): number {
  return numberIn(word, 'a port', MOST_PORT);
}

/** The least and the greatest of `FIRST-LAST`, which may be in either order, or of one port. @throws FilterError */
export function portsIn(word: Word): readonly [number, number] {
  const [first = '', last = first, ...rest] = word.text.split('-');
  const ports = [first, last].map((text) => portIn({ text, column: word.column }));
  if (rest.length > 0) throw new FilterError(word.column, `ports must be as FIRST-LAST, got "${word.text}"`);
  return [Math.min(...ports), Math.max(...ports)];
}

/** Six octets. @throws FilterError */
export function macIn({ text, column }: Word): number[] {
  const parts = text.split(text.includes('-') ? '-' : ':');
  if (parts.length === 6 && parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part))) {
    return parts.map((part) => Number.parseInt(part, 16));
  }
  throw new FilterError(column, `a MAC address is as 02:00:00:00:00:01, got "${text}"`);
}

/** @throws FilterError */
export function hostIn({ text, column }: Word): Network {
  if (/^([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}$/i.test(text)) {
    throw new FilterError(column, `"${text}" is a MAC address; write "ether host ${text}"`);
  }
  if (text.includes('/')) throw new FilterError(column, `"${text}" is a network; write "net ${text}"`);
  if (text.includes(':')) return { address: groupsOf(text, column), mask: ipv6Mask(128) };
  if (/^\d+(\.\d+){0,2}$/.test(text)) throw new FilterError(column, `"${text}" is no whole address; "net" takes it`);
  return { address: addressOf(text, column), mask: 0xffff_ffff };
}

/**
 * Parses `ADDRESS/LENGTH`, or the first one to three octets of an IPv4 address, whose number is the length.
 * @param mask the word after `mask`
 * @throws FilterError
 */
export function networkIn({ text, column }: Word, mask?: Word): Network {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0) throw new FilterError(column, `a network is as 192.0.2.0/24, got "${text}"`);
  const isIpv6 = address.includes(':');
  if (isIpv6 && mask !== undefined) throw new FilterError(mask.column, 'mask is for IPv4; write ADDRESS/LENGTH');
  const bits = length === undefined ? undefined : prefixLength({ text: length, column }, isIpv6 ? 128 : 32);
  return isIpv6 ? ipv6Network(text, address, bits ?? 128, column) : ipv4Network(text, address, bits, column, mask);
}

function ipv6Network(text: string, address: string, bits: number, column: number): Network {
  const groups = groupsOf(address, column);
  const masks = ipv6Mask(bits);
  if (groups.some((group, at) => (group & (masks[at] as number)) !== group)) throw strayBits(text, column);
  return { address: groups, mask: masks };
}

function ipv4Network(text: string, address: string, bits: number | undefined, column: number, mask?: Word): Network {
  const numbers = address.split('.');
  const padded = [...numbers, '0', '0', '0'].slice(0, 4).join('.');
  const value = addressOf(padded, column);
  const width = mask === undefined ? ipv4Mask(bits ?? 8 * numbers.length) : addressOf(mask.text, mask.column);
  if (bits !== undefined && mask !== undefined) throw new FilterError(mask.column, 'a network has a length or a mask');
  if ((value & width) >>> 0 !== value) throw strayBits(text, column);
  return { address: value, mask: width };
}

function prefixLength(word: Word, most: number): number {
  return numberIn(word, 'the length of a network', most);
}

function strayBits(text: string, column: number): FilterError {
  return new FilterError(column, `"${text}" has bits behind its mask; is it a host?`);
}

function ipv4Mask(bits: number): number {
  return bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
}

function ipv6Mask(bits: number): number[] {
  return Array.from({ length: 8 }, (_, at) => {
    const own = Math.min(16, Math.max(0, bits - 16 * at));
    return (0xffff << (16 - own)) & 0xffff;
  });
}

function addressOf(text: string, column: number): number {
  try {
    return parseIpv4(text);
  } catch {
    throw new FilterError(column, `"${text}" is no IP address; names are not looked up`);
  }
}

function groupsOf(text: string, column: number): readonly number[] {
  try {
    return parseIpv6(text);
  } catch {
    throw new FilterError(column, `"${text}" is no IP address; names are not looked up`);
  }
}
