import { CHANGE_MDB } from '../../control/multicast-entries.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { mdbTable } from './list-mdb.ts';

/** `etherws ctl addmdb` and `delmdb`. */

export function addAddMdb(ctl: Command, terminal: Terminal): void {
  const description = 'make a port a member of a multicast group, whatever its hosts say';
  addChange(ctl, terminal, 'addMdb', description, [
    'addmdb 239.1.2.3 3',
    'addmdb ff05::5 uplink --vid 10',
    'addmdb 232.1.2.3 3 --source 192.0.2.1',
  ]);
}

export function addDelMdb(ctl: Command, terminal: Terminal): void {
  const description = 'end the membership of a port in a multicast group, set or heard';
  addChange(ctl, terminal, 'delMdb', description, ['delmdb 239.1.2.3 3', 'delmdb ff05::5 uplink --vid 10']);
}

function addChange(
  ctl: Command,
  terminal: Terminal,
  method: 'addMdb' | 'delMdb',
  description: string,
  examples: readonly string[],
): void {
  const leaf = addLeaf(ctl, method.toLowerCase(), description, examples)
    .argument('<GROUP>', CHANGE_MDB.group.help)
    .argument('<PORT>', CHANGE_MDB.port.help);
  addTableOptions(addLong(leaf), CHANGE_MDB);
  leaf.action((group: string, port: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method,
      params: { group, port, ...typedValues(CHANGE_MDB, options) },
      names: typedNames(CHANGE_MDB, []),
      table: mdbTable,
    }),
  );
}
