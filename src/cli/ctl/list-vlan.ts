import type { VlanEntry } from '../../control/vlan-entries.ts';
import { OF_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { type Column, formatTable } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';

/** `etherws ctl listvlan`. */

const COLUMNS: readonly Column<VlanEntry>[] = [
  { title: 'VID', isNumber: true, cell: ({ vid }) => vid.toString() },
  { title: 'Tagged', isNumber: false, cell: ({ tagged }) => tagged.join(',') || '-' },
  { title: 'Untagged', isNumber: false, cell: ({ untagged }) => untagged.join(',') || '-' },
  { title: 'Addresses', isNumber: true, cell: ({ addresses }) => addresses.toString() },
];

/** With those of `--long`. */
const ALL_COLUMNS: readonly Column<VlanEntry>[] = [
  ...COLUMNS,
  { title: 'Network', isNumber: false, cell: ({ network }) => network },
];

export function vlanTable(entries: readonly VlanEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_COLUMNS : COLUMNS, entries);
}

export function addListVlan(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'listvlan', 'list the VLANs in use, with their ports; 0: frames without a VLAN', [
    'listvlan',
    'listvlan --net lab --long',
    'listvlan --json',
  ]);
  addTableOptions(addSelection(addLong(leaf)), OF_NETWORK);
  leaf.action((options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'listVlan',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: vlanTable,
      columns: ALL_COLUMNS,
      short: COLUMNS,
    }),
  );
}
