import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useMemo, useRef } from 'preact/hooks';
import { type Column, ROW_PX } from './columns.ts';
import { fittingColumns } from './fitting-columns.ts';
import { Icon } from './icon.tsx';
import { matches, orderOf, type Sorting } from './order.ts';
import { TableRow } from './table-row.tsx';
import './table.css';

export interface TableProps<Row> {
  /** what the rows are, for screen readers */
  readonly label: string;
  /** made once: another list is taken for other columns, and all rows are put in order again */
  readonly columns: readonly Column<Row>[];
  /** another list if any entry has changed */
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** words that each row must have: see `matches` */
  readonly filter?: string;
  readonly sorting?: Sorting;
  /** the key of the row that is open */
  readonly selected?: string | null;
  readonly onOpen?: (row: Row) => void;
  /** shown instead of the rows, if there are none */
  readonly empty?: ComponentChildren;
}

/** Rows that are made beyond the visible ones, in both directions. */
const MORE_ROWS = 8;

/**
 * A table of any length: only the visible rows are in the document. Headings sort; the keys ↑ ↓ Page Home End move, Enter
 * opens a row.
 */
export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const { label, rows, keyOf, filter = '', empty, onOpen } = props;
  const id = useId();
  const body = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  const width = useSignal(1000);
  const current = useSignal<string | null>(null);
  /** Where the current row was when it was reached; other rows may have come before it. */
  const currentPlace = useRef(-1);
  const sorting = useSignal<Sorting | null>(props.sorting ?? null);
  useViewport(body, top, height, width);

  const columns = fittingColumns(props.columns, width.value);
  const order = useOrder(props.columns, rows, filter, sorting);
  const first = Math.max(0, Math.floor(top.value / ROW_PX) - MORE_ROWS);
  const visible = order.slice(first, Math.ceil((top.value + height.value) / ROW_PX) + MORE_ROWS);
  const tracks = { gridTemplateColumns: columns.map(({ width }) => width).join(' ') };
  const rowId = (key: string): string => `${id}-${key}`;

  function placeOfCurrent(): number {
    const there = order[currentPlace.current];
    if (there !== undefined && keyOf(there) === current.value) return currentPlace.current;
    return order.findIndex((row) => keyOf(row) === current.value);
  }

  function moveTo(place: number): void {
    const bounded = Math.max(0, Math.min(order.length - 1, place));
    const row = order[bounded];
    const view = body.current;
    if (row === undefined || view === null) return;
    current.value = keyOf(row);
    currentPlace.current = bounded;
    const shown = view.clientHeight - ROW_PX;
    if (bounded * ROW_PX < view.scrollTop) view.scrollTop = bounded * ROW_PX;
    else if ((bounded + 1) * ROW_PX > view.scrollTop + shown) view.scrollTop = (bounded + 1) * ROW_PX - shown;
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget) return;
    const place = placeOfCurrent();
    const page = Math.max(1, Math.floor(height.value / ROW_PX) - 2);
    const row = order[place];
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: place + 1,
      ArrowUp: place - 1,
      PageDown: place + page,
      PageUp: place - page,
      Home: 0,
      End: order.length - 1,
    };
    const move = moves[event.key];
    if (move !== undefined) moveTo(move);
    else if (event.key === 'Enter' && row !== undefined) onOpen?.(row);
    else return;
    event.preventDefault();
  }

  const isCurrentShown = visible.some((row) => keyOf(row) === current.value);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <table> cannot leave rows out and keep its columns
    <div
      class="table"
      role="grid"
      ref={body}
      tabIndex={0}
      aria-label={label}
      aria-rowcount={order.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={isCurrentShown && current.value !== null ? rowId(current.value) : undefined}
      onKeyDown={onKeyDown}
    >
      <Head columns={columns} sorting={sorting} tracks={tracks} />
      {order.length === 0 ? (
        // biome-ignore lint/a11y/useSemanticElements: as above
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        <div class="table-empty" role="row">
          {/* biome-ignore lint/a11y/useSemanticElements: as above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
          <div role="gridcell">{rows.length === 0 ? empty : <p class="muted">Nothing matches “{filter}”.</p>}</div>
        </div>
      ) : (
        <div class="table-space" role="presentation" style={{ height: `${order.length * ROW_PX}px` }}>
          {visible.map((row, at) => {
            const key = keyOf(row);
            return (
              <TableRow
                key={key}
                id={rowId(key)}
                row={row}
                place={first + at}
                columns={columns}
                tracks={tracks.gridTemplateColumns}
                isCurrent={key === current.value}
                isSelected={key === props.selected}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      )}
    </div>
  );
}

interface HeadProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly sorting: Signal<Sorting | null>;
  readonly tracks: { readonly gridTemplateColumns: string };
}

function Head<Row>({ columns, sorting, tracks }: HeadProps<Row>): JSX.Element {
  function sortBy({ id, isNumber = false }: Column<Row>): void {
    const { column, isDescending } = sorting.value ?? {};
    // The largest numbers first, since they are looked for.
    sorting.value = { column: id, isDescending: column === id ? !isDescending : isNumber };
  }
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: its buttons are
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div class="table-head" role="row" aria-rowindex={1} style={tracks}>
      {columns.map((column) => {
        const isSorted = sorting.value?.column === column.id;
        const isDescending = isSorted && sorting.value?.isDescending === true;
        return (
          // biome-ignore lint/a11y/useFocusableInteractive: its button is
          // biome-ignore lint/a11y/useSemanticElements: as above
          <div
            key={column.id}
            class={`table-title ${column.isNumber ? 'table-number' : ''}`}
            role="columnheader"
            aria-sort={isSorted ? (isDescending ? 'descending' : 'ascending') : undefined}
          >
            {column.value === undefined ? (
              column.title
            ) : (
              <button type="button" class="table-sort" onClick={() => sortBy(column)}>
                <span class="table-sort-text">{column.title}</span>
                <span class="table-sort-mark">{isSorted && <Icon name={isDescending ? 'down' : 'up'} />}</span>
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}

/** The rows that match, in order. The last order is where sorting begins, since most rows are at their places still. */
function useOrder<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  filter: string,
  sorting: Signal<Sorting | null>,
): readonly Row[] {
  const last = useRef<number[]>([]);
  const { column: id, isDescending = false } = sorting.value ?? {};
  return useMemo(() => {
    const values = columns.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const isFound = (row: Row): boolean =>
      matches(
        filter,
        values.map((value) => value(row)),
      );
    const found = filter === '' ? rows : rows.filter(isFound);
    const value = columns.find((column) => column.id === id)?.value;
    if (value === undefined) return found;
    last.current = orderOf(found, value, isDescending, last.current);
    return last.current.map((place) => found[place] as Row);
  }, [rows, filter, id, isDescending, columns]);
}

/** Follows what the scrolled element shows, once a frame. */
function useViewport(
  body: { readonly current: HTMLDivElement | null },
  top: Signal<number>,
  height: Signal<number>,
  width: Signal<number>,
): void {
  useEffect(() => {
    const view = body.current;
    if (view === null) return undefined;
    const measure = (): void => {
      top.value = view.scrollTop;
      height.value = view.clientHeight;
      width.value = view.clientWidth;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(view);
    view.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      view.removeEventListener('scroll', measure);
    };
  }, [body, top, height, width]);
}
