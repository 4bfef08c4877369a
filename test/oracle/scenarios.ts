/*
 * What the self-tests of the kernel's bridge check (tools/testing/selftests/net/forwarding of Linux), as scripts of our own.
 * Not here: bridge_mdb (entries of the multicast database by the operator, which we do not have) and what needs the kernel's
 * VLAN filtering, which this kernel may lack: Open vSwitch is the oracle of bridge_vlan_aware.
 */
import { TPID_C_TAG } from '../../src/wire/ethernet/tag.ts';
import type { VlanMode } from '../../src/wire/ethernet/vlan-mode.ts';
import { CHANGE_TO_EXCLUDE, CHANGE_TO_INCLUDE, MODE_IS_EXCLUDE } from '../../src/wire/multicast/multicast-packet.ts';
import { dataFrame, joinFrame, leaveFrame, queryFrame, recordsFrame } from '../support/multicast-frames.ts';
import { BROADCAST, stationOf } from './generate.ts';
import { frameStepOf } from './generate-multicast.ts';
import type { EntryKind, FrameStep, PortSetting, Script, Step, Tag } from './script.ts';

export interface Scenario {
  /** The name of the kernel's test. */
  readonly name: string;
  readonly what: string;
  readonly script: Script;
  /** The ports at which each compared frame comes out, in order: both bridges must agree to it. */
  readonly ports: readonly string[];
}

const [A, B, C, D] = [0, 1, 2, 3].map(stationOf) as [string, string, string, string];
const GROUP = '030000000001';

const frame = (port: number, from: string, to: string, tags: readonly Tag[] = []): FrameStep => ({
  do: 'frame',
  port,
  from,
  to,
  tags,
  payload: `88b5${'00'.repeat(46)}`,
});
const unjudged = (step: FrameStep): FrameStep => ({ ...step, isUnjudged: true });
const set = (port: number, name: PortSetting, value: number): Step => ({ do: 'set', port, name, value });
const entry = (port: number, mac: string, kind: EntryKind | 'none'): Step => ({ do: 'entry', port, vid: 0, mac, kind });
const vlan = (port: number, mode: VlanMode, pvid: number, vlans: readonly number[] = []): Step => ({
  do: 'vlan',
  port,
  mode,
  pvid,
  vlans,
  tpid: TPID_C_TAG,
});
const tag = (vid: number): readonly Tag[] => [[TPID_C_TAG, vid]];

/** Snooping on, and a querier of both families behind port 1. */
const snooping: readonly Step[] = [
  { do: 'bridge', name: 'mcast_snooping', value: 1 },
  { do: 'wait', units: 1 },
  unjudged(frameStepOf(1, queryFrame({ station: 100, isOld: true, code: 1 }))),
  unjudged(frameStepOf(1, queryFrame({ station: 100, family: 6, isOld: true, code: 1 }))),
  { do: 'wait', units: 4 },
];

const groupScenario = (name: string, what: string, steps: readonly Step[], ports: readonly string[]): Scenario => ({
  name,
  what,
  script: { ports: 4, steps: [...snooping, ...steps] },
  ports,
});

const data = (group: string): FrameStep => frameStepOf(4, dataFrame(group, { station: 40 }));
const join = (port: number, group: string): FrameStep => frameStepOf(port, joinFrame(group, { station: 10 * port }));
const leave = (port: number, group: string): FrameStep =>
  unjudged(frameStepOf(port, leaveFrame(group, { station: 10 * port })));
const record = (port: number, type: number, group: string): FrameStep =>
  unjudged(frameStepOf(port, recordsFrame([{ type, group }], { station: 10 * port })));

const membershipScenarios = (name: string, one: string, other: string): readonly Scenario[] => [
  groupScenario(
    name,
    'a report registers a group at its port',
    [join(2, one), data(one), data(other)],
    ['1', '12', '1'],
  ),
  groupScenario(name, 'each port has its own membership', [join(2, one), join(3, one), data(one)], ['1', '1', '123']),
  groupScenario(
    name,
    'a leave ends a membership at once with fast leave',
    [set(2, 'fastleave', 1), join(2, one), leave(2, one), data(one)],
    ['1', '1'],
  ),
  groupScenario(
    name,
    'a record that excludes no source is a report, and one that includes none is a leave',
    [
      set(2, 'fastleave', 1),
      record(2, CHANGE_TO_EXCLUDE, one),
      record(3, MODE_IS_EXCLUDE, one),
      data(one),
      record(2, CHANGE_TO_INCLUDE, one),
      data(one),
    ],
    ['123', '13'],
  ),
  groupScenario(
    name,
    'a port that is set to be a router port gets all',
    [set(3, 'mcast_router', 2), data(one)],
    ['13'],
  ),
];

