import { OF_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { stpTable } from './stp-table.ts';

/** `etherws ctl liststp`. */
export function addListStp(ctl: Command, terminal: Terminal): void {
  const description = 'list the spanning trees: root, and roles and states of ports';
  const leaf = addLong(addLeaf(ctl, 'liststp', description, ['liststp', 'liststp --net lab', 'liststp --long']));
  addTableOptions(leaf, OF_NETWORK);
  leaf.action((options: Readonly<Record<string, unknown>>, command: Command) =>
    perform(command, terminal, {
      method: 'listStp',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: stpTable,
    }),
  );
}
