import type { NeighborEntry } from '../../control/neighbor-entries.ts';
import { OF_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { type Column, formatTable } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';

/** `etherws ctl listneighbor`. */

const word = (title: string, cell: (entry: NeighborEntry) => string): Column<NeighborEntry> => ({
  title,
  isNumber: false,
  cell,
});
const number = (title: string, cell: (entry: NeighborEntry) => number): Column<NeighborEntry> => ({
  title,
  isNumber: true,
  cell: (entry) => cell(entry).toString(),
});

/** A neighbour's text as one word, so that a script finds the columns. */
function oneWord(text: string | null): string {
  return text === null || text === '' ? '-' : text.replace(/\s+/g, '_');
}

const COLUMNS: readonly Column<NeighborEntry>[] = [
  number('Port', ({ port }) => port),
  word('System', ({ system }) => oneWord(system)),
  word('Chassis', ({ chassis }) => oneWord(chassis)),
  word('Neighbor-Port', ({ neighborPort }) => oneWord(neighborPort)),
  number('TTL', ({ ttl }) => ttl),
];

const DETAILS: readonly Column<NeighborEntry>[] = [
  word('Name', ({ portName }) => portName ?? '-'),
  word('Network', ({ network }) => network),
  number('Age', ({ age }) => age),
  word('Capabilities', ({ capabilities }) => capabilities.join(',') || '-'),
  word('Management', ({ managementAddresses }) => managementAddresses.join(',') || '-'),
  word('PVID', ({ portVlanId }) => portVlanId?.toString() ?? '-'),
  word('Neighbor-Port-Description', ({ neighborPortDescription }) => oneWord(neighborPortDescription)),
  word('System-Description', ({ systemDescription }) => systemDescription ?? '-'),
];

/** With those of `--long`. */
const ALL_COLUMNS: readonly Column<NeighborEntry>[] = [...COLUMNS, ...DETAILS];

export function neighborTable(entries: readonly NeighborEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_COLUMNS : COLUMNS, entries);
}

export function addListNeighbor(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'listneighbor', 'list the neighbours of the ports, by LLDP', [
    'listneighbor',
    'listneighbor --net lab --long',
    'listneighbor --json',
  ]);
  addTableOptions(addSelection(addLong(leaf)), OF_NETWORK);
  leaf.action((options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'listNeighbor',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: neighborTable,
      columns: ALL_COLUMNS,
      short: COLUMNS,
    }),
  );
}
