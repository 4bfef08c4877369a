import { Component, type JSX } from 'preact';
import { type Column, ROW_PX } from './columns.ts';

interface TableRowProps<Row> {
  readonly id: string;
  readonly row: Row;
  readonly place: number;
  readonly columns: readonly Column<Row>[];
  readonly tracks: string;
  readonly isCurrent: boolean;
  readonly isSelected: boolean;
  readonly onOpen: ((row: Row) => void) | undefined;
}

/** Compared instead of the columns themselves, which a view may make anew each time. */
const COMPARED = ['id', 'row', 'place', 'tracks', 'isCurrent', 'isSelected'] as const;

/** One row. It renders only if its entry or its place has changed: entries are never changed in place. */
export class TableRow<Row> extends Component<TableRowProps<Row>> {
  override shouldComponentUpdate(next: TableRowProps<Row>): boolean {
    return COMPARED.some((member) => next[member] !== this.props[member]);
  }

  override render({ id, row, place, columns, tracks, isCurrent, isSelected, onOpen }: TableRowProps<Row>): JSX.Element {
    return (
      // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names its current row
      // biome-ignore lint/a11y/useSemanticElements: see Table
      // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the grid opens its current row
      <div
        id={id}
        class={`table-row ${place % 2 === 0 ? '' : 'table-row-odd'} ${onOpen === undefined ? '' : 'table-row-opens'}`}
        role="row"
        aria-rowindex={place + 2}
        aria-selected={isSelected}
        data-current={isCurrent}
        style={{ gridTemplateColumns: tracks, transform: `translateY(${place * ROW_PX}px)` }}
        onClick={onOpen === undefined ? undefined : () => onOpen(row)}
      >
        {columns.map(({ id: column, cell, value, isNumber = false }) => (
          // biome-ignore lint/a11y/useFocusableInteractive: as its row
          // biome-ignore lint/a11y/useSemanticElements: as its row
          <div key={column} class={`table-cell ${isNumber ? 'table-number' : ''}`} role="gridcell">
            {cell === undefined ? value?.(row) : cell(row)}
          </div>
        ))}
      </div>
    );
  }
}
