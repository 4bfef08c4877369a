import type { IngressRules } from '../../src/bridge/ingress-policy.ts';
import { type BridgePortSettings, DEFAULT_SETTINGS } from '../../src/bridge/port-settings.ts';
import type { Rate } from '../../src/bridge/token-bucket.ts';
import type { OffloadHeader } from '../../src/wire/offload/virtio-header.ts';
import { anySecurity } from './flow-security.ts';
import { anyVlans } from './flow-vlans.ts';
import { PLACES, SHORT_MTU, TAPS } from './flow-worlds.ts';
import { type BuiltFrame, type FrameFields, frameOf, superFrameOf } from './frames.ts';
import { dataFrame, joinFrame, leaveFrame, queryFrame, recordsFrame } from './multicast-frames.ts';
import type { Random } from './random.ts';

export const STATIONS = 6;
const FIRST_STATION = 0x0200_0000_0001;
const BROADCAST = 0xffff_ffff_ffff;
const DESTINATIONS = [BROADCAST, 0x0100_5e00_0001, 0x0180_c200_0000, 0x0180_c200_000e, 0x0200_0000_ffff];
/** Invalid source addresses. */
const IMPOSSIBLE = [0, BROADCAST, 0x0300_0000_0001];
const TAGS = ['81000005', '8100a005', '81000006', '81000fff', '88a80005', '88a8000581000006', '81000000'];

/** UDP ports of DHCP's servers and clients. */
const DHCPV4 = [67, 68];
const DHCPV6 = [547, 546];
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const ECHO_REQUEST = 128;

export interface SentFrame {
  readonly frame: Buffer;
  readonly header?: OffloadHeader;
}

/** Frames that one place sends by one call. */
export interface Burst {
  readonly place: number;
  readonly frames: readonly SentFrame[];
  /** the number of finished frames */
  readonly finishedFrames: number;
  readonly isTagged: boolean;
}

/** The place of a station, unless it moves. */
export const homeOf = (station: number): number => station % PLACES;

/** The common fields of a conversation's frames, which are the key of a flow. */
export interface Conversation {
  readonly place: number;
  readonly source: number;
  readonly destination: number;
  /** another station that the source talks to */
  readonly other: number;
  /** hexadecimal, with TPIDs */
  readonly tags: string;
  /** whether some frames are super-frames */
  readonly isSegmented: boolean;
}

export function anyConversation(random: Random, place: number, station: number, maySegment: boolean): Conversation {
  return {
    place,
    source: random.once(20) ? random.pick(IMPOSSIBLE) : stationAddress(station),
    destination: random.once(8) ? random.pick(DESTINATIONS) : anyStation(random),
    other: anyStation(random),
    tags: random.once(3) && !maySegment ? random.pick(TAGS) : '',
    isSegmented: maySegment,
  };
}

/** Frames of a conversation. @param isMixed some are of protocols that a bridge reads, or have other keys */
export function burstOf(random: Random, conversation: Conversation, isMixed: boolean): Burst {
  const hasControl = isMixed && random.once(2);
  const isAstray = isMixed && !hasControl;
  const { place, source, destination, other, tags, isSegmented } = conversation;
  const frames: SentFrame[] = [];
  let finishedFrames = 0;
  for (let count = random.between(1, 12); count > 0; count--) {
    const to = isAstray && random.once(3) ? other : destination;
    if (isSegmented && random.once(3)) {
      const [{ frame, header }, segments] = anySuperFrame(random);
      frames.push({ frame: addressed(frame, source, to, ''), header });
      finishedFrames += segments;
    } else {
      const those = isAstray && tags !== '' && random.once(6) ? random.pick(TAGS) : tags;
      frames.push({ frame: addressed(anyFrame(random, place, hasControl), source, to, those) });
      finishedFrames++;
    }
  }
  return { place, frames, finishedFrames, isTagged: tags !== '' };
}

export function isStation(address: number): boolean {
  return address >= FIRST_STATION && address < FIRST_STATION + STATIONS;
}

export const stationAddress = (station: number): number => FIRST_STATION + station;

export function anyStation(random: Random): number {
  return stationAddress(random.below(STATIONS));
}

function addressed(frame: Buffer, source: number, destination: number, tags: string): Buffer {
  frame.writeUIntBE(destination, 0, 6);
  frame.writeUIntBE(source, 6, 6);
  return Buffer.concat([frame.subarray(0, 12), Buffer.from(tags, 'hex'), frame.subarray(12)]);
}

