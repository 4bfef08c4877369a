import type { DoorEntry, FdbEntry, InterfaceEntry, PortEntry } from '../../control/schema.ts';
import { type Column, formatTable } from '../format.ts';

/** The lists that `etherws ctl` prints, with the columns of 1.x. */

function word<Row>(title: string, cell: (row: Row) => string): Column<Row> {
  return { title, isNumber: false, cell };
}

function number<Row>(title: string, cell: (row: Row) => number | undefined): Column<Row> {
  return { title, isNumber: true, cell: (row) => cell(row)?.toString() ?? '' };
}

const PORT_COLUMNS: readonly Column<PortEntry>[] = [
  number('Port', ({ port }) => port),
  word('Type', ({ type }) => type),
  word('State', ({ shut, state }) => (shut ? 'shut' : state)),
  number('RX', ({ rx }) => rx),
  number('TX', ({ tx }) => tx),
  word('Target', targetWithNotes),
];

/** What 1.x did not know stands behind the target, so that none of its columns moves. */
function targetWithNotes({ target, reason, wire, roundTripMs, url }: PortEntry): string {
  const facts = [url, wire, roundTripMs === null ? null : `${roundTripMs.toFixed(1)} ms`];
  const notes = (reason === null ? facts : [reason]).filter((note) => note !== null);
  return notes.length === 0 ? target : `${target}  (${notes.join(', ')})`;
}

export function portTable(entries: readonly PortEntry[]): string {
  return formatTable(PORT_COLUMNS, entries);
}

/** A line of listif: an interface with its primary address, or one more address of the interface above. */
interface InterfaceLine {
  readonly entry?: InterfaceEntry;
  readonly address: string;
}

const INTERFACE_COLUMNS: readonly Column<InterfaceLine>[] = [
  number('Port', ({ entry }) => entry?.port),
  word('Type', ({ entry }) => entry?.type ?? ''),
  word('Address', ({ address }) => address),
  word('Netmask', ({ entry }) => (entry === undefined ? '' : (entry.netmask ?? NONE))),
  number('MTU', ({ entry }) => entry?.mtu),
  word('Target', ({ entry }) => entry?.target ?? ''),
];

const NONE = '-';

export function interfaceTable(entries: readonly InterfaceEntry[]): string {
  return formatTable(INTERFACE_COLUMNS, entries.flatMap(interfaceLines));
}

function interfaceLines(entry: InterfaceEntry): InterfaceLine[] {
  const primary = entry.addresses.findIndex((address) => address.split('/', 1)[0] === entry.address);
  const others = entry.addresses.filter((_, index) => index !== primary);
  return [{ entry, address: entry.address ?? NONE }, ...others.map((address) => ({ address }))];
}

const FDB_COLUMNS: readonly Column<FdbEntry>[] = [
  number('Port', ({ port }) => port),
  number('VLAN', ({ vid }) => vid),
  word('MAC', ({ mac }) => mac),
  number('Age', ({ age }) => age),
];

export function fdbTable(entries: readonly FdbEntry[]): string {
  return formatTable(FDB_COLUMNS, entries);
}

const DOOR_COLUMNS: readonly Column<{ service: string; name: string; count: number }>[] = [
  word('Service', ({ service }) => service),
  word('Counter', ({ name }) => name),
  number('Count', ({ count }) => count),
];

export function doorTable(entries: readonly DoorEntry[]): string {
  const rows = entries.flatMap(({ service, counters }) =>
    Object.entries(counters).map(([name, count]) => ({ service, name, count })),
  );
  return formatTable(DOOR_COLUMNS, rows);
}
