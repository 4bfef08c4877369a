import type { TreePort } from '../bridge/spanning-tree/tree-port.ts';
import type { BridgeVariables } from '../bridge/spanning-tree/variables.ts';
import type { Switch } from '../networks/switch.ts';
import { type Family, labelsOf, type Sample } from './exposition.ts';

type Head = Omit<Family, 'samples'>;

/** The metrics of the spanning trees, of each network with one. */
export function spanningTreeFamilies(etherSwitch: Pick<Switch, 'networks'>): Family[] {
  const ofTrees = (head: Head, value: (bridge: Readonly<BridgeVariables>) => number): Family => ({
    ...head,
    *samples() {
      for (const { name, entities } of etherSwitch.networks) {
        const tree = entities.spanningTree.tree?.tree;
        if (tree !== undefined) yield { labels: labelsOf({ network: name }), value: value(tree.bridge) };
      }
    },
  });
  const ofPorts = (head: Head, values: (port: TreePort) => Iterable<readonly [Labels, number]>): Family => ({
    ...head,
    *samples(): Iterable<Sample> {
      for (const { name, entities } of etherSwitch.networks) {
        for (const port of entities.spanningTree.tree?.tree.ports.values() ?? []) {
          for (const [labels, value] of values(port)) {
            yield { labels: labelsOf({ network: name, port: port.number, ...labels }), value };
          }
        }
      }
    },
  });
  return [
    ofTrees(
      { name: 'etherws_stp_root', type: 'gauge', help: 'Whether this bridge is the root of its spanning tree' },
      ({ rootPort, remoteRoot }) => Number(rootPort === undefined && remoteRoot === undefined),
    ),
    ofTrees(
      { name: 'etherws_stp_root_path_cost', type: 'gauge', help: 'Cost of the way to the root' },
      ({ rootPriority }) => rootPriority.rootPathCost,
    ),
    ofTrees(
      { name: 'etherws_stp_topology_changes', type: 'counter', help: 'Topology changes detected or told of' },
      ({ topologyChanges }) => topologyChanges,
    ),
    ofPorts(
      {
        name: 'etherws_stp_port_state',
        type: 'gauge',
        help: 'Role and state of a port in its spanning tree: always 1',
      },
      ({ role, state }) => [[{ role, state }, 1]],
    ),
    ofPorts({ name: 'etherws_stp_port_path_cost', type: 'gauge', help: 'Path cost of a port' }, ({ portPathCost }) => [
      [{}, portPathCost],
    ]),
    ofPorts({ name: 'etherws_stp_rx_bpdus', type: 'counter', help: 'BPDUs received, by type' }, ({ received }) =>
      byType(received),
    ),
    ofPorts({ name: 'etherws_stp_tx_bpdus', type: 'counter', help: 'BPDUs sent, by type' }, ({ transmitted }) =>
      byType(transmitted),
    ),
    ofPorts(
      { name: 'etherws_stp_guard_tripped', type: 'gauge', help: 'Whether the BPDU guard has disabled a port' },
      ({ isGuardTripped }) => [[{}, Number(isGuardTripped)]],
    ),
  ];
}

type Labels = Readonly<Record<string, string>>;

function byType(counters: object): [Labels, number][] {
  return Object.entries(counters).map(([type, count]) => [{ type }, count as number]);
}
