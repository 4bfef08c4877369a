import type { MirrorDirection } from '../../src/bridge/mirror/mirrors.ts';
import { TPID_C_TAG, TPID_S_TAG } from '../../src/wire/ethernet/tag.ts';
import { VLAN_MODES, type VlanMode } from '../../src/wire/ethernet/vlan-mode.ts';
import type { Random } from '../support/random.ts';
import { generateMulticast } from './generate-multicast.ts';
import type { FrameStep, PortSetting, Script, Step, Tag } from './script.ts';

/** What the scripts of a profile contain. */
export interface Profile {
  readonly name: string;
  /** Steps beside frames; each is chosen as often as it is listed. */
  readonly events: readonly ((random: Random, ports: number) => Step)[];
  /** Makes the scripts in another way. */
  readonly generate?: (random: Random) => Script;
  /** Whether stations have VIDs; default true. */
  readonly hasVids?: boolean;
  /** The first steps about each port. */
  readonly preamble?: (random: Random, port: number, ports: number) => readonly Step[];
  /** One of so many scripts has waits; 0: none. */
  readonly waitsOnceIn: number;
  /** Tags of frames; undefined: each station has one VID, so that learning by VID makes no difference. */
  readonly tags?: (random: Random) => readonly Tag[];
  /** The same for port 1, if it differs. */
  readonly trunkTags?: (random: Random) => readonly Tag[];
  /** Whether some frames have impossible sources (a group address, zeros) or reserved destinations; default true. */
  readonly hasReserved?: boolean;
}

const MOST_PORTS = 5;
const MOST_STATIONS = 6;
const ETHER_TYPE = '88b5';
export const BROADCAST = 'ffffffffffff';
const GROUPS = ['01005e010101', '333300010001', '030000000001'];
const UNKNOWN = ['02aa00000001', '02aa00000002'];
/** Reserved group addresses that both bridges filter: by-design.ts has those that they treat differently. */
const RESERVED = ['0180c2000002', '0180c2000003', '0180c200000e', '0180c200000f'];
/** Addresses that no station may have as its source. */
const IMPOSSIBLE = ['000000000000', '010000000001', 'ffffffffffff'];

/** The priority 5 in a tag's control information; with the VID 0 the frame is priority-tagged. */
const PRIORITY = 5 << 13;

export const stationOf = (number: number): string => (0x0200_0000_0001 + number).toString(16).padStart(12, '0');

const toggle =
  (name: PortSetting, values: readonly number[] = [0, 1]) =>
  (random: Random, ports: number): Step => ({
    do: 'set',
    port: random.between(1, ports),
    name,
    value: random.pick(values),
  });

const link = (random: Random, ports: number): Step => ({
  do: 'link',
  port: random.between(1, ports),
  isUp: !random.once(2),
});

const entry = (random: Random, ports: number): Step => ({
  do: 'entry',
  port: random.between(1, ports),
  vid: 0,
  mac: stationOf(random.below(MOST_STATIONS)),
  kind: random.pick(['dynamic', 'static', 'sticky', 'none']),
});

const membership = (random: Random, ports: number): Step => ({
  do: random.once(2) ? 'detach' : 'attach',
  port: random.between(1, ports),
});

/** What the bridge does without any setting: forwarding, learning, moves, flooding, ageing; links, ports that come and go. */
export const PLAIN: Profile = { name: 'plain', events: [link, link, membership], waitsOnceIn: 0 };
/** The same with a port that the operator shuts. */
export const SHUT: Profile = { name: 'shut', events: [toggle('state', [0, 3]), membership], waitsOnceIn: 0 };
/** A port in the states of a spanning tree. Linux keeps no port in the state 4, blocking, while its own spanning tree is off. */
export const STATES: Profile = { name: 'states', events: [toggle('state', [1, 2, 3, 3])], waitsOnceIn: 0 };
export const ISOLATED: Profile = {
  name: 'isolated',
  events: [toggle('isolated'), toggle('isolated'), link, membership],
  waitsOnceIn: 0,
};
/** Entries of the operator, and the settings of bridge(8) about learning and flooding, all at the same time. */
export const SECURITY: Profile = {
  name: 'security',
  events: [
    toggle('learning'),
    toggle('flood'),
    toggle('mcast_flood'),
    toggle('bcast_flood'),
    toggle('locked'),
    toggle('isolated'),
    entry,
    entry,
    membership,
  ],
  waitsOnceIn: 0,
  hasVids: false,
  // By design (by-design.ts): on a locked port Linux learns from frames to them.
  hasReserved: false,
};
export const AGEING: Profile = { name: 'ageing', events: [link], waitsOnceIn: 1 };

