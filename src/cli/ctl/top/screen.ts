import { type Column, escapeCell } from '../../format.ts';
import { formatRate } from '../../units.ts';
import { HISTORY, type PortRate } from './rates.ts';
import { type SortOrder, sorted, sparkline, TOP_COLUMNS } from './top-table.ts';

/** One picture of `etherws ctl top`: lines that fit the terminal. No I/O. */

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The content of a picture. */
export interface View {
  readonly sort: SortOrder;
  /** the index of the first port on the screen */
  readonly offset: number;
  /** the address of the switch */
  readonly title: string;
  /** why the last call failed; undefined while the switch answers */
  readonly problem: string | undefined;
  /** default: those of one switch */
  readonly columns?: readonly Column<PortRate>[];
  /** what each node of a cluster moves, behind the totals */
  readonly nodes?: string;
}

/** Lines beside the ports: title, totals, heads of the columns, and keys. */
const FRAME_LINES = 4;
const REVERSE = '\x1b[7m';
const NORMAL = '\x1b[m';

/** The number of ports that fit. */
export function portLines({ rows }: Size): number {
  return Math.max(0, rows - FRAME_LINES);
}

/** The highest useful offset. */
export function lastOffset(ports: number, size: Size): number {
  return Math.max(0, ports - portLines(size));
}

/** @returns at most `size.rows` lines of at most `size.columns` characters, escape sequences not counted */
export function picture(ports: readonly PortRate[], view: View, size: Size): string[] {
  const { columns } = size;
  const sum = (value: (port: PortRate) => number): string =>
    formatRate(ports.reduce((total, port) => total + value(port), 0));
  const totals =
    `${ports.length} ports, ${ports.filter(({ entry }) => entry.state === 'up').length} up; ` +
    `received ${sum(({ rxBits }) => rxBits)}bit/s, sent ${sum(({ txBits }) => txBits)}bit/s, ` +
    `dropped ${sum(({ discards }) => discards)}/s${view.nodes === undefined ? '' : `; ${view.nodes}`}`;
  const shown = sorted(ports, view.sort, view.columns).slice(view.offset, view.offset + portLines(size));
  const [head = '', ...lines] = tableLines(shown, view.sort, view.columns ?? TOP_COLUMNS);
  const screen = [
    cut(escapeCell(view.problem === undefined ? view.title : `${view.title}: ${view.problem}`), columns),
    cut(escapeCell(totals), columns),
    `${REVERSE}${cut(head, columns).padEnd(columns)}${NORMAL}`,
    ...lines.map((line) => cut(line, columns)),
  ].slice(0, Math.max(0, size.rows - 1));
  const keys = 'q quit  s sort by next column  r reverse  up/down, PgUp/PgDn scroll';
  while (screen.length < size.rows - 1) screen.push('');
  return size.rows === 0 ? [] : [...screen, cut(keys, columns)];
}

/** The head and one line for each port, with the sparkline before the target. */
function tableLines(ports: readonly PortRate[], sort: SortOrder, columns: readonly Column<PortRate>[]): string[] {
  const titles = columns.map(({ title }, index) =>
    index === sort.column ? `${title}${sort.isDescending ? '-' : '+'}` : title,
  );
  const rows = ports.map((port) => columns.map(({ cell }) => escapeCell(cell(port))));
  const widths = titles.map((title, index) =>
    rows.reduce((width, row) => Math.max(width, row[index]?.length ?? 0), title.length),
  );
  const join = (cells: readonly string[], past: string): string => {
    const padded = cells.map((cell, index) => {
      const width = widths[index] ?? 0;
      return columns[index]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return [...padded.slice(0, -1), past, padded.at(-1) ?? ''].join(' ').trimEnd();
  };
  return [
    join(titles, 'Past'.padEnd(HISTORY)),
    ...rows.map((row, index) => join(row, sparkline(ports[index]?.history ?? []))),
  ];
}

/** Cuts by characters, since each character of a line takes one column. */
function cut(line: string, columns: number): string {
  return line.length > columns ? line.slice(0, columns) : line;
}

/** The text that paints the lines over the last picture: one write, without clearing, since that would flicker. */
export function paint(lines: readonly string[]): string {
  // For each line CUP, the line, and EL for the rest of it; at last ED for the lines below.
  return `${lines.map((line, index) => `\x1b[${index + 1};1H${line}\x1b[K`).join('')}\x1b[J`;
}
