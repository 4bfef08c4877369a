import { useTable } from '../../live/live.ts';
import { may } from '../../session.ts';
import type { Station, Tables } from './tables.ts';

/** The methods that a user needs for each table, in the order below. */
const METHODS = ['listPort', 'listNet', 'listStation', 'listStp', 'listStp', 'listNeighbor'];

/** The observed tables of the picture. */
export interface LiveTables {
  readonly tables: Tables;
  /** other numbers when something has changed */
  readonly versions: readonly number[];
  readonly isComplete: boolean;
}

export function useTables(): LiveTables {
  const ports = useTable<Tables['ports'] extends ReadonlyMap<string, infer E> ? E : never>('ports');
  const stations = useTable<Station>('stations');
  const networks = useTable<Tables['networks'] extends ReadonlyMap<string, infer E> ? E : never>('networks');
  const trees = useTable<Tables['trees'] extends ReadonlyMap<string, infer E> ? E : never>('trees');
  const treePorts = useTable<Tables['treePorts'] extends ReadonlyMap<string, infer E> ? E : never>('treePorts');
  const neighbors = useTable<Tables['neighbors'] extends ReadonlyMap<string, infer E> ? E : never>('neighbors');
  return {
    tables: {
      ...{ ports: ports.rows, stations: stations.rows, networks: networks.rows },
      ...{ trees: trees.rows, treePorts: treePorts.rows, neighbors: neighbors.rows },
    },
    versions: [ports, stations, networks, trees, treePorts, neighbors].map(({ version }) => version.value),
    // A table that the user may not read never comes.
    isComplete: [ports, networks, stations, trees, treePorts, neighbors].every(
      ({ isComplete }, at) => isComplete.value || !may(METHODS[at] ?? ''),
    ),
  };
}
