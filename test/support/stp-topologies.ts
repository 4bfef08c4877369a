/**
 * Topologies with known outcomes: the figures of IEEE 802.1D and the cases of the Bridge Functions Consortium, with the
 * port states that Open vSwitch's suites tests/rstp.at and tests/stp.at expect of them.
 */
export interface Topology {
  readonly name: string;
  /** The path cost of a port without one of its own. */
  readonly cost: number;
  /** The address of each bridge, its ports, and its priority, if it is not 0x8000. */
  readonly bridges: readonly (readonly [address: number, ports: string, priority?: number])[];
  readonly steps: readonly TopologyStep[];
}

export interface TopologyStep {
  /** What is changed first, by the bridge's index. */
  readonly change?: Readonly<Record<number, { readonly ports?: string; readonly priority?: number }>>;
  /** How long the bridges run. Default 120 s. */
  readonly seconds?: number;
  /** The index of the root. */
  readonly root?: number;
  /**
   * By the bridge's index, for each port: `F` designated and forwarding, `R:COST` root port and forwarding with the root
   * path cost, `B` discarding, `-` down.
   */
  readonly expect: Readonly<Record<number, string>>;
}

/*
 * Ports, separated by spaces: the letter of a segment, with `:COST` and `^PRIORITY` if they are not the default ones;
 * `0` up without a segment; `X` down; `_` unchanged.
 */

const ROOTED = { 1: 'R:1 B F F', 2: 'R:1 B F F F F', 3: 'R:1 B F F F F' } as const;
const LEAVES = { 4: 'R:2 B F F', 5: 'R:2 B F F', 6: 'R:2 B F F' } as const;

/** Figures 17.4 and 17.5 of IEEE 802.1D-2004: a structured network, and one of its bridges with two ports on one LAN. */
const STRUCTURED: Omit<Topology, 'name'> = {
  cost: 1,
  bridges: [
    [0x111, 'a b e c'],
    [0x222, 'a b d f'],
    [0x333, 'c d l j h g'],
    [0x444, 'e f n m k i'],
    [0x555, 'g i 0 0'],
    [0x666, 'h k 0 0'],
    [0x777, 'j m 0 0'],
    [0x888, 'l n 0 0'],
  ],
  steps: [
    { root: 0, expect: { 0: 'F F F F', ...ROOTED, ...LEAVES, 7: 'R:2 B F F' } },
    {
      change: { 7: { ports: 'l n o o' } },
      root: 0,
      expect: { 0: 'F F F F', ...ROOTED, ...LEAVES, 7: 'R:2 B F B' },
    },
  ],
};

/** Figure 17.6: a ring with spurs. */
const RING: Omit<Topology, 'name'> = {
  cost: 1,
  bridges: [
    [0x111, 'a b l'],
    [0x222, 'b c d'],
    [0x333, 'd e f'],
    [0x444, 'f g h'],
    [0x555, 'j h i'],
    [0x666, 'l j k'],
  ],
  steps: [{ root: 0, expect: { 0: 'F F F', 1: 'R:1 F F', 2: 'R:2 F F', 3: 'R:3 F B', 4: 'R:2 F F', 5: 'R:1 F F' } }],
};

