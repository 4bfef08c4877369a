import type { StationEntry } from '../../control/station-entries.ts';
import { OF_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { type Column, formatTable } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';

/** `etherws ctl liststation`. */

const NONE = '-';

function number(title: string, cell: (entry: StationEntry) => number | null): Column<StationEntry> {
  return { title, isNumber: true, cell: (entry) => cell(entry)?.toString() ?? NONE };
}

function word(title: string, cell: (entry: StationEntry) => string | null): Column<StationEntry> {
  return { title, isNumber: false, cell: (entry) => oneWord(cell(entry)) };
}

/** A text as one word, so that a script finds the columns. */
function oneWord(text: string | null): string {
  return text === null || text === '' ? NONE : text.replace(/\s+/g, '_');
}

const COLUMNS: readonly Column<StationEntry>[] = [
  number('Port', ({ port }) => port),
  number('VLAN', ({ vid }) => vid),
  word('MAC', ({ mac }) => mac),
  word('Host', ({ hostname }) => hostname),
  word('Addresses', ({ addresses }) => addresses.join(',')),
  number('Age', ({ age }) => age),
];

const ALL_COLUMNS: readonly Column<StationEntry>[] = [
  ...COLUMNS,
  word('Vendor', ({ vendor }) => vendor),
  word('Since', ({ since }) => since),
  number('Moves', ({ moves }) => moves),
  number('From', ({ movedFrom }) => movedFrom),
  word('Flapping', ({ flapping }) => (flapping ? 'yes' : 'no')),
  word('Name', ({ portName }) => portName),
  word('Network', ({ network }) => network),
  word('Kind', ({ kind }) => kind),
];

function stationTable(entries: readonly StationEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_COLUMNS : COLUMNS, entries);
}

export function addListStation(ctl: Command, terminal: Terminal): void {
  const description = 'list the stations with their IP addresses and names';
  const examples = [
    'liststation',
    'liststation --long',
    'liststation --filter port=2 --sort mac',
    'liststation --json',
  ];
  const leaf = addSelection(addLong(addLeaf(ctl, 'liststation', description, examples)));
  addTableOptions(leaf, OF_NETWORK);
  leaf.action((options: Readonly<Record<string, unknown>>, command: Command) =>
    perform(command, terminal, {
      method: 'listStation',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: stationTable,
      columns: ALL_COLUMNS,
      short: COLUMNS,
    }),
  );
}