/** Any tags, in ports that take part in all VLANs: learning by VID. */
export const TAGGED: Profile = {
  name: 'tagged',
  events: [],
  waitsOnceIn: 4,
  tags: (random) =>
    random.pick([[], [], cTag(5), cTag(5 | PRIORITY), cTag(9), cTag(PRIORITY), [...cTag(5), ...cTag(7)]]),
  hasReserved: false,
};

const VIDS = [5, 9, 12];

/** A port takes part in VLANs in another way. */
const vlan =
  (modes: readonly VlanMode[], tpid: number) =>
  (random: Random, ports: number): Step => {
    const mode = random.pick(modes);
    // What a mode does not use stays the same: both bridges forget the stations of a port that changes.
    const pvid = mode === 'access' || mode === 'native' ? random.pick(VIDS) : 1;
    // Not empty, which means all VLANs in Open vSwitch, and none here.
    const vlans = [...new Set([random.pick(VIDS), ...VIDS.filter(() => random.once(2))])];
    const hasVlans = mode === 'trunk' || mode === 'native';
    return { do: 'vlan', port: random.between(1, ports), mode, pvid, vlans: hasVlans ? vlans.sort() : [], tpid };
  };

/** The same step about another port. */
const about = (port: number, step: Step): Step => ({ ...step, port }) as Step;

const anyVlan = vlan(VLAN_MODES, TPID_C_TAG);

/** Access ports, trunks and the others: who is in which VLAN, and which tags frames lose and get. */
export const VLANS: Profile = {
  name: 'vlans',
  events: [anyVlan],
  preamble: (random, port) => [about(port, anyVlan(random, 1))],
  waitsOnceIn: 0,
  tags: (random) => {
    const vid = random.pick(VIDS);
    return random.pick([[], [], cTag(vid), cTag(vid), cTag(vid | PRIORITY), cTag(PRIORITY)]);
  },
  hasReserved: false,
};

const customer = vlan(['access'], TPID_S_TAG);
const provider = vlan(['trunk'], TPID_S_TAG);

/** A provider bridge (IEEE 802.1ad): customers' frames get an S-TAG, and lose it again. Port 1 is a trunk of the provider. */
export const PROVIDER: Profile = {
  name: 'provider',
  events: [],
  preamble: (random, port) => [about(port, (port === 1 ? provider : customer)(random, 1))],
  waitsOnceIn: 0,
  tags: (random) => random.pick([[], cTag(5), cTag(9 | PRIORITY), cTag(PRIORITY)]),
  trunkTags: (random) => [sTag(random.pick(VIDS)), ...random.pick([[], cTag(5), cTag(9)])],
  hasReserved: false,
};

/** Snooping of IGMP and MLD. */
export const MULTICAST: Profile = { name: 'multicast', events: [], waitsOnceIn: 0, generate: generateMulticast };

export const KERNEL_PROFILES: readonly Profile[] = [PLAIN, SHUT, STATES, ISOLATED, SECURITY, AGEING, MULTICAST];
const MIRROR_DIRECTIONS: readonly MirrorDirection[] = ['rx', 'tx', 'both'];

/** Copies go to the last two ports, now and then to any other one, or end. */
function mirrorTarget(random: Random, ports: number): number {
  return random.pick([0, ports, ports, ports, Math.max(1, ports - 1), random.between(1, ports)]);
}

function mirrorOf(random: Random, port: number, ports: number): Step {
  const to = mirrorTarget(random, ports);
  const vids = random.once(2) ? [] : VIDS.filter(() => random.once(2));
  // By design (by-design.ts): no port has copies of its own frames.
  return { do: 'mirror', port, to: to === port ? 0 : to, direction: random.pick(MIRROR_DIRECTIONS), vids };
}

const mirror = (random: Random, ports: number): Step => mirrorOf(random, random.between(1, ports), ports);

const mirrorAll = (random: Random, ports: number): Step => ({ do: 'mirrorAll', to: mirrorTarget(random, ports) });

/** Two of three ports are mirrored from the beginning, and one of four is isolated. */
function mirrored(random: Random, port: number, ports: number): readonly Step[] {
  const steps: Step[] = [];
  if (random.once(4)) steps.push({ do: 'set', port, name: 'isolated', value: 1 });
  if (!random.once(3)) steps.push(mirrorOf(random, port, ports));
  return steps;
}

