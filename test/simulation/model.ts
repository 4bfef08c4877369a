/**
 * The model of what a switch may do with a frame: sets and a path, without a table of addresses, without time and without
 * any code of the product.
 */

export interface StationFacts {
  readonly id: number;
  readonly network: string;
  readonly at: number;
  readonly mode: 'transparent' | 'access' | 'trunk' | 'native';
  readonly pvid: number;
  readonly vlans: readonly number[];
  readonly isIsolated: boolean;
  /** Its port is reserved for copies of the frames of this station; undefined: it is a plain one. */
  readonly copiesOf: number | undefined;
}

export interface EdgeFacts {
  readonly network: string;
  readonly ends: readonly [number, number];
  /** Whether the port of each end is isolated; only in networks whose tunnels are a tree. */
  readonly isolated: readonly [boolean, boolean];
}

/** All that decides where a frame may go; replaced as a whole by each change. */
export interface Facts {
  readonly stations: ReadonlyMap<number, StationFacts>;
  readonly edges: readonly EdgeFacts[];
  /** The VLANs that tunnels carry; undefined: the network has no VLANs. */
  readonly carried: ReadonlyMap<string, readonly number[] | undefined>;
}

/** The VLAN of a frame with this tag from a station; undefined: its port refuses the frame. 0: none. */
export function vlanOf(station: StationFacts, tag: number | undefined): number | undefined {
  const { mode, pvid, vlans } = station;
  if (mode === 'transparent') return tag ?? 0;
  if (tag === undefined) return mode === 'trunk' ? undefined : pvid;
  if (mode === 'access') return undefined;
  return vlans.includes(tag) || (mode === 'native' && tag === pvid) ? tag : undefined;
}

/** The tag with which a frame of a VLAN leaves towards a station; `no`: it does not. */
export function tagTowards(
  station: StationFacts,
  vlan: number,
  sentTag: number | undefined,
): number | undefined | 'no' {
  const { mode, pvid, vlans } = station;
  if (mode === 'transparent') return sentTag;
  if (mode !== 'trunk' && vlan === pvid) return undefined;
  return mode !== 'access' && vlans.includes(vlan) ? vlan : 'no';
}

/** Whether a frame with this tag may go from one station to another, and if so with what tag. */
export function mayReach(
  facts: Facts,
  from: number,
  to: number,
  tag: number | undefined,
): { tag: number | undefined } | undefined {
  const [sender, receiver] = [facts.stations.get(from), facts.stations.get(to)];
  if (sender === undefined || receiver === undefined || from === to || sender.network !== receiver.network)
    return undefined;
  if (sender.copiesOf !== undefined || receiver.copiesOf !== undefined) return undefined;
  const vlan = vlanOf(sender, tag);
  if (vlan === undefined) return undefined;
  const carried = facts.carried.get(sender.network);
  if (sender.at !== receiver.at && carried !== undefined && !carried.includes(vlan)) return undefined;
  const leaving = tagTowards(receiver, vlan, tag);
  if (leaving === 'no' || !isPathOpen(facts, sender, receiver)) return undefined;
  return { tag: leaving };
}

/** Whether no switch on the way has the frame go from an isolated port to another one. */
function isPathOpen({ edges }: Facts, sender: StationFacts, receiver: StationFacts): boolean {
  const ofNetwork = edges.filter(({ network }) => network === sender.network);
  const visited = new Set<number>([sender.at]);
  // At a switch, with whether the port by which the frame came is isolated.
  let places: { at: number; isIsolated: boolean }[] = [{ at: sender.at, isIsolated: sender.isIsolated }];
  while (places.length > 0) {
    const next: typeof places = [];
    for (const { at, isIsolated } of places) {
      if (at === receiver.at && !(isIsolated && receiver.isIsolated)) return true;
      for (const { ends, isolated } of ofNetwork) {
        const near = ends.indexOf(at);
        if (near < 0) continue;
        const far = 1 - near;
        const there = ends[far] as number;
        if (visited.has(there) || (isIsolated && isolated[near] === true)) continue;
        visited.add(there);
        next.push({ at: there, isIsolated: isolated[far] as boolean });
      }
    }
    places = next;
  }
  return false;
}
