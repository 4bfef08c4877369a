import { escapeCell } from '../../format.ts';
import { formatRate } from '../../units.ts';
import { HISTORY, type PortRate } from './rates.ts';
import { type SortOrder, sorted, sparkline, TOP_COLUMNS } from './top-table.ts';

/** One picture of `etherws ctl top`: lines that fit the terminal. Pure. */

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What is shown. */
export interface View {
  readonly sort: SortOrder;
  /** the row of the list that is the first one on the screen */
  readonly offset: number;
  /** where the switch is */
  readonly title: string;
  /** why there is nothing new; undefined while the switch answers */
  readonly problem: string | undefined;
}

/** Title, totals, heads of the columns, and the line of keys. */
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
    `dropped ${sum(({ discards }) => discards)}/s`;
  const shown = sorted(ports, view.sort).slice(view.offset, view.offset + portLines(size));
  const [head = '', ...lines] = tableLines(shown, view.sort);
  const screen = [
    cut(escapeCell(view.problem === undefined ? view.title : `${view.title}: ${view.problem}`), columns),
    cut(totals, columns),
    `${REVERSE}${cut(head, columns).padEnd(columns)}${NORMAL}`,
    ...lines.map((line) => cut(line, columns)),
  ].slice(0, Math.max(0, size.rows - 1));
  const keys = 'q quit  s sort by next column  r reverse  up/down, PgUp/PgDn scroll';
  while (screen.length < size.rows - 1) screen.push('');
  return size.rows === 0 ? [] : [...screen, cut(keys, columns)];
}

/** The head and a line a port, with the sparkline in front of the target. */
function tableLines(ports: readonly PortRate[], sort: SortOrder): string[] {
  const titles = TOP_COLUMNS.map(({ title }, index) =>
    index === sort.column ? `${title}${sort.isDescending ? '-' : '+'}` : title,
  );
  const rows = ports.map((port) => TOP_COLUMNS.map(({ cell }) => escapeCell(cell(port))));
  const widths = titles.map((title, index) =>
    rows.reduce((width, row) => Math.max(width, row[index]?.length ?? 0), title.length),
  );
  const join = (cells: readonly string[], past: string): string => {
    const padded = cells.map((cell, index) => {
      const width = widths[index] ?? 0;
      return TOP_COLUMNS[index]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return [...padded.slice(0, -1), past, padded.at(-1) ?? ''].join(' ').trimEnd();
  };
  return [
    join(titles, 'Past'.padEnd(HISTORY)),
    ...rows.map((row, index) => join(row, sparkline(ports[index]?.history ?? []))),
  ];
}

/** All characters of a line take one column. */
function cut(line: string, columns: number): string {
  return line.length > columns ? line.slice(0, columns) : line;
}

/** The octets that paint the lines over whatever stands there: one write, and nothing is cleared first. */
export function paint(lines: readonly string[]): string {
  // CUP to the line, the line, EL to its end; at last ED for what a larger screen has below.
  return `${lines.map((line, index) => `\x1b[${index + 1};1H${line}\x1b[K`).join('')}\x1b[J`;
}
