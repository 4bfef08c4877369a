import { Component, type JSX } from 'preact';
import { ROW_PX } from '../../parts/columns.ts';
import { hashOf } from '../../router.ts';
import type { Port } from '../ports/port-text.ts';
import { CELL_PX, SIDE_PX, type VlanColumn } from './matrix-size.ts';
import { type Membership, membershipOf, partOf } from './membership.ts';

export const MARKS: Readonly<Record<Membership, string>> = { tagged: 'T', untagged: 'U', passing: 't', none: '' };
export const WORDS: Readonly<Record<Membership, string>> = {
  tagged: 'with a tag',
  untagged: 'without a tag, the PVID',
  passing: 'passes unchanged',
  none: 'not a member',
};

interface MatrixRowProps {
  readonly id: string;
  readonly title: string;
  readonly port: Port;
  readonly settings: Port['settings'];
  readonly place: number;
  readonly columns: readonly VlanColumn[];
  readonly first: number;
  /** the column of the current cell, if it is in this row; else -1 */
  readonly current: number;
  readonly onOpen: ((port: Port, vid: number) => void) | undefined;
}

/** A port's counters change each second, and its row does not show them. */
const COMPARED = ['title', 'settings', 'place', 'first', 'current'] as const;

export class MatrixRow extends Component<MatrixRowProps> {
  override shouldComponentUpdate(next: MatrixRowProps): boolean {
    return (
      COMPARED.some((member) => next[member] !== this.props[member]) ||
      next.columns.length !== this.props.columns.length ||
      next.columns.some(({ vid }, at) => vid !== this.props.columns[at]?.vid)
    );
  }

  override render({ id, title, port, place, columns, first, current, onOpen }: MatrixRowProps): JSX.Element {
    const part = partOf(port.settings);
    return (
      // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names its current cell
      // biome-ignore lint/a11y/useSemanticElements: see Matrix
      <div
        class={`matrix-row ${place % 2 === 0 ? '' : 'matrix-row-odd'}`}
        role="row"
        aria-rowindex={place + 2}
        style={{ transform: `translateY(${place * ROW_PX}px)` }}
      >
        {/* biome-ignore lint/a11y/useFocusableInteractive: as its row */}
        {/* biome-ignore lint/a11y/useSemanticElements: as its row */}
        <div class="matrix-port" role="rowheader" aria-colindex={1} title={title}>
          <span class="matrix-number">{port.port}</span>
          <a class="matrix-name" href={hashOf('ports', { port: port.port })} tabIndex={-1}>
            {title}
          </a>
          <span class="muted matrix-mode">{part.mode}</span>
        </div>
        {columns.map(({ vid }, at) => {
          const membership = membershipOf(part, vid);
          return (
            // biome-ignore lint/a11y/useFocusableInteractive: as its row
            // biome-ignore lint/a11y/useSemanticElements: as its row
            // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the grid opens its current cell
            <div
              key={vid}
              id={`${id}-${port.port}-${vid}`}
              class={`matrix-cell matrix-${membership} ${onOpen === undefined ? '' : 'matrix-opens'}`}
              role="gridcell"
              aria-colindex={first + at + 2}
              aria-label={`VLAN ${vid}: ${WORDS[membership]}`}
              data-current={current === first + at}
              style={{ left: `${SIDE_PX + (first + at) * CELL_PX}px` }}
              onClick={onOpen === undefined ? undefined : () => onOpen(port, vid)}
            >
              <span class="matrix-mark">{MARKS[membership]}</span>
            </div>
          );
        })}
      </div>
    );
  }
}
