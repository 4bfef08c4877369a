/** What happens in a switch, as subscribers and hooks are told of it. */

/** Events of ports and of the whole switch. Few, so none is lost unless its reader is slow. */
const RARE_KINDS = [
  'port-added',
  'port-removed',
  /** the port begins to forward */
  'port-up',
  /** the port forwards no more: it was shut, stands by, lost its link, or was removed */
  'port-down',
  /** a tunnel stands */
  'tunnel-up',
  /** a tunnel is lost or was ended */
  'tunnel-down',
  /** an address moves to and fro between two ports */
  'address-flapping',
  /** several addresses do, between the same two ports; or a probe came back, and the port is shut */
  'loop',
  /** a port brings more flooded frames than it may; and that this is over */
  'storm',
  /** LLDP has found a neighbour at a port, hears something else of it, or nothing any more */
  'neighbor-added',
  'neighbor-changed',
  'neighbor-removed',
  /** frames were refused that a port may not send; at most one a second for each port and reason */
  'violation',
  /** another querier of multicast groups is elected, or there is none any more */
  'multicast-querier',
  /** memberships in multicast groups were refused at a limit; at most one a minute for each port, and for the network */
  'multicast-limit',
  /** a topology change of the spanning tree was detected, or a neighbour has told of one */
  'topology-change',
  /** another bridge is the root of the spanning tree */
  'root-changed',
  /** a BPDU has disabled a port with BPDU guard */
  'bpdu-guard',
  /** a network was added, or was removed with its last port */
  'network-added',
  'network-removed',
  /** a process of --workers takes tunnels; and that it has ended */
  'worker-up',
  'worker-down',
  /** another node of the cluster was found, or was started again; or is gone */
  'node-up',
  'node-down',
  /** the connection to the store of the cluster was lost, or is there again */
  'store-lost',
  'store-found',
  /** a mesh tunnel of an automatic network was left out: there are as many as there may be; the first one of several */
  'mesh-limit',
  /** files were read again */
  'reload',
] as const;

/** Events of single addresses. Peers decide how many there are, so there is a bound for all of them together. */
const ADDRESS_KINDS = ['address-learned', 'address-moved', 'address-aged'] as const;

export const EVENT_KINDS = [...RARE_KINDS, ...ADDRESS_KINDS] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** What an event says beside its kind: plain values, as JSON has them. `port` and `portName` are those of its port, `network` is its network. */
export interface EventFacts {
  readonly port?: number;
  readonly portName?: string | null;
  readonly network?: string | undefined;
  readonly [fact: string]: unknown;
}

export interface SwitchEvent extends EventFacts {
  /** 1, 2, …: counts the events that any subscriber wanted, since the switch started */
  readonly sequence: number;
  /** the wall clock, as `2026-11-29T02:10:00.000Z` */
  readonly time: string;
  readonly event: EventKind;
}

const ADDRESSES: ReadonlySet<EventKind> = new Set(ADDRESS_KINDS);

export function isOfAddress(kind: EventKind): boolean {
  return ADDRESSES.has(kind);
}
