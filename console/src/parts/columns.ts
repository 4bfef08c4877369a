import type { ComponentChildren } from 'preact';
import type { CellValue } from './order.ts';

/** A column of a `Table`. */
export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** a track of the grid, such as `6rem` or `minmax(8rem, 1fr)` */
  readonly width: string;
  /** the room, such as `26rem`, below which columns with a rank are left out for this one; default: the least of `width` */
  readonly wants?: string;
  /** what it sorts by and is searched in; without it the column cannot be sorted */
  readonly value?: (row: Row) => CellValue;
  /** what is shown; default: `value` */
  readonly cell?: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
  /** left out where there is no room for all columns: those of the highest rank first; default 0: never */
  readonly rank?: number;
}

/** The height of a row in px, as `--row` in tokens.css. */
export const ROW_PX = 32;
