import type { NeighborEntry } from '../../../../src/control/neighbor-entries.ts';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import type { PortEntry } from '../../../../src/control/schema.ts';
import type { StpEntry, StpPortEntry } from '../../../../src/control/stp-entries.ts';
import type { Station, Tables } from './tables.ts';

/** Tables for tests: each entry has what a switch sends, and what the test gives. */

export function portOf(port: number, given: Partial<PortEntry> = {}): PortEntry {
  return {
    ...{ port, type: 'tap', target: `tap${port}`, tx: 0, rx: 0, shut: false, state: 'up', reason: null },
    ...{ txOctets: 0, rxOctets: 0, txDiscards: {}, rxDiscards: {}, wire: null, roundTripMs: null, url: null },
    ...{ netns: null, name: null, description: null, rxFrameRate: 0, txFrameRate: 0, rxBitRate: 0, txBitRate: 0 },
    ...{ queuedOctets: 0, queuedMs: 0, stations: 0, settings: {}, config: null, network: 'default', ...given },
  };
}

export function stationOf(mac: string, port: number, given: Partial<Station> = {}): Station {
  const plain = { network: 'default', vid: 0, mac, port, movedFrom: null, flapping: false };
  return { ...plain, addresses: [], hostname: null, vendor: null, ...given };
}

export function neighborOf(port: number, chassis: string, given: Partial<NeighborEntry> = {}): NeighborEntry {
  return {
    ...{ network: 'default', port, portName: null, system: null, chassis, neighborPort: 'p1' },
    ...{ neighborPortDescription: null, systemDescription: null, capabilities: [], managementAddresses: [] },
    ...{ portVlanId: null, age: 1, ttl: 120, ...given },
  };
}

export function treeOf(ports: readonly Partial<StpPortEntry>[], network = 'default'): StpEntry {
  return {
    ...{
      network,
      bridgeId: '8000.020000000001',
      rootId: '8000.020000000001',
      rootPort: null,
      rootNode: null,
      rootCost: 0,
    },
    ...{ helloTime: 2, maxAge: 20, forwardDelay: 15, topologyChanges: 0 },
    ports: ports as StpPortEntry[],
  };
}

/** @param networks names; default: those of the ports */
export function tablesOf(given: {
  readonly ports?: readonly PortEntry[];
  readonly stations?: readonly Station[];
  readonly neighbors?: readonly NeighborEntry[];
  readonly trees?: readonly StpEntry[];
  readonly networks?: readonly string[];
}): Tables {
  const { ports = [], stations = [], neighbors = [], trees = [] } = given;
  const names = given.networks ?? [...new Set(['default', ...ports.map(({ network }) => network)])];
  const networks = names.map(
    (network): NetworkEntry => ({
      ...{ network, addresses: 0, auto: false, settings: {}, config: null },
      ports: ports.filter((port) => port.network === network).length,
    }),
  );
  return {
    ports: new Map(ports.map((one) => [String(one.port), one])),
    stations: new Map(stations.map((one) => [`${one.network}|${one.vid}|${one.mac}`, one])),
    networks: new Map(networks.map((one) => [one.network, one])),
    trees: new Map(trees.map((one) => [one.network, one])),
    treePorts: new Map(
      trees.flatMap(({ network, ports }) => ports.map((one) => [`${network}|${one.port}`, { network, ...one }])),
    ),
    neighbors: new Map(neighbors.map((one) => [`${one.network}|${one.port}|${one.chassis}|${one.neighborPort}`, one])),
  };
}
