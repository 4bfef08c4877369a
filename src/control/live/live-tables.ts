import type { MethodName, SwitchControl } from '../schema.ts';
import { type Lister, listerOf } from './listed.ts';
import type { TableName } from './table-keys.ts';

/** A number of seconds that changes by itself. It is sent as a time, which stays. */
export interface AgeingMember {
  /** the member of the listed entry */
  readonly member: string;
  /** the member of the sent entry */
  readonly as: string;
  /** whether the seconds are those since the time, or until it */
  readonly counts: 'since' | 'until';
}

/** A table of `observe`: where its entries come from. */
export interface LiveTable {
  /** The method that lists the same. A user that may not call it may not observe the table. */
  readonly method: MethodName;
  readonly ageing: readonly AgeingMember[];
  /** A list of its entries for one reader. */
  open(service: SwitchControl): Lister;
}

export const LIVE_TABLES: Readonly<Record<TableName, LiveTable>> = {
  ports: { method: 'listPort', ageing: [], open: (service) => listerOf(() => service.eachPort()) },
  stations: {
    method: 'listStation',
    // Its entries have `seen` in place of `age` already: the list tells those anew that have changed.
    ageing: [],
    open: (service) => service.openStations(),
  },
  networks: { method: 'listNet', ageing: [], open: ({ networks }) => listerOf(() => networks.list()) },
  vlans: { method: 'listVlan', ageing: [], open: (service) => listerOf(() => service.eachVlan()) },
  trees: { method: 'listStp', ageing: [], open: (service) => listerOf(() => service.eachTree()) },
  // A table of its own, so that a change of one port is told without the others.
  treePorts: { method: 'listStp', ageing: [], open: (service) => listerOf(() => service.eachTreePort()) },
  neighbors: {
    method: 'listNeighbor',
    ageing: [
      { member: 'age', as: 'since', counts: 'since' },
      { member: 'ttl', as: 'until', counts: 'until' },
    ],
    open: (service) => listerOf(() => service.listNeighbors()),
  },
  status: {
    method: 'getStatus',
    ageing: [{ member: 'uptimeSeconds', as: 'started', counts: 'since' }],
    open: (service) => listerOf(() => [service.getStatus()]),
  },
};
