import { ADD_NET, DEL_NET } from '../../control/network-entries.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';
import { ALL_NETWORK_COLUMNS, networkTable } from './network-table.ts';

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
  const leaf = addLong(addLeaf(ctl, method.toLowerCase(), description, examples)).argument(
    '<NAME>',
    ADD_NET.network.help,
  );
  addTableOptions(leaf, ADD_NET);
  leaf.action((network: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method,
      params: { network, ...typedValues(ADD_NET, options) },
      names: typedNames(ADD_NET, [], { network: 'NAME' }),
      table: networkTable,
    }),
  );
}

export function addDelNet(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'delnet', 'remove a network, and print its last state', [
    'delnet lab',
    'delnet lab --force',
  ]);
  addTableOptions(addLong(leaf).argument('<NAME>', DEL_NET.network.help), DEL_NET);
  leaf.action((network: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'delNet',
      params: { network, ...typedValues(DEL_NET, options) },
      names: typedNames(DEL_NET, [], { network: 'NAME' }),
      table: networkTable,
    }),
  );
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
    }),
  );
}
