import type { JSX } from 'preact';
import { count } from '../../parts/units.ts';
import { CELL_PX, SIDE_PX, type VlanColumn } from './matrix-size.ts';

interface MatrixHeadProps {
  readonly columns: readonly VlanColumn[];
  /** the place of the first one among all */
  readonly first: number;
  readonly width: string;
}

/** The VLANs above the matrix, with their stations. */
export function MatrixHead({ columns, first, width }: MatrixHeadProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus
    // biome-ignore lint/a11y/useSemanticElements: see Matrix
    <div class="matrix-head" role="row" aria-rowindex={1} style={{ width }}>
      {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div class="matrix-corner" role="columnheader" aria-colindex={1}>
        <span>Port</span>
        <span class="matrix-corner-vlans">VLAN, stations</span>
      </div>
      {columns.map(({ vid, stations }, at) => (
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        // biome-ignore lint/a11y/useSemanticElements: as above
        <div
          key={vid}
          class="matrix-vlan"
          role="columnheader"
          aria-colindex={first + at + 2}
          style={{ left: `${SIDE_PX + (first + at) * CELL_PX}px` }}
        >
          <strong>{vid}</strong>
          <span class="matrix-stations">{stations === 0 ? '\u00a0' : count(stations)}</span>
        </div>
      ))}
    </div>
  );
}
