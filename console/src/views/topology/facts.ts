import { bitRate, counted, milliseconds } from '../../parts/units.ts';
import { hashOf } from '../../router.ts';
import type { Graph, Node } from './graph.ts';
import { neighborLabel, portLabel, stationLabel } from './names.ts';
import type { Tables } from './tables.ts';

/** What the panel says of a node. */
export interface Facts {
  readonly kind: string;
  readonly title: string;
  readonly reason: string;
  readonly rows: readonly (readonly [name: string, value: string])[];
  /** other views about it */
  readonly ways: readonly (readonly [text: string, hash: string])[];
}

export function factsOf(node: Node, graph: Graph, tables: Tables): Facts | undefined {
  const { of, label, reason, note } = node;
  switch (of.kind) {
    case 'switch':
      return {
        ...{ kind: 'This switch', title: label, reason },
        rows: [
          ['Networks', counted(tables.networks.size, 'network')],
          ['Ports', counted(tables.ports.size, 'port')],
          ['Stations', counted(tables.stations.size, 'station')],
          ['Neighbours', counted(tables.neighbors.size, 'neighbour')],
        ],
        ways: [['Health', hashOf('health')]],
      };
    case 'member':
      return memberFacts(of.node, node, tables);
    case 'network':
      return networkFacts(of.network, tables);
    case 'port':
      return portFacts(of.port, node, tables);
    case 'neighbor':
      return neighborFacts(of, tables);
    case 'station':
      return stationFacts(of.key, node, tables);
    case 'ports':
    case 'networks':
    case 'stations': {
      const where = of.kind === 'stations' ? [['Port', String(of.port)] as const] : [];
      const load = graph.links.find(({ to }) => to === node.id)?.bitRate ?? 0;
      return {
        ...{ kind: 'Group', title: label, reason },
        rows: [
          ...where,
          ...(note === '' ? [] : [['State', note] as const]),
          ...(load > 0 ? [['Load', bitRate(load)] as const] : []),
        ],
        ways:
          of.kind === 'stations'
            ? [['Stations', hashOf('stations', { port: of.port })]]
            : of.kind === 'ports'
              ? [['Ports', hashOf('ports', { find: of.network })]]
              : [['Networks', hashOf('networks')]],
      };
    }
  }
}

function networkFacts(network: string, tables: Tables): Facts | undefined {
  const entry = tables.networks.get(network);
  if (entry === undefined) return undefined;
  const tree = tables.trees.get(network);
  const isRoot = tree !== undefined && tree.rootId === tree.bridgeId;
  return {
    ...{ kind: 'Network', title: network, reason: '' },
    rows: [
      ['Ports', counted(entry.ports, 'port')],
      ['Addresses', counted(entry.addresses, 'address', 'addresses')],
      ...(tree === undefined
        ? [['Spanning tree', 'off'] as const]
        : [
            [
              'Root bridge',
              isRoot ? `${tree.rootId}, this switch` : `${tree.rootId}, by port ${rootPortOf(tree)}`,
            ] as const,
            ['Changes of the tree', String(tree.topologyChanges)] as const,
          ]),
    ],
    ways: [
      ['Networks', hashOf('networks', { network })],
      ['Events', hashOf('events', { network })],
    ],
  };
}

function memberFacts(member: string, { reason }: Node, tables: Tables): Facts {
  const ports = [...tables.ports.values()].filter(({ meshNode }) => meshNode === member);
  const numbers = new Set(ports.map(({ port }) => port));
  let stations = 0;
  for (const station of tables.stations.values()) if (numbers.has(station.port)) stations++;
  return {
    ...{ kind: 'Node of the cluster', title: member, reason },
    rows: [
      ...ports.map(
        ({ network, port, state, roundTripMs }) =>
          [
            `Network ${network}`,
            `port ${port}, ${state}${roundTripMs === null ? '' : `, ${milliseconds(roundTripMs)}`}`,
          ] as const,
      ),
      ['Receives', bitRate(ports.reduce((sum, { rxBitRate }) => sum + rxBitRate, 0))],
      ['Sends', bitRate(ports.reduce((sum, { txBitRate }) => sum + txBitRate, 0))],
      ['Stations', counted(stations, 'station')],
    ],
    ways: [
      ['Health', hashOf('health')],
      ...ports.slice(0, 1).map(({ port }) => ['Stations', hashOf('stations', { port })] as const),
    ],
  };
}

