import { ADD_FDB, DEL_FDB, FLUSH_FDB, type FlushEntry } from '../../control/fdb-entries.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { fdbTable } from './tables.ts';

/** `etherws ctl addfdb`, `delfdb` and `flushfdb`. */

export function addAddFdb(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'addfdb', 'set an address at a port, which it keeps', [
    'addfdb 02:00:00:00:00:01 2',
    'addfdb 02:00:00:00:00:01 uplink --vid 10 --sticky',
  ])
    .argument('<MAC>', ADD_FDB.mac.help)
    .argument('<PORT>', ADD_FDB.port.help);
  addTableOptions(addLong(leaf), ADD_FDB);
  leaf.action((mac: string, port: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'addFdb',
      params: { mac, port, ...typedValues(ADD_FDB, options) },
      names: typedNames(ADD_FDB, []),
      table: fdbTable,
    }),
  );
}

export function addDelFdb(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'delfdb', 'remove an address, set or learned', [
    'delfdb 02:00:00:00:00:01',
    'delfdb 02:00:00:00:00:01 --vid 10',
  ]).argument('<MAC>', DEL_FDB.mac.help);
  addTableOptions(addLong(leaf), DEL_FDB);
  leaf.action((mac: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'delFdb',
      params: { mac, ...typedValues(DEL_FDB, options) },
      names: typedNames(DEL_FDB, []),
      table: fdbTable,
    }),
  );
}

export function addFlushFdb(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'flushfdb', 'forget the learned addresses', ['flushfdb', 'flushfdb --port 2 --vid 10']);
  addTableOptions(leaf, FLUSH_FDB);
  leaf.action((options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'flushFdb',
      params: typedValues(FLUSH_FDB, options),
      names: typedNames(FLUSH_FDB, []),
      table: removedLine,
    }),
  );
}

function removedLine([entry]: readonly FlushEntry[]): string {
  const removed = entry?.removed ?? 0;
  return `${removed} ${removed === 1 ? 'address' : 'addresses'} forgotten\n`;
}
