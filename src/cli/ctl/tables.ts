import type { LogLevelEntry } from '../../control/log-level-entries.ts';
import type { EndpointEntry, FdbEntry, InterfaceEntry, PortEntry } from '../../control/schema.ts';
import { type Column, formatTable } from '../format.ts';
import { formatRate } from '../units.ts';

/**
 * The tables of `etherws ctl`. Without `--long` they have exactly the columns of
 * 1.x and one row for each entry, since scripts parse them by columns.
 * `--long` appends further columns. Only Description and Reason, the last ones, may contain spaces.
 */

/** The text of an empty cell, so that all rows have the same number of columns. */
const NONE = '-';

function word<Row>(title: string, cell: (row: Row) => string): Column<Row> {
  return { title, isNumber: false, cell };
}

function number<Row>(title: string, cell: (row: Row) => number): Column<Row> {
  return { title, isNumber: true, cell: (row) => cell(row).toString() };
}

/** Bits a second. */
function rate<Row>(title: string, value: (row: Row) => number): Column<Row> {
  return { title, isNumber: true, cell: (row) => formatRate(value(row)), value };
}

export const PORT_COLUMNS: readonly Column<PortEntry>[] = [
  number('Port', ({ port }) => port),
  word('Type', ({ type }) => type),
  word('State', ({ shut, state }) => (shut ? 'shut' : state)),
  number('RX', ({ rx }) => rx),
  number('TX', ({ tx }) => tx),
  word('Target', ({ target }) => target),
];

const PORT_DETAILS: readonly Column<PortEntry>[] = [
  word('Name', ({ name }) => name ?? NONE),
  word('Wire', ({ wire }) => wire ?? NONE),
  {
    title: 'RTT',
    isNumber: true,
    cell: ({ roundTripMs }) => (roundTripMs === null ? NONE : `${roundTripMs.toFixed(1)}ms`),
  },
  rate('RX-bit/s', ({ rxBitRate }) => rxBitRate),
  rate('TX-bit/s', ({ txBitRate }) => txBitRate),
  number('RX-Drops', ({ rxDiscards }) => sumOf(rxDiscards)),
  number('TX-Drops', ({ txDiscards }) => sumOf(txDiscards)),
  word('URL', ({ url }) => url ?? NONE),
  word('Config', ({ config }) => config ?? NONE),
  word('Network', ({ network }) => network),
  word('Description', ({ description }) => description ?? NONE),
  word('Reason', ({ reason, netns }) => reason ?? (netns === null ? NONE : `in network namespace ${netns}`)),
];

/** With those of `--long`. */
export const ALL_PORT_COLUMNS: readonly Column<PortEntry>[] = [...PORT_COLUMNS, ...PORT_DETAILS];

export function portTable(entries: readonly PortEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_PORT_COLUMNS : PORT_COLUMNS, entries);
}

function sumOf(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((sum, count) => sum + count, 0);
}

export const INTERFACE_COLUMNS: readonly Column<InterfaceEntry>[] = [
  number('Port', ({ port }) => port),
  word('Type', ({ type }) => type),
  word('Address', ({ address }) => address || NONE),
  word('Netmask', ({ netmask }) => netmask || NONE),
  number('MTU', ({ mtu }) => mtu),
  word('Target', ({ target }) => target),
];

const INTERFACE_DETAILS: readonly Column<InterfaceEntry>[] = [
  word('Name', ({ portName }) => portName ?? NONE),
  word('Netns', ({ netns }) => netns ?? NONE),
  word('Addresses', ({ addresses }) => addresses.join(',') || NONE),
];

/** With those of `--long`. */
export const ALL_INTERFACE_COLUMNS: readonly Column<InterfaceEntry>[] = [...INTERFACE_COLUMNS, ...INTERFACE_DETAILS];

export function interfaceTable(entries: readonly InterfaceEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_INTERFACE_COLUMNS : INTERFACE_COLUMNS, entries);
}

export const FDB_COLUMNS: readonly Column<FdbEntry>[] = [
  number('Port', ({ port }) => port),
  number('VLAN', ({ vid }) => vid),
  word('MAC', ({ mac }) => mac),
  number('Age', ({ age }) => age),
];

const FDB_DETAILS: readonly Column<FdbEntry>[] = [
  number('Moves', ({ moves }) => moves),
  word('From', ({ movedFrom }) => movedFrom?.toString() ?? NONE),
  word('Flapping', ({ flapping }) => (flapping ? 'yes' : 'no')),
  word('Name', ({ portName }) => portName ?? NONE),
  word('Network', ({ network }) => network),
  word('Kind', ({ kind }) => kind),
];

/** With those of `--long`. */
export const ALL_FDB_COLUMNS: readonly Column<FdbEntry>[] = [...FDB_COLUMNS, ...FDB_DETAILS];

export function fdbTable(entries: readonly FdbEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_FDB_COLUMNS : FDB_COLUMNS, entries);
}

const DOOR_COLUMNS: readonly Column<{ service: string; name: string; count: number }>[] = [
  word('Service', ({ service }) => service),
  word('Counter', ({ name }) => name),
  number('Count', ({ count }) => count),
];

const LOG_LEVEL_COLUMNS: readonly Column<LogLevelEntry>[] = [
  word('Room', ({ room }) => room),
  word('Level', ({ level }) => level),
];

export function logLevelTable(entries: readonly LogLevelEntry[]): string {
  return formatTable(LOG_LEVEL_COLUMNS, entries);
}

export function endpointTable(entries: readonly EndpointEntry[]): string {
  const rows = entries.flatMap(({ service, counters }) =>
    Object.entries(counters).map(([name, count]) => ({ service, name, count })),
  );
  return formatTable(DOOR_COLUMNS, rows);
}
