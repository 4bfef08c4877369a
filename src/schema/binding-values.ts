import * as v from 'valibot';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../wire/ethernet/ip-address.ts';
import { listOf, text } from './types.ts';

/** Addresses that the operator sets at a port: `MAC[@VID]`, and `IP[=MAC[@VID]]`. */

/** The most of either kind at a port. */
export const MOST_SET_ADDRESSES = 1024;
const MAC = '[0-9a-f]{2}(?::[0-9a-f]{2}){5}';
const STATION = new RegExp(`^(${MAC})(?:@(\\d{1,4}))?$`, 'i');
const MOST_VID = 4094;

export interface SetStation {
  readonly mac: string;
  readonly vid: number;
}

/** @returns undefined for a text that is none */
export function parseStation(words: string): SetStation | undefined {
  const [, mac, vid = '0'] = STATION.exec(words) ?? [];
  if (mac === undefined || Number(vid) > MOST_VID || Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) return undefined;
  return /^[0:]*$/.test(mac) ? undefined : { mac: mac.toLowerCase(), vid: Number(vid) };
}

export function formatStation({ mac, vid }: SetStation): string {
  return vid === 0 ? mac : `${mac}@${vid}`;
}

export interface SetBinding {
  /** canonical text */
  readonly address: string;
  /** Its 4 or 16 octets. */
  readonly octets: readonly number[];
  /** undefined: any */
  readonly station: SetStation | undefined;
  readonly hasVid: boolean;
}

/** @returns undefined for a text that is none */
export function parseBinding(words: string): SetBinding | undefined {
  const [address = '', station, ...more] = words.split('=');
  const octets = octetsOf(address);
  const parsed = station === undefined ? undefined : parseStation(station);
  if (octets === undefined || more.length > 0 || (station !== undefined && parsed === undefined)) return undefined;
  return { address: canonical(octets), octets, station: parsed, hasVid: station?.includes('@') === true };
}

function formatBinding({ address, station, hasVid }: SetBinding): string {
  if (station === undefined) return address;
  return `${address}=${station.mac}${hasVid ? `@${station.vid}` : ''}`;
}

function octetsOf(address: string): number[] | undefined {
  try {
    if (!address.includes(':')) {
      const value = parseIpv4(address);
      return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    }
    return parseIpv6(address).flatMap((group) => [group >>> 8, group & 255]);
  } catch {
    return undefined;
  }
}

function canonical(octets: readonly number[]): string {
  const word = (at: number): number => (octets[at] as number) * 256 + (octets[at + 1] as number);
  if (octets.length === 4) return formatIpv4(word(0) * 0x1_0000 + word(2));
  return formatIpv6([0, 2, 4, 6, 8, 10, 12, 14].map(word));
}

/** A multicast group in a VLAN, or one source of it, that the operator sets at a port: `GROUP[=IP][@VID]`. */
export interface SetGroup {
  /** canonical text */
  readonly address: string;
  /** Its 4 or 16 octets. */
  readonly octets: readonly number[];
  /** The only source, as canonical text; absent: all sources. */
  readonly source?: string;
  /** The octets of the source, as many as those of the group. */
  readonly sourceOctets?: readonly number[];
  readonly vid: number;
}

/** @returns undefined for a text that is none, and for the groups of a link, which every port gets (RFC 4541, 2.1.2) */
export function parseGroup(words: string): SetGroup | undefined {
  const [, text = '', source, vid = '0'] = /^([^@=]+)(?:=([^@]+))?(?:@(\d{1,4}))?$/.exec(words) ?? [];
  const octets = octetsOf(text) ?? [];
  const sourceOctets = source === undefined ? undefined : octetsOf(source);
  if (source !== undefined && !isSource(sourceOctets, octets.length)) return undefined;
  const ofSource = sourceOctets === undefined ? {} : { source: canonical(sourceOctets), sourceOctets };
  const [first = 0, second = 0, third = 0] = octets;
  const isGroup = octets.length === 4 ? first >> 4 === 0xe && (first !== 224 || second + third > 0) : first === 0xff;
  const address = octets.length === 0 ? '' : canonical(octets);
  return isGroup && address !== 'ff02::1' && Number(vid) <= MOST_VID
    ? { address, octets, ...ofSource, vid: Number(vid) }
    : undefined;
}

/** Whether the octets are those of an individual address of this length. */
function isSource(octets: readonly number[] | undefined, length: number): boolean {
  if (octets === undefined || octets.length !== length || octets.every((octet) => octet === 0)) return false;
  const [first = 0] = octets;
  return length === 4 ? first > 0 && first < 224 : first !== 0xff;
}

export function formatGroup({ address, source, vid }: Pick<SetGroup, 'address' | 'source' | 'vid'>): string {
  const group = source === undefined ? address : `${address}=${source}`;
  return vid === 0 ? group : `${group}@${vid}`;
}

/** A list that `none` empties, so that the command line can do so, too. */
function emptiable(complaint: (item: string) => string | undefined, format: (item: string) => string) {
  const item = text((words) => (words === 'none' ? undefined : complaint(words)));
  return v.pipe(
    listOf(item, MOST_SET_ADDRESSES),
    v.transform((items): string[] => (items.includes('none') ? [] : [...new Set(items.map(format))].sort())),
  );
}

/** Static addresses. The output is sorted, in lower case, without duplicates. */
export const stationList = emptiable(
  (words) =>
    parseStation(words) === undefined ? 'is no MAC address of a station, such as 02:00:00:00:00:01@10' : undefined,
  (words) => formatStation(parseStation(words) as SetStation),
);

/** Bindings of IP addresses. The output is canonical. */
export const bindingList = emptiable(
  (words) => (parseBinding(words) === undefined ? 'is no binding, such as 192.0.2.5=02:00:00:00:00:01@10' : undefined),
  (words) => formatBinding(parseBinding(words) as SetBinding),
);

/** Multicast groups. The output is canonical. */
export const groupList = emptiable(
  (words) =>
    parseGroup(words) === undefined
      ? `is no GROUP, GROUP@VID or GROUP=SOURCE@VID, such as 239.1.2.3@10, ff05::5 or 232.1.2.3=192.0.2.1: a VID is at most ${MOST_VID}, and 224.0.0.0/24 and ff02::1 reach all ports anyway`
      : undefined,
  (words) => formatGroup(parseGroup(words) as SetGroup),
);

/** One multicast group, without a VLAN. The output is canonical. */
export const multicastGroup = v.pipe(
  text((words) =>
    /[@=]/.test(words) || parseGroup(words) === undefined
      ? 'is no multicast group, such as 239.1.2.3 or ff05::5: 224.0.0.0/24 and ff02::1 reach all ports anyway'
      : undefined,
  ),
  v.transform((words): string => parseGroup(words)?.address ?? words),
);

/** The address of a source of a multicast group. The output is canonical. */
export const multicastSource = v.pipe(
  text((words) => {
    const octets = octetsOf(words);
    return octets !== undefined && isSource(octets, octets.length)
      ? undefined
      : 'is no address of a station, such as 192.0.2.1 or 2001:db8::1';
  }),
  v.transform((words): string => canonical(octetsOf(words) ?? [])),
);