export const RSTP_TOPOLOGIES: readonly Topology[] = [
  {
    name: 'a single bridge',
    cost: 1,
    bridges: [[0x111, 'a b']],
    steps: [{ root: 0, expect: { 0: 'F F' } }],
  },
  {
    name: 'a link fails in a triangle',
    cost: 1,
    bridges: [
      [0x111, 'a b'],
      [0x222, 'a c'],
      [0x333, 'b c'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F F', 1: 'R:1 F', 2: 'R:1 B' } },
      { change: { 2: { ports: 'X c' } }, root: 0, expect: { 1: 'R:1 F', 2: '- R:2' } },
    ],
  },
  {
    name: 'two links fail, a cost and a priority change',
    cost: 200_000,
    bridges: [
      [0x111, 'a b'],
      [0x222, 'a c d'],
      [0x333, 'b c e'],
      [0x444, 'd f'],
      [0x555, 'e f'],
    ],
    steps: [
      {
        root: 0,
        expect: { 0: 'F F', 1: 'R:200000 F F', 2: 'R:200000 B F', 3: 'R:400000 F', 4: 'R:400000 B' },
      },
      {
        change: { 2: { ports: 'X c e' } },
        root: 0,
        expect: { 0: 'F F', 1: 'R:200000 F F', 2: '- R:400000 F', 3: 'R:400000 F', 4: 'R:600000 B' },
      },
      {
        change: { 4: { ports: 'X f' } },
        root: 0,
        expect: { 0: 'F F', 1: 'R:200000 F F', 2: '- R:400000 F', 3: 'R:400000 F', 4: '- R:600000' },
      },
      { change: { 4: { ports: 'X f:100000' } }, root: 0, expect: { 4: '- R:500000' } },
      { change: { 4: { priority: 31_000 } }, root: 4, expect: { 4: '- F' } },
    ],
  },
  { name: 'IEEE 802.1D-2004, figures 17.4 and 17.5', ...STRUCTURED },
  { name: 'IEEE 802.1D-2004, figure 17.6', ...RING },
  {
    name: 'IEEE 802.1D-2004, figure 17.7: a port priority decides',
    cost: 1,
    bridges: [
      [0x001, 'b'],
      [0x111, 'a b d f h g e c'],
      [0x222, 'g h j l n m k i'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F', 1: 'F R:1 F F F F F F', 2: 'B R:2 F F F F F F' } },
      {
        change: { 1: { ports: 'a b d f h g^112 e c' } },
        root: 0,
        expect: { 0: 'F', 1: 'F R:1 F F F F F F', 2: 'R:2 B F F F F F F' },
      },
    ],
  },
  {
    name: 'two bridges on one link, one added later',
    cost: 1,
    bridges: [
      [0x111, 'a 0'],
      [0x222, 'X 0'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F F' } },
      { change: { 1: { ports: 'a 0' } }, root: 0, expect: { 0: 'F F', 1: 'R:1 F' } },
    ],
  },
];

export const STP_TOPOLOGIES: readonly Topology[] = [
  {
    name: 'the example of IEEE 802.1D-1998',
    cost: 10,
    bridges: [
      [0x42, 'a b'],
      [0x97, 'c:5 a d:5'],
      [0x45, 'b e'],
      [0x57, 'b:5 e:5'],
      [0x83, 'a:5 e:5'],
    ],
    steps: [{ root: 0, expect: { 0: 'F F', 1: 'F R:10 F', 2: 'R:10 B', 3: 'R:5 F', 4: 'R:5 B' } }],
  },
  { name: 'IEEE 802.1D-2004, figures 17.4 and 17.5', ...STRUCTURED },
  { name: 'IEEE 802.1D-2004, figure 17.6', ...RING },
  {
    name: 'IEEE 802.1D-2004, figure 17.7: a port goes down',
    cost: 10,
    bridges: [
      [0xaa, 'b'],
      [0x111, 'a b d f h g e c'],
      [0x222, 'g h j l n m k i'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F', 1: 'F R:10 F F F F F F', 2: 'B R:20 F F F F F F' } },
      {
        change: { 2: { ports: 'g X j l n m k i' } },
        root: 0,
        expect: { 0: 'F', 1: 'F R:10 F F F F F F', 2: 'R:20 - F F F F F F' },
      },
    ],
  },
  {
    name: 'STP.io.1.1: link failure',
    cost: 10,
    bridges: [
      [0x111, 'a b c'],
      [0x222, 'a b c'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F F F', 1: 'R:10 B B' } },
      { change: { 1: { ports: '0 _ _' } }, root: 0, expect: { 0: 'F F F', 1: 'F R:10 B' } },
      { change: { 1: { ports: 'X _ _' } }, root: 0, expect: { 0: 'F F F', 1: '- R:10 B' } },
      { change: { 1: { ports: '_ 0 _' } }, root: 0, expect: { 0: 'F F F', 1: '- F R:10' } },
      { change: { 1: { ports: '_ X _' } }, root: 0, expect: { 0: 'F F F', 1: '- - R:10' } },
    ],
  },
  {
    name: 'STP.io.1.2: repeated network',
    cost: 10,
    bridges: [
      [0x111, 'a a'],
      [0x222, 'a a'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F B', 1: 'R:10 B' } },
      { change: { 1: { ports: 'a^144 _' } }, root: 0, expect: { 0: 'F B', 1: 'B R:10' } },
    ],
  },
  {
    name: 'STP.io.1.4: network initialization',
    cost: 10,
    bridges: [
      [0x111, 'a b c'],
      [0x222, 'b d e'],
      [0x333, 'a d f'],
      [0x444, 'c e f'],
    ],
    steps: [{ root: 0, expect: { 0: 'F F F', 1: 'R:10 F F', 2: 'R:10 B F', 3: 'R:10 B B' } }],
  },
  {
    name: 'STP.io.1.5: topology change',
    cost: 10,
    bridges: [
      [0x111, 'a b d c'],
      [0x222, 'a b f e'],
      [0x333, 'c d g h'],
      [0x444, 'e f g h'],
    ],
    steps: [
      { root: 0, expect: { 0: 'F F F F', 1: 'R:10 B F F', 2: 'B R:10 F F', 3: 'B R:20 B B' } },
      {
        change: { 1: { priority: 0x7000 } },
        root: 1,
        expect: { 0: 'R:10 B F F', 1: 'F F F F', 2: 'B R:20 B B', 3: 'B R:10 F F' },
      },
      {
        change: { 2: { priority: 0x6000 } },
        root: 2,
        expect: { 0: 'F F B R:10', 1: 'R:20 B B B', 2: 'F F F F', 3: 'F F R:10 B' },
      },
      {
        change: { 3: { priority: 0x5000 } },
        root: 3,
        expect: { 0: 'B B B R:20', 1: 'F F B R:10', 2: 'F F R:10 B', 3: 'F F F F' },
      },
      {
        change: {
          0: { priority: 0x4000 },
          1: { priority: 0x4001 },
          2: { priority: 0x4002 },
          3: { priority: 0x4003 },
        },
        root: 0,
        expect: { 0: 'F F F F', 1: 'R:10 B F F', 2: 'B R:10 F F', 3: 'B R:20 B B' },
      },
    ],
  },
  {
    name: 'STP.op.1.1 and STP.op.1.2: a bridge begins as root, with root path cost 0',
    cost: 10,
    bridges: [[0x123, '']],
    steps: [{ seconds: 0, root: 0, expect: { 0: '' } }],
  },
  {
    name: 'STP.op.1.4: all ports begin as designated ports',
    cost: 10,
    bridges: [[0x123, 'a b c d e f']],
    steps: [
      { seconds: 0, root: 0, expect: { 0: 'B B B B B B' } },
      { root: 0, expect: { 0: 'F F F F F F' } },
    ],
  },
  {
    name: 'STP.op.3.1: the lower address is the root',
    cost: 10,
    bridges: [
      [0x111, 'a'],
      [0x222, 'a'],
    ],
    steps: [
      { seconds: 0, expect: { 0: 'B', 1: 'B' } },
      { root: 0, expect: { 0: 'F', 1: 'R:10' } },
    ],
  },
  {
    name: 'STP.op.3.3: the lower priority is the root',
    cost: 10,
    bridges: [
      [0x333, 'a', 0x6000],
      [0x222, 'b', 0x7000],
      [0x111, 'a b'],
    ],
    steps: [{ root: 0, expect: { 0: 'F', 1: 'R:20', 2: 'R:10 F' } }],
  },
  {
    name: 'STP.op.3.4: the lower priority is the root, whatever the order of bridges',
    cost: 10,
    bridges: [
      [0x111, 'a b'],
      [0x222, 'b', 0x7000],
      [0x333, 'a', 0x6000],
    ],
    steps: [{ root: 2, expect: { 0: 'R:10 F', 1: 'R:20', 2: 'F' } }],
  },
];