function portFacts(number: number, { reason }: Node, tables: Tables): Facts | undefined {
  const port = tables.ports.get(String(number));
  if (port === undefined) return undefined;
  const inTree = tables.treePorts.get(`${port.network}|${number}`);
  let stations = 0;
  for (const station of tables.stations.values()) if (station.port === number) stations++;
  return {
    ...{ kind: `Port ${number}, ${port.type}`, title: portLabel(port), reason },
    rows: [
      ['State', port.state],
      ['Target', port.target],
      ...(port.description === null ? [] : [['Description', port.description] as const]),
      ['Network', port.network],
      ['Receives', bitRate(port.rxBitRate)],
      ['Sends', bitRate(port.txBitRate)],
      ...(port.roundTripMs === null ? [] : [['Round trip', milliseconds(port.roundTripMs)] as const]),
      ...(inTree === undefined ? [] : [['Spanning tree', `${inTree.role}, ${inTree.state}`] as const]),
      ['Stations', counted(stations, 'station')],
    ],
    ways: [
      ['Port', hashOf('ports', { port: number })],
      ['Stations', hashOf('stations', { port: number })],
      ['Events', hashOf('events', { port: number })],
    ],
  };
}

function neighborFacts(of: { readonly network: string; readonly chassis: string }, tables: Tables): Facts | undefined {
  const all = [...tables.neighbors.values()].filter(
    ({ network, chassis }) => network === of.network && chassis === of.chassis,
  );
  const [first] = all;
  if (first === undefined) return undefined;
  return {
    ...{ kind: 'Neighbour, by LLDP', title: neighborLabel(first), reason: '' },
    rows: [
      ['Chassis', first.chassis],
      ...all.map(({ port, neighborPort }) => [`At port ${port}`, `its port ${neighborPort}`] as const),
      ...(first.systemDescription === null ? [] : [['Description', first.systemDescription] as const]),
      ['Capabilities', first.capabilities.join(', ') || 'none'],
      ['Management', first.managementAddresses.join(', ') || 'none'],
    ],
    ways: [['Port', hashOf('ports', { port: first.port })]],
  };
}

function stationFacts(key: string, { reason }: Node, tables: Tables): Facts | undefined {
  const station = tables.stations.get(key);
  if (station === undefined) return undefined;
  const { mac, addresses = [], vendor, hostname, port, vid, network, movedFrom } = station;
  return {
    ...{ kind: 'Station', title: stationLabel(station), reason },
    rows: [
      ['MAC address', mac],
      ...(hostname === null || hostname === undefined ? [] : [['Name', hostname] as const]),
      ...(vendor === null || vendor === undefined ? [] : [['Vendor', vendor] as const]),
      ...(addresses.length === 0 ? [] : [['IP addresses', addresses.join(', ')] as const]),
      ['VLAN', vid === 0 ? 'untagged' : String(vid)],
      ['Network', network],
      ['Port', String(port)],
      ...(movedFrom === null ? [] : [['Moved from', `port ${movedFrom}`] as const]),
    ],
    ways: [
      ['Station', hashOf('stations', { find: mac })],
      ['Port', hashOf('ports', { port })],
    ],
  };
}

/** With the node of the cluster that has it, if it is another one. */
function rootPortOf({
  rootPort,
  rootNode,
}: {
  readonly rootPort: number | null;
  readonly rootNode: string | null;
}): string {
  return rootNode === null ? `${rootPort ?? '?'}` : `${rootNode}/${rootPort}`;
}
