import { DEL_CLUSTER_NET, SET_CLUSTER_NET } from '../../control/cluster-entries.ts';
import { ADD_NET, DEL_NET } from '../../control/network-entries.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { type ConnectionOptions, gatherOptions } from './connection.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';
import { ALL_NETWORK_COLUMNS, NETWORK_COLUMNS, networkTable } from './network-table.ts';
import { sharedNetworkTable } from './nodes/shared-tables.ts';

/** `etherws ctl addnet`, `setnet`, `delnet` and `listnet`. */

export function addAddNet(ctl: Command, terminal: Terminal): void {
  addChange(ctl, terminal, 'addNet', 'add a network, which is isolated from all others', [
    'addnet lab',
    'addnet lab --ageout 60',
  ]);
}

export function addSetNet(ctl: Command, terminal: Terminal): void {
  addChange(ctl, terminal, 'setNet', 'change settings of a network', [
    'setnet lab --ageout 60',
    'setnet lab --ageout 0',
  ]);
}

function addChange(
  ctl: Command,
  terminal: Terminal,
  method: 'addNet' | 'setNet',
  description: string,
  examples: readonly string[],
): void {
  const shared = `--cluster ${examples[1]}`;
  const leaf = addLong(addLeaf(ctl, method.toLowerCase(), description, [...examples, shared])).argument(
    '<NAME>',
    ADD_NET.network.help,
  );
  addTableOptions(leaf, ADD_NET);
  if (method === 'setNet') addTableOptions(leaf, { revision: SET_CLUSTER_NET.revision });
  leaf.action((network: string, options: Record<string, unknown>, command: Command) => {
    const call = { params: { network, ...typedValues(SET_CLUSTER_NET, options) }, names: NAMES };
    if (!isShared(command)) return perform(command, terminal, { ...call, method, table: networkTable });
    const ofCluster = method === 'addNet' ? 'addClusterNet' : 'setClusterNet';
    return perform(command, terminal, { ...call, method: ofCluster, isOfCluster: true, table: sharedNetworkTable });
  });
}

const NAMES = typedNames(SET_CLUSTER_NET, [], { network: 'NAME' });

/** @throws UsageError for `--revision` of a network that is not the cluster's */
function isShared(command: Command): boolean {
  const { cluster, revision } = gatherOptions<ConnectionOptions & { readonly revision?: unknown }>(command);
  if (cluster !== true && revision !== undefined) {
    throw new UsageError('--revision is about a network of a cluster', 'Give --cluster, too');
  }
  return cluster === true;
}

export function addDelNet(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'delnet', 'remove a network, and print its last state; with --cluster its ports, too', [
    'delnet lab',
    'delnet lab --force',
    '--cluster delnet lab',
  ]);
  addTableOptions(addLong(leaf).argument('<NAME>', DEL_NET.network.help), DEL_NET);
  addTableOptions(leaf, { revision: DEL_CLUSTER_NET.revision });
  leaf.action((network: string, options: Record<string, unknown>, command: Command) => {
    if (isShared(command)) {
      const params = { network, ...typedValues(DEL_CLUSTER_NET, options) };
      const call = { params, names: typedNames(DEL_CLUSTER_NET, [], { network: 'NAME' }), table: sharedNetworkTable };
      return perform(command, terminal, { ...call, method: 'delClusterNet', isOfCluster: true });
    }
    return perform(command, terminal, {
      method: 'delNet',
      params: { network, ...typedValues(DEL_NET, options) },
      names: typedNames(DEL_NET, [], { network: 'NAME' }),
      table: networkTable,
    });
  });
}

export function addListNet(ctl: Command, terminal: Terminal): void {
  const description = 'list the networks with their ports and addresses';
  const examples = ['listnet', 'listnet --json', 'listnet --long --sort -ports'];
  addSelection(addLong(addLeaf(ctl, 'listnet', description, examples))).action((_options: object, command: Command) =>
    perform(command, terminal, {
      method: 'listNet',
      params: {},
      table: networkTable,
      columns: ALL_NETWORK_COLUMNS,
      short: NETWORK_COLUMNS,
    }),
  );
}
