/** The root font size that `rem` is in, as tokens.css leaves it. */
const REM_PX = 16;
/** The gap between columns, and the padding of a row, as table.css has them. */
const GAP_PX = 12;
const PADDING_PX = 32;

interface Sized {
  readonly width: string;
  readonly wants?: string;
  readonly rank?: number;
}

/** The width in px that a column should have: what it wants, else the first length of its track. */
function wantedPx({ width, wants = width }: Sized): number {
  const [, number = '0', unit] = /([\d.]+)(rem|px)/.exec(wants) ?? [];
  return Number(number) * (unit === 'rem' ? REM_PX : 1);
}

/** The columns that have room in `widthPx`. */
export function fittingColumns<C extends Sized>(columns: readonly C[], widthPx: number): C[] {
  const kept = [...columns];
  let neededPx = kept.reduce((sum, column) => sum + wantedPx(column) + GAP_PX, PADDING_PX - GAP_PX);
  while (neededPx > widthPx) {
    const last = kept.reduce((worst, column, at) => ((column.rank ?? 0) >= (kept[worst]?.rank ?? 0) ? at : worst), 0);
    const [dropped] = (kept[last]?.rank ?? 0) > 0 ? kept.splice(last, 1) : [];
    if (dropped === undefined) break;
    neededPx -= wantedPx(dropped) + GAP_PX;
  }
  return kept;
}