/** A random frame. Its checksums may be wrong, since a switch does not check them. */
function anyFrame(random: Random, place: number, mayBeControl: boolean): Buffer {
  const longest = place === TAPS - 1 ? SHORT_MTU - 8 : 1440;
  const ipv6 = random.once(2);
  const fields: FrameFields = { ipv6, protocol: 'udp', payload: random.bytes(random.between(20, longest - 80)) };
  const { bytes, networkStart, transportStart }: BuiltFrame = frameOf(fields);
  const toType = (type: number): void => {
    bytes[networkStart + 6] = 58;
    bytes[transportStart] = type;
  };
  if (!mayBeControl) return bytes;
  switch (random.below(8)) {
    case 0:
      bytes.writeUInt16BE(0x0806, 12);
      break;
    case 1:
    case 2: {
      const ports = ipv6 ? DHCPV6 : DHCPV4;
      const isServer = random.once(2);
      bytes.writeUInt16BE(ports[isServer ? 0 : 1] as number, transportStart);
      bytes.writeUInt16BE(ports[isServer ? 1 : 0] as number, transportStart + 2);
      break;
    }
    case 3:
      if (ipv6) toType(random.pick([ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, ECHO_REQUEST]));
      else bytes[networkStart + 9] = 2;
      break;
    case 4:
      bytes.writeUInt16BE(0x88b5, 12);
      break;
    default:
  }
  return bytes;
}

function anySuperFrame(random: Random): [{ frame: Buffer; header: OffloadHeader }, segments: number] {
  const gsoSize = random.between(500, 1400);
  const payload = random.bytes(random.between(gsoSize + 1, 8000));
  const superFrame = superFrameOf({ ipv6: random.once(2), payload, sequence: random.next() }, gsoSize);
  return [superFrame, Math.ceil(payload.length / gsoSize)];
}

/** Messages of hosts and queriers of groups, and frames to groups. */
export function multicastBurst(random: Random, place: number): Burst {
  const frames = Array.from({ length: random.between(1, 6) }, () => {
    const family = random.pick([4, 6] as const);
    const group = random.pick(family === 4 ? ['239.1.2.3', '239.129.2.3', '224.0.0.9'] : ['ff15::1:2', 'ff02::1']);
    const fields = { station: random.between(1, STATIONS), vid: random.once(4) ? 5 : 0 };
    switch (random.below(6)) {
      case 0:
        return queryFrame({ ...fields, family, code: 10, ...(random.once(2) ? { group } : {}) });
      case 1:
        return leaveFrame(group, fields);
      case 2:
        return joinFrame(group, fields);
      case 3:
        return recordsFrame([{ type: random.between(1, 6), group }], fields);
      default:
        return dataFrame(group, fields);
    }
  });
  return { place, frames: frames.map((frame) => ({ frame })), finishedFrames: frames.length, isTagged: false };
}

/** A rate with a burst but almost no refill, so that the result does not depend on time. */
function budget(least: number, most: number, random: Random): Rate {
  return { perSecond: 1e-9, burst: random.between(least, most) + 0.5 };
}

/** Random settings of a bridge port. */
export function anySettings(random: Random): BridgePortSettings {
  const vlans = random.once(4) ? anyVlans(random) : undefined;
  const settings = { ...DEFAULT_SETTINGS, isIsolated: random.once(2), fastLeave: random.once(2), vlans };
  return random.once(2) ? settings : { ...settings, ...anySecurity(random) };
}

/** Random rules of an ingress policy; undefined: none. */
export function anyRules(random: Random): IngressRules | undefined {
  if (random.once(3)) return undefined;
  return {
    ...(random.once(3) ? { claims: random.between(1, 4) } : {}),
    ...(random.once(5) ? { sources: new Set([FIRST_STATION, FIRST_STATION + 1, FIRST_STATION + 2]) as never } : {}),
    ...(random.once(5) ? { etherTypes: new Set([0x0800, 0x0806]) } : {}),
    ...(random.once(2) ? { frames: budget(random.pick([5, 200]), 400, random) } : {}),
    ...(random.once(2) ? { bits: budget(400_000, 4_000_000, random) } : {}),
    ...(random.once(3) ? { groupFrames: budget(5, 40, random) } : {}),
    ...(random.once(3) ? { groupBits: budget(40_000, 400_000, random) } : {}),
    ...(random.once(2) ? { forbidsDhcpServer: true } : {}),
    ...(random.once(2) ? { forbidsRouterAdvertisements: true } : {}),
  };
}
