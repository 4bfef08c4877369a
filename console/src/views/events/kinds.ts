import { ADDRESS_KINDS, EVENT_KINDS } from './sentences.ts';

/** A group of kinds, which the menu offers together. */
export interface KindGroup {
  readonly id: string;
  readonly title: string;
  readonly kinds: readonly string[];
}

const GROUPS: readonly KindGroup[] = [
  { id: 'ports', title: 'Ports', kinds: ['port-added', 'port-removed', 'port-up', 'port-down'] },
  { id: 'tunnels', title: 'Tunnels', kinds: ['tunnel-up', 'tunnel-down'] },
  { id: 'loops', title: 'Loops and storms', kinds: ['loop', 'address-flapping', 'storm'] },
  { id: 'refused', title: 'Refused frames', kinds: ['violation'] },
  { id: 'tree', title: 'Spanning tree', kinds: ['topology-change', 'root-changed', 'bpdu-guard'] },
  { id: 'neighbors', title: 'Neighbours', kinds: ['neighbor-added', 'neighbor-changed', 'neighbor-removed'] },
  { id: 'multicast', title: 'Multicast', kinds: ['multicast-querier', 'multicast-limit'] },
  { id: 'addresses', title: 'Addresses', kinds: ADDRESS_KINDS },
];
const known = new Set(GROUPS.flatMap(({ kinds }) => kinds));

/** All groups; each kind is in one of them. */
export const KIND_GROUPS: readonly KindGroup[] = [
  ...GROUPS,
  { id: 'switch', title: 'Networks and files', kinds: EVENT_KINDS.filter((kind) => !known.has(kind)) },
];

/** The kinds of the group; undefined: all. */
export function kindsOf(group: string): ReadonlySet<string> | undefined {
  const found = KIND_GROUPS.find(({ id }) => id === group);
  return found === undefined ? undefined : new Set(found.kinds);
}
