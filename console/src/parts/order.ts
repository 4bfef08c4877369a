/** What a column sorts by, and what a filter searches. */
export type CellValue = string | number | null;

export interface Sorting {
  readonly column: string;
  readonly isDescending: boolean;
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** Numbers by size, texts as people order them (`tap2` before `tap10`), absent values last. */
export function compareCells(one: CellValue, other: CellValue): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return COLLATOR.compare(String(one), String(other));
}

/**
 * Puts rows in order by a value of each, which is asked for once a row. Absent values stay last in both directions.
 * @param last the result for rows of before, which may be any: where most rows are at their places still, sorting what is
 *   nearly sorted takes linear time
 * @returns the places of the rows in `rows`, in order
 */
export function orderOf<Row>(
  rows: readonly Row[],
  cellOf: (row: Row) => CellValue,
  isDescending: boolean,
  last: readonly number[] = [],
): number[] {
  const values = rows.map(cellOf);
  const places = last.length === rows.length ? [...last] : last.filter((place) => place < rows.length);
  for (let place = last.length; place < rows.length; place++) places.push(place);
  const sign = isDescending ? -1 : 1;
  return places.sort((one, other) => {
    const [first, second] = [values[one] ?? null, values[other] ?? null];
    return (first !== null && second !== null ? sign : 1) * compareCells(first, second);
  });
}

/** Whether each word of `filter` is in one of the texts, in whatever case. */
export function matches(filter: string, texts: readonly CellValue[]): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const all = texts.map((text) => String(text ?? '').toLowerCase());
  return words.every((word) => all.some((text) => text.includes(word)));
}
