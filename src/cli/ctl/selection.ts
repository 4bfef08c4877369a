import { closestWord } from '../../schema/closest-word.ts';
import type { Column } from '../format.ts';
import { UsageError } from '../usage-error.ts';

/** `--filter` and `--sort`: selects and orders the entries of a table by titles of columns. Loaded only on use. */

/** The values as typed. */
export interface SelectionOptions {
  readonly filter?: readonly string[];
  readonly sort?: string;
}

/**
 * @param columns all columns of the table, those of `--long` too
 * @returns the chosen entries, in their order
 * @throws UsageError for a column that the table does not have
 */
export function selected<Row>(
  entries: readonly Row[],
  columns: readonly Column<Row>[],
  { filter = [], sort }: SelectionOptions,
): Row[] {
  const conditions = filter.map((text) => {
    const [, title = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (title === '') throw new UsageError(`--filter: '${text}' is not COLUMN=VALUE`, 'Write it as state=up');
    return { column: columnOf(columns, title, '--filter'), value };
  });
  const orders = (sort?.split(',') ?? []).map((text) => {
    const isDescending = text.startsWith('-');
    return { column: columnOf(columns, isDescending ? text.slice(1) : text, '--sort'), sign: isDescending ? -1 : 1 };
  });
  const rows = entries.filter((entry) => conditions.every(({ column, value }) => column.cell(entry) === value));
  return rows.sort((one, other) => {
    for (const { column, sign } of orders) {
      const order =
        column.value === undefined
          ? compare(column.cell(one), column.cell(other), column.isNumber)
          : column.value(one) - column.value(other);
      if (order !== 0) return sign * order;
    }
    return 0;
  });
}

function columnOf<Row>(columns: readonly Column<Row>[], title: string, option: string): Column<Row> {
  const found = columns.find((column) => column.title.toLowerCase() === title.toLowerCase());
  if (found !== undefined) return found;
  const titles = columns.map((column) => column.title.toLowerCase());
  const meant = closestWord(title.toLowerCase(), titles);
  const hint = meant === undefined ? `There are ${titles.join(', ')}` : `Did you mean ${meant}?`;
  throw new UsageError(`${option}: there is no column '${title}'`, hint);
}

/** Numbers by their value, words by their characters; a cell without a number, `-`, comes first. */
function compare(one: string, other: string, isNumber: boolean): number {
  if (isNumber) {
    const [a, b] = [Number.parseFloat(one), Number.parseFloat(other)];
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
    return a - b;
  }
  return one < other ? -1 : Number(one > other);
}
