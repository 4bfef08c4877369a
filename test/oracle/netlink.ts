/**
 * Requests of rtnetlink(7) about bridges, as hexadecimal octets: numbers of linux/rtnetlink.h, if_link.h, neighbour.h.
 * All are little-endian, as the machines that run these tests.
 */

const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;
const NLM_F_CREATE = 0x400;
const NLM_F_REPLACE = 0x100;
const NLM_F_EXCL = 0x200;
const RTM_NEWLINK = 16;
const RTM_SETLINK = 19;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const AF_BRIDGE = 7;
const NESTED = 0x8000;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_LINKINFO = 18;
const NDA_LLADDR = 2;
const NTF_MASTER = 0x04;
const NTF_STICKY = 0x40;
const NUD_REACHABLE = 0x02;
const NUD_NOARP = 0x40;

/** IFLA_BR_* with the width of their values in octets. */
const BRIDGE = {
  ageingTime: [4, 4],
  stpState: [5, 4],
  groupFwdMask: [9, 2],
  fdbFlush: [21, 0],
  mcastSnooping: [23, 1],
  mcastQuerier: [25, 1],
  mcastHashMax: [27, 4],
  mcastLastMemberCount: [28, 4],
  mcastLastMemberInterval: [30, 8],
  mcastMembershipInterval: [31, 8],
  mcastQuerierInterval: [32, 8],
  mcastQueryInterval: [33, 8],
  mcastQueryResponseInterval: [34, 8],
  mcastStartupQueryCount: [29, 4],
  mcastIgmpVersion: [43, 1],
  mcastMldVersion: [44, 1],
  fdbMaxLearned: [49, 4],
} as const;

/** IFLA_BRPORT_*; each has one octet but those of WIDE. */
const PORT = {
  state: 1,
  fastLeave: 7,
  learning: 8,
  flood: 9,
  multicastRouter: 25,
  mcastFlood: 27,
  bcastFlood: 30,
  isolated: 33,
  locked: 39,
  mcastMaxGroups: 42,
} as const;
const WIDE: readonly string[] = ['mcastMaxGroups'];

export type BridgeAttribute = keyof typeof BRIDGE;
export type PortAttribute = keyof typeof PORT;
/** How an entry of the filtering database is added: see bridge(8), `bridge fdb add`. */
export type EntryKind = 'dynamic' | 'static' | 'sticky';

export const createBridge = (name: string): string =>
  link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0, [text(IFLA_IFNAME, name), bridgeInfo([])]);

export const setBridge = (index: number, name: BridgeAttribute, value: number): string => {
  const [type, width] = BRIDGE[name];
  return link(RTM_NEWLINK, 0, index, 0, [bridgeInfo([attribute(type, number(value, width))])]);
};

export const setPort = (index: number, name: PortAttribute, value: number): string =>
  link(
    RTM_SETLINK,
    0,
    index,
    0,
    [attribute(IFLA_PROTINFO | NESTED, attribute(PORT[name], number(value, WIDE.includes(name) ? 4 : 1)))],
    AF_BRIDGE,
  );

/** @param master the index of the bridge; 0: the device leaves its bridge */
export const setMaster = (index: number, master: number): string =>
  link(RTM_SETLINK, 0, index, 0, [attribute(IFLA_MASTER, number(master, 4))]);

export const setAddress = (index: number, mac: string): string =>
  link(RTM_SETLINK, 0, index, 0, [attribute(IFLA_ADDRESS, Buffer.from(mac, 'hex'))]);

export const setUp = (index: number, isUp: boolean): string =>
  link(RTM_SETLINK, 0, index, isUp ? IFF_UP : 0, [], 0, IFF_UP);

export function addEntry(port: number, mac: string, kind: EntryKind): string {
  const state = kind === 'static' ? NUD_NOARP : NUD_REACHABLE;
  // Without the flag the kernel lets even a static entry move.
  const flags = NTF_MASTER | (kind === 'dynamic' ? 0 : NTF_STICKY);
  return neighbour(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, port, state, flags, mac);
}

export const deleteEntry = (port: number, mac: string): string =>
  neighbour(RTM_DELNEIGH, NLM_F_ACK, port, 0, NTF_MASTER, mac);

/** Asks for the entries of all bridges of the namespace. */
export const dumpEntries = (): string => link(RTM_GETNEIGH, NLM_F_DUMP & ~NLM_F_ACK, 0, 0, [], AF_BRIDGE);

function bridgeInfo(data: readonly Buffer[]): Buffer {
  return attribute(
    IFLA_LINKINFO | NESTED,
    Buffer.concat([text(1, 'bridge'), attribute(2 | NESTED, Buffer.concat(data))]),
  );
}

function link(
  type: number,
  flags: number,
  index: number,
  interfaceFlags: number,
  attributes: readonly Buffer[],
  family = 0,
  change = 0,
): string {
  const info = Buffer.alloc(16);
  info.writeUInt8(family, 0);
  info.writeInt32LE(index, 4);
  info.writeUInt32LE(interfaceFlags, 8);
  info.writeUInt32LE(change, 12);
  return message(type, type === RTM_GETNEIGH ? flags : flags | NLM_F_ACK, [info, ...attributes]);
}

function neighbour(type: number, flags: number, index: number, state: number, entryFlags: number, mac: string): string {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF_BRIDGE, 0);
  head.writeInt32LE(index, 4);
  head.writeUInt16LE(state, 8);
  head.writeUInt8(entryFlags, 10);
  return message(type, flags, [head, attribute(NDA_LLADDR, Buffer.from(mac, 'hex'))]);
}

function message(type: number, flags: number, parts: readonly Buffer[]): string {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags | NLM_F_REQUEST, 6);
  return Buffer.concat([head, body]).toString('hex');
}

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc((4 + value.length + 3) & ~3);
  padded.writeUInt16LE(4 + value.length, 0);
  padded.writeUInt16LE(type, 2);
  value.copy(padded, 4);
  return padded;
}

const text = (type: number, value: string): Buffer => attribute(type, Buffer.from(`${value}\0`));

function number(value: number, width: number): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64LE(BigInt(value));
  return octets.subarray(0, width);
}