/** Copies of frames between ports that are in all VLANs; ports are isolated, shut, or do not flood. */
export const MIRRORS: Profile = {
  name: 'mirrors',
  events: [mirror, mirror, mirrorAll, toggle('state', [0, 3, 3]), toggle('floods')],
  preamble: mirrored,
  waitsOnceIn: 0,
  tags: (random) =>
    random.pick([[], [], cTag(5), cTag(5 | PRIORITY), cTag(9), cTag(PRIORITY), [...cTag(5), ...cTag(7)]]),
  hasReserved: false,
};

/** The same of access ports, trunks and others. */
export const VLAN_MIRRORS: Profile = {
  ...MIRRORS,
  name: 'vlan-mirrors',
  events: [mirror, mirror, mirrorAll, anyVlan, anyVlan],
  preamble: (random, port, ports) => [about(port, anyVlan(random, 1)), ...mirrored(random, port, ports)],
  tags: VLANS.tags as NonNullable<Profile['tags']>,
};

export const OVS_PROFILES: readonly Profile[] = [TAGGED, VLANS, PROVIDER, MIRRORS, VLAN_MIRRORS];

/** Makes a script of 8 to 60 steps, most of them frames. */
export function generate(random: Random, profile: Profile): Script {
  if (profile.generate !== undefined) return profile.generate(random);
  const ports = random.between(2, MOST_PORTS);
  const hasWaits = profile.waitsOnceIn > 0 && random.once(profile.waitsOnceIn);
  // Fewer in scripts with waits, which are short, so that a station is often the destination of what follows.
  const stations = random.between(2, hasWaits ? 3 : MOST_STATIONS);
  const length = hasWaits ? random.between(10, 24) : random.between(8, 60);
  const homes = Array.from({ length: stations }, () => random.between(1, ports));
  const vids = Array.from({ length: stations }, () =>
    profile.hasVids === false ? [] : random.pick([[], [], cTag(5), cTag(9)]),
  );
  const steps: Step[] = [];
  for (let port = 1; port <= ports && profile.preamble !== undefined; port++)
    steps.push(...profile.preamble(random, port, ports));
  for (let at = 0; at < length; at++) {
    if (hasWaits && random.once(3)) steps.push({ do: 'wait', units: random.pick([1, 1, 2, 3]) });
    else if (profile.events.length > 0 && random.once(6)) steps.push(random.pick(profile.events)(random, ports));
    else steps.push(anyFrame(random, profile, { ports, homes, vids, mark: at }));
  }
  return { ports, steps };
}

interface Lan {
  readonly ports: number;
  readonly homes: readonly number[];
  readonly vids: readonly (readonly Tag[])[];
  readonly mark: number;
}

function anyFrame(random: Random, profile: Profile, { ports, homes, vids, mark }: Lan): FrameStep {
  const source = random.below(homes.length);
  const destination = random.below(homes.length);
  const { hasReserved = true } = profile;
  const hasOneDatabase = profile.tags === undefined;
  const port = random.once(6) ? random.between(1, ports) : (homes[source] as number);
  const tags = port === 1 ? (profile.trunkTags ?? profile.tags) : profile.tags;
  const isSameVid = vids[source]?.join() === vids[destination]?.join();
  const isToStation = !random.once(3) && (isSameVid || !hasOneDatabase);
  return {
    do: 'frame',
    port,
    to: isToStation ? stationOf(destination) : anyAddress(random, hasReserved),
    from: hasReserved && random.once(30) ? random.pick(IMPOSSIBLE) : stationOf(source),
    tags: tags?.(random) ?? (vids[source] as readonly Tag[]),
    payload: payloadOf(random, mark),
  };
}

function anyAddress(random: Random, hasReserved: boolean): string {
  const choices = [BROADCAST, random.pick(GROUPS), random.pick(UNKNOWN)];
  return random.pick(hasReserved ? [...choices, random.pick(RESERVED)] : choices);
}

/** An EtherType for experiments, a number that no other frame of the script has, and up to 60 octets. */
function payloadOf(random: Random, mark: number): string {
  const number = mark.toString(16).padStart(4, '0');
  return `${ETHER_TYPE}${number}${random.bytes(random.between(2, 60)).toString('hex')}`;
}

function cTag(vid: number): readonly Tag[] {
  return [[0x8100, vid]];
}

function sTag(vid: number): Tag {
  return [TPID_S_TAG, vid];
}
