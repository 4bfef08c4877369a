import type { MdbEntry } from '../../control/multicast-entries.ts';
import { OF_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { type Column, formatTable } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';

const NONE = '-';

function number(title: string, cell: (entry: MdbEntry) => number | null): Column<MdbEntry> {
  return { title, isNumber: true, cell: (entry) => cell(entry)?.toString() ?? NONE };
}

function word(title: string, cell: (entry: MdbEntry) => string): Column<MdbEntry> {
  return { title, isNumber: false, cell };
}

const COLUMNS: readonly Column<MdbEntry>[] = [
  number('Port', ({ port }) => port),
  number('VLAN', ({ vid }) => vid),
  word('Kind', ({ kind }) => kind),
  word('Address', ({ address }) => address),
  word('Sources', sourcesOf),
  word('State', ({ state }) => state),
  number('Expires', ({ expires }) => expires),
];

const ALL_COLUMNS: readonly Column<MdbEntry>[] = [
  ...COLUMNS,
  word('Name', ({ portName }) => portName ?? NONE),
  word('Network', ({ network }) => network),
];

/** More sources than these are a number; `--json` has them all. */
const MOST_SHOWN = 3;

function sourcesOf({ filterMode, sourceList }: MdbEntry): string {
  if (filterMode === null) return NONE;
  const those = sourceList.filter(({ expires }) => filterMode === 'include' || expires === 0);
  const shown = those.slice(0, MOST_SHOWN).map(({ address }) => address);
  const list = [...shown, ...(those.length > MOST_SHOWN ? [`+${those.length - MOST_SHOWN}`] : [])].join(',');
  if (filterMode === 'include') return list;
  return list === '' ? 'all' : `all but ${list}`;
}

export function mdbTable(entries: readonly MdbEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_COLUMNS : COLUMNS, entries);
}

export function addListMdb(ctl: Command, terminal: Terminal): void {
  const description = 'list members of multicast groups, router ports and queriers';
  const examples = [
    'listmdb',
    'listmdb --json',
    'listmdb --filter kind=member --sort vlan,address',
    'listmdb --net lab',
  ];
  const leaf = addSelection(addLong(addLeaf(ctl, 'listmdb', description, examples)));
  addTableOptions(leaf, OF_NETWORK);
  leaf.action((options: Readonly<Record<string, unknown>>, command: Command) =>
    perform(command, terminal, {
      method: 'listMdb',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: mdbTable,
      columns: ALL_COLUMNS,
      short: COLUMNS,
    }),
  );
}
