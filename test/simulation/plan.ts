import type { Random } from '../support/random.ts';
import type { EdgeFacts, StationFacts } from './model.ts';

/** What a run does, made from its seed alone, as data: so a failing run is made smaller by leaving steps out. */
export interface Plan {
  readonly seed: number;
  readonly switches: number;
  readonly networks: readonly NetworkPlan[];
  readonly edges: readonly EdgePlan[];
  readonly stations: readonly StationPlan[];
  readonly steps: readonly Step[];
}

export interface NetworkPlan {
  readonly name: string;
  readonly hasTree: boolean;
  /** The VLANs that tunnels carry; undefined: no port has VLANs. */
  readonly carried: readonly number[] | undefined;
}

export interface EdgePlan extends EdgeFacts {
  /** In the tree: fixed, since a measured one changes up to a minute behind each new line. */
  readonly pathCost: number;
}

export interface StationPlan extends StationFacts {
  /** How it is connected: by a device, or by a tunnel of its own that lies. */
  readonly kind: 'device' | 'liar';
  /** Limits its broadcasts, in frames a second; undefined: the default. */
  readonly storm: number | undefined;
}

export const LIES = ['spoof', 'group', 'tag', 'bpdu', 'router', 'dhcp', 'token', 'garbage'] as const;
export type Lie = (typeof LIES)[number];

export type Step = { readonly pauseMs: number } & (
  | { readonly kind: 'cut' | 'silence' | 'shut'; readonly edge: number; readonly ms: number }
  | { readonly kind: 'damage' | 'remove'; readonly edge: number }
  | { readonly kind: 'restart' | 'crash'; readonly at: number; readonly ms: number }
  | { readonly kind: 'unplug'; readonly station: number; readonly ms: number }
  | { readonly kind: 'move'; readonly station: number; readonly to: number }
  | { readonly kind: 'isolate' | 'burst' | 'join'; readonly station: number }
  | { readonly kind: 'priority'; readonly network: string; readonly at: number; readonly priority: number }
  | { readonly kind: 'lie'; readonly station: number; readonly lie: Lie }
  | { readonly kind: 'visit'; readonly at: number; readonly ms: number }
);

const VLANS = [10, 20, 30];
/** A VLAN that no tunnel carries. */
const LOCAL_VLAN = 40;
const STEPS = 25;

export function makePlan(seed: number, random: Random): Plan {
  const switches = random.between(2, 4);
  const names = ['default', 'lab', 'guests'].slice(0, random.between(1, 3));
  const networks = names.map((name) => ({
    name,
    hasTree: random.once(2),
    carried: random.once(2) ? VLANS : undefined,
  }));
  const edges = networks.flatMap((network) => edgesOf(network, switches, random));
  const stations: StationPlan[] = [];
  for (const network of networks) addStations(stations, network, switches, random);
  const about = { switches, networks, edges, stations };
  const steps = Array.from({ length: random.between(3, STEPS) }, () => makeStep(about, random));
  return { seed, ...about, steps };
}

function edgesOf({ name, hasTree }: NetworkPlan, switches: number, random: Random): EdgePlan[] {
  const isolates = !hasTree && random.once(4);
  const edge = (one: number, other: number): EdgePlan => ({
    network: name,
    ends: random.once(2) ? [one, other] : [other, one],
    pathCost: 20_000 * random.between(1, 4),
    isolated: isolates ? [random.once(3), random.once(3)] : [false, false],
  });
  const edges = Array.from({ length: switches - 1 }, (_, at) => edge(at + 1, random.below(at + 1)));
  if (hasTree) {
    // Rings, meshes and parallel tunnels.
    for (let extra = random.below(4); extra > 0; extra--) {
      const one = random.below(switches);
      edges.push(edge(one, (one + random.between(1, switches - 1)) % switches));
    }
  } else if (random.once(2)) {
    // One of two parallel tunnels stands by, in networks without a tree.
    edges.push(random.pick(edges));
  }
  return edges;
}

function addStations(stations: StationPlan[], network: NetworkPlan, switches: number, random: Random): void {
  const count = random.between(3, 6);
  const isolates = random.once(2);
  for (let place = 0; place < count; place++) {
    stations.push({
      ...stationOf(stations.length, network, random.below(switches), random),
      isIsolated: isolates && random.once(2),
      storm: random.once(4) ? random.between(5, 30) : undefined,
    });
  }
  if (random.once(2)) {
    const watched = stations[stations.length - 1] as StationPlan;
    stations.push({ ...watched, id: stations.length, isIsolated: false, copiesOf: watched.id, storm: undefined });
  }
  if (random.once(2)) {
    const liar = stationOf(stations.length, network, random.below(switches), random);
    const access = { mode: 'access' as const, pvid: random.pick(VLANS), vlans: [] };
    stations.push({ ...liar, ...(network.carried === undefined ? {} : access), kind: 'liar' });
  }
}

function stationOf(id: number, { name, carried }: NetworkPlan, at: number, random: Random): StationPlan {
  const base = {
    id,
    network: name,
    at,
    isIsolated: false,
    copiesOf: undefined,
    kind: 'device',
    storm: undefined,
  } as const;
  if (carried === undefined) return { ...base, mode: 'transparent', pvid: 1, vlans: [] };
  const mode = random.pick(['access', 'access', 'trunk', 'native'] as const);
  const vlans = mode === 'access' ? [] : [...VLANS, LOCAL_VLAN].filter(() => random.once(2));
  if (mode !== 'access' && vlans.length === 0) vlans.push(VLANS[0] as number);
  return { ...base, mode, pvid: random.once(5) ? LOCAL_VLAN : random.pick(VLANS), vlans };
}

function makeStep({ switches, networks, edges, stations }: Omit<Plan, 'seed' | 'steps'>, random: Random): Step {
  const pauseMs = random.pick([0, 5, 50, 500, 3000, 12_000]);
  const edge = random.below(edges.length);
  const at = random.below(switches);
  const { id: station } = random.pick(stations);
  const ms = random.pick([10, 800, 4000, 9000, 15_000]);
  const liars = stations.filter(({ kind }) => kind === 'liar');
  switch (random.below(16)) {
    case 0:
    case 1:
      return { kind: 'cut', edge, ms, pauseMs };
    case 2:
      return { kind: 'silence', edge, ms: random.pick([100, 2500, 8000, 20_000]), pauseMs };
    case 3:
      return { kind: 'shut', edge, ms, pauseMs };
    case 4:
      return { kind: random.pick(['damage', 'remove']), edge, pauseMs };
    case 5:
      return { kind: random.pick(['restart', 'crash']), at, ms, pauseMs };
    case 6:
      return { kind: 'unplug', station, ms, pauseMs };
    case 7:
      return { kind: 'move', station, to: at, pauseMs };
    case 8:
      return { kind: random.pick(['isolate', 'join']), station, pauseMs };
    case 9:
    case 10:
      return { kind: 'burst', station, pauseMs };
    case 11:
      return { kind: 'priority', network: random.pick(networks).name, at, priority: 4096 * random.below(15), pauseMs };
    case 12:
      return { kind: 'visit', at, ms, pauseMs };
    default:
      return liars.length === 0
        ? { kind: 'cut', edge, ms, pauseMs }
        : { kind: 'lie', station: random.pick(liars).id, lie: random.pick(LIES), pauseMs };
  }
}
