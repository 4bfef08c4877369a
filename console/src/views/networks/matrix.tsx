import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { ROW_PX } from '../../parts/columns.ts';
import { type Port, titleOf } from '../ports/port-text.ts';
import { MatrixHead } from './matrix-head.tsx';
import { MatrixRow } from './matrix-row.tsx';
import { CELL_PX, HEAD_PX, MORE_CELLS, SIDE_PX, type VlanColumn } from './matrix-size.ts';
import './matrix.css';

interface MatrixProps {
  readonly ports: readonly Port[];
  readonly vlans: readonly VlanColumn[];
  /** undefined: the user may not change ports */
  readonly onOpen: ((port: Port, vid: number) => void) | undefined;
}

/**
 * Ports × VLANs of a network. Only the visible cells are in the document, in both directions: a network may have 5000
 * ports and 4094 VLANs. The keys ← → ↑ ↓ Page Home End move, Enter opens a cell.
 */
export function Matrix({ ports, vlans, onOpen }: MatrixProps): JSX.Element {
  const id = useId();
  const body = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, left: 0, width: 1000, height: 600 });
  const current = useSignal({ row: 0, column: 0 });
  useView(body, view);

  const { top, left, width, height } = view.value;
  const first = Math.max(0, Math.floor(top / ROW_PX) - MORE_CELLS);
  const rows = ports.slice(first, Math.ceil((top + height) / ROW_PX) + MORE_CELLS);
  const firstVlan = Math.max(0, Math.floor(left / CELL_PX) - MORE_CELLS);
  const columns = vlans.slice(firstVlan, Math.ceil((left + width) / CELL_PX) + MORE_CELLS);
  const size = { width: `${SIDE_PX + vlans.length * CELL_PX}px`, height: `${ports.length * ROW_PX}px` };

  function moveTo(row: number, column: number): void {
    const to = { row: within(row, ports.length), column: within(column, vlans.length) };
    current.value = to;
    const { current: element } = body;
    if (element === null) return;
    element.scrollTop = shownAt(element.scrollTop, element.clientHeight - HEAD_PX, to.row * ROW_PX, ROW_PX);
    element.scrollLeft = shownAt(element.scrollLeft, element.clientWidth - SIDE_PX, to.column * CELL_PX, CELL_PX);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const { row, column } = current.value;
    const page = Math.max(1, Math.floor((height - HEAD_PX) / ROW_PX) - 1);
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: [row, 0],
      End: [row, vlans.length - 1],
    };
    const move = moves[event.key];
    const [port, vlan] = [ports[row], vlans[column]];
    if (move !== undefined) moveTo(...move);
    else if (event.key === 'Enter' && port !== undefined && vlan !== undefined) onOpen?.(port, vlan.vid);
    else return;
    event.preventDefault();
  }

  const { row, column } = current.value;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <table> cannot leave rows and columns out
    <div
      class="matrix"
      role="grid"
      ref={body}
      tabIndex={0}
      aria-label="Ports and VLANs"
      aria-rowcount={ports.length + 1}
      aria-colcount={vlans.length + 1}
      aria-activedescendant={`${id}-${ports[row]?.port}-${vlans[column]?.vid}`}
      onKeyDown={onKeyDown}
    >
      <MatrixHead columns={columns} first={firstVlan} width={size.width} />
      <div class="matrix-space" role="presentation" style={size}>
        {rows.map((port, at) => (
          <MatrixRow
            key={port.port}
            id={id}
            title={titleOf(port)}
            port={port}
            settings={port.settings}
            place={first + at}
            columns={columns}
            first={firstVlan}
            current={row === first + at ? column : -1}
            onOpen={onOpen}
          />
        ))}
      </div>
    </div>
  );
}

function within(place: number, count: number): number {
  return Math.max(0, Math.min(count - 1, place));
}

/** Where to scroll to, so that a cell is in the view. */
function shownAt(scrolled: number, visible: number, at: number, size: number): number {
  if (at < scrolled) return at;
  return at + size > scrolled + visible ? at + size - visible : scrolled;
}

/** Follows what the scrolled element shows, once a frame. */
function useView(
  body: { readonly current: HTMLDivElement | null },
  view: { value: { top: number; left: number; width: number; height: number } },
): void {
  useEffect(() => {
    const { current: element } = body;
    if (element === null) return undefined;
    const measure = (): void => {
      const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
      view.value = { top, left, width, height };
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [body, view]);
}
