import type { StatusEntry } from '../../../control/schema.ts';
import { type Column, formatTable } from '../../format.ts';
import { formatMs, formatOctets, formatSeconds } from '../../units.ts';
import type { OfNode } from './answers.ts';

/** The table of `etherws ctl --cluster status`: a row for each node, and one with the sums. */

interface Row {
  readonly node: string;
  readonly version: string;
  readonly uptime: string;
  readonly ports: number;
  readonly up: number;
  readonly dialled: number;
  readonly accepted: number;
  readonly addresses: number;
  readonly memory: string;
  readonly loop: string;
  readonly faults: number;
}

const NONE = '-';

function word(title: string, cell: (row: Row) => string): Column<Row> {
  return { title, isNumber: false, cell };
}

function number(title: string, cell: (row: Row) => number): Column<Row> {
  return { title, isNumber: true, cell: (row) => cell(row).toString() };
}

const COLUMNS: readonly Column<Row>[] = [
  word('Node', ({ node }) => node),
  word('Version', ({ version }) => version),
  word('Up-For', ({ uptime }) => uptime.replaceAll(' ', '_')),
  number('Ports', ({ ports }) => ports),
  number('Up', ({ up }) => up),
  number('Dialled', ({ dialled }) => dialled),
  number('Accepted', ({ accepted }) => accepted),
  number('Addresses', ({ addresses }) => addresses),
  word('Memory', ({ memory }) => memory.replaceAll(' ', '_')),
  word('Loop', ({ loop }) => loop.replaceAll(' ', '_')),
  number('Faults', ({ faults }) => faults),
];

export function clusterStatusTable(entries: readonly OfNode<StatusEntry>[]): string {
  const rows = entries.map(rowOf);
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const all: Row = {
    ...{ node: 'all', version: NONE, uptime: NONE, loop: NONE },
    ports: sum(({ ports }) => ports),
    up: sum(({ up }) => up),
    dialled: sum(({ dialled }) => dialled),
    accepted: sum(({ accepted }) => accepted),
    addresses: sum(({ addresses }) => addresses),
    memory: formatOctets(entries.reduce((total, { memory }) => total + memory.residentBytes, 0)),
    faults: sum(({ faults }) => faults),
  };
  return formatTable(COLUMNS, rows.length > 1 ? [...rows, all] : rows);
}

function rowOf(entry: OfNode<StatusEntry>): Row {
  const { node, version, uptimeSeconds, ports, tunnels, fdb, memory, eventLoop, faults } = entry;
  const { up = 0 } = ports;
  return {
    ...{ node, version, up },
    uptime: formatSeconds(uptimeSeconds),
    ports: Object.values(ports).reduce((total, count) => total + count, 0),
    dialled: tunnels.dialled,
    accepted: tunnels.accepted,
    addresses: fdb.addresses,
    memory: formatOctets(memory.residentBytes),
    loop: formatMs(eventLoop.p99Ms),
    faults: faults.length,
  };
}
