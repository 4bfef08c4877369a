import { closestWord } from '../../../schema/closest-word.ts';
import { type Column, formatTable } from '../../format.ts';
import { formatRate } from '../../units.ts';
import { UsageError } from '../../usage-error.ts';
import { HISTORY, nodeOf, type PortRate } from './rates.ts';

/** The columns and the sort order of `etherws ctl top`. */

const BARS = '▁▂▃▄▅▆▇█';

function rate(title: string, value: (row: PortRate) => number): Column<PortRate> {
  return { title, isNumber: true, cell: (row) => formatRate(value(row)), value };
}

export const TOP_COLUMNS: readonly Column<PortRate>[] = [
  { title: 'Port', isNumber: true, cell: ({ entry }) => String(entry.port), value: ({ entry }) => entry.port },
  { title: 'Name', isNumber: false, cell: ({ entry }) => entry.name ?? '-' },
  { title: 'State', isNumber: false, cell: ({ entry }) => (entry.shut ? 'shut' : entry.state) },
  rate('RX-bit/s', ({ rxBits }) => rxBits),
  rate('TX-bit/s', ({ txBits }) => txBits),
  rate('RX-frame/s', ({ rxFrames }) => rxFrames),
  rate('TX-frame/s', ({ txFrames }) => txFrames),
  rate('Drop/s', ({ discards }) => discards),
  {
    title: 'RTT',
    isNumber: true,
    cell: ({ entry: { roundTripMs } }) => (roundTripMs === null ? '-' : `${roundTripMs.toFixed(1)}ms`),
    value: ({ entry }) => entry.roundTripMs ?? -1,
  },
  { title: 'Network', isNumber: false, cell: ({ entry }) => entry.network },
  { title: 'Target', isNumber: false, cell: ({ entry }) => entry.target },
];

/** Those of the ports of all nodes of a cluster. */
const CLUSTER_COLUMNS: readonly Column<PortRate>[] = [{ title: 'Node', isNumber: false, cell: nodeOf }, ...TOP_COLUMNS];

export function topColumns(isCluster: boolean): readonly Column<PortRate>[] {
  return isCluster ? CLUSTER_COLUMNS : TOP_COLUMNS;
}

/** Default of `--sort`: a column, after `-` for the highest value first. */
export const DEFAULT_SORT = '-rx-bit/s';

export interface SortOrder {
  /** index in the columns */
  readonly column: number;
  readonly isDescending: boolean;
}

/** @throws UsageError for a column that the table does not have */
export function readSort(text: string, columns: readonly Column<PortRate>[] = TOP_COLUMNS): SortOrder {
  const isDescending = text.startsWith('-');
  const title = (isDescending ? text.slice(1) : text).toLowerCase();
  const titles = columns.map((column) => column.title.toLowerCase());
  const column = titles.indexOf(title);
  if (column >= 0) return { column, isDescending };
  const meant = closestWord(title, titles);
  const hint = meant === undefined ? `There are ${titles.join(', ')}` : `Did you mean ${meant}?`;
  throw new UsageError(`--sort: there is no column '${title}'`, hint);
}

export function sorted(
  rows: readonly PortRate[],
  { column, isDescending }: SortOrder,
  columns: readonly Column<PortRate>[] = TOP_COLUMNS,
): PortRate[] {
  const { cell, value } = columns[column] as Column<PortRate>;
  const compare = (a: PortRate, b: PortRate): number => {
    if (value !== undefined) return value(a) - value(b);
    return cell(a) < cell(b) ? -1 : Number(cell(a) > cell(b));
  };
  return rows.toSorted((a, b) => (isDescending ? -1 : 1) * compare(a, b) || a.entry.port - b.entry.port);
}

/** One table, for an output that is no terminal. */
export function plainTable(rows: readonly PortRate[], columns: readonly Column<PortRate>[] = TOP_COLUMNS): string {
  return formatTable(columns, rows);
}

/** The past rates of a port as bars, one character for each snapshot; the tallest bar is the port's own maximum. */
export function sparkline(history: readonly number[]): string {
  const highest = Math.max(...history, 0);
  const bars = history.map((value) => {
    if (highest === 0) return BARS[0];
    return BARS[Math.min(BARS.length - 1, Math.floor((value / highest) * BARS.length))];
  });
  return bars.join('').padStart(HISTORY);
}