export const KERNEL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'bridge_port_isolation',
    what: 'isolated ports talk to others only',
    script: {
      ports: 3,
      steps: [
        set(1, 'isolated', 1),
        set(2, 'isolated', 1),
        frame(1, A, BROADCAST),
        frame(2, B, A),
        frame(3, C, A),
        frame(3, C, BROADCAST),
        frame(1, A, D),
        set(2, 'isolated', 0),
        frame(2, B, A),
      ],
    },
    ports: ['3', '', '1', '12', '3', '1'],
  },
  {
    name: 'bridge_sticky_fdb',
    what: 'a sticky entry stays at its port',
    script: { ports: 3, steps: [entry(1, A, 'static'), frame(2, A, BROADCAST), frame(3, C, A)] },
    ports: ['13', '1'],
  },
  {
    name: 'bridge_locked_port',
    what: 'a locked port takes only frames of stations that have an entry at it',
    script: {
      ports: 3,
      steps: [
        set(1, 'locked', 1),
        set(1, 'learning', 0),
        frame(1, A, B),
        entry(1, A, 'static'),
        frame(1, A, B),
        entry(1, A, 'none'),
        frame(1, A, B),
        entry(2, A, 'static'),
        frame(1, A, B),
        set(1, 'locked', 0),
        frame(1, A, B),
      ],
    },
    ports: ['', '23', '', '', '23'],
  },
  {
    name: 'bridge_vlan_unaware',
    what: 'learning, and its switch',
    script: {
      ports: 3,
      steps: [
        frame(3, C, A),
        frame(1, A, BROADCAST),
        frame(3, C, A),
        set(2, 'learning', 0),
        frame(2, B, A),
        frame(3, C, B),
      ],
    },
    ports: ['12', '23', '1', '1', '12'],
  },
  {
    name: 'bridge_vlan_unaware',
    what: 'the flooding of unknown unicast and of unregistered multicast, and its switches',
    script: {
      ports: 3,
      steps: [
        frame(1, A, B),
        frame(1, A, GROUP),
        set(2, 'flood', 0),
        frame(1, A, B),
        frame(1, A, GROUP),
        set(2, 'mcast_flood', 0),
        frame(1, A, GROUP),
        frame(1, A, BROADCAST),
        set(2, 'bcast_flood', 0),
        frame(1, A, BROADCAST),
      ],
    },
    ports: ['23', '23', '3', '23', '3', '23', '3'],
  },
  {
    name: 'bridge_fdb_learning_limit',
    what: 'addresses beyond the limit are not learned, until there is room; entries of the operator do not count',
    script: {
      ports: 3,
      steps: [
        { do: 'bridge', name: 'fdb_max_learned', value: 2 },
        entry(1, D, 'static'),
        frame(1, A, BROADCAST),
        frame(1, B, BROADCAST),
        unjudged(frame(1, C, BROADCAST)),
        frame(2, stationOf(8), A),
        frame(2, stationOf(8), B),
        frame(2, stationOf(8), C),
        frame(2, stationOf(8), D),
      ],
    },
    ports: ['23', '23', '1', '1', '13', '1'],
  },
  ...membershipScenarios('bridge_igmp', '239.1.1.1', '239.2.2.2'),
  ...membershipScenarios('bridge_mld', 'ff05::101', 'ff05::202'),
  groupScenario(
    'bridge_mdb_max',
    'a port is in no more groups than its limit',
    [
      set(2, 'mcast_max_groups', 1),
      join(2, '239.1.1.1'),
      unjudged(join(2, '239.2.2.2')),
      data('239.1.1.1'),
      data('239.2.2.2'),
    ],
    ['1', '12', '1'],
  ),
];

export const VLAN_SCENARIOS: readonly Scenario[] = [
  {
    name: 'bridge_vlan_aware',
    what: 'the PVID, tags, and ports that are in no common VLAN',
    script: {
      ports: 4,
      steps: [
        vlan(1, 'access', 5),
        vlan(2, 'access', 5),
        vlan(3, 'access', 9),
        vlan(4, 'trunk', 1, [5, 9]),
        frame(1, A, BROADCAST),
        frame(2, B, A),
        frame(3, C, A),
        frame(4, D, A, tag(5)),
        frame(4, D, A, tag(9)),
        frame(1, A, B, tag(5)),
        frame(4, D, BROADCAST),
      ],
    },
    ports: ['24', '1', '4', '1', '3', '', ''],
  },
  {
    name: 'bridge_vlan_aware',
    what: 'a native VLAN without a tag, and learning for each VLAN',
    script: {
      ports: 3,
      steps: [
        vlan(1, 'native', 5, [9]),
        vlan(2, 'native', 5, [9]),
        vlan(3, 'trunk', 1, [5, 9]),
        frame(1, A, BROADCAST),
        frame(2, A, BROADCAST, tag(9)),
        frame(3, C, A, tag(5)),
        frame(3, C, A, tag(9)),
      ],
    },
    ports: ['23', '13', '1', '2'],
  },
];
