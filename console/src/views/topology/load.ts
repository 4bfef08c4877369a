const KILO = 1000;
const LEAST_PX = 1;
const MOST_PX = 8;

/**
 * The thickness of a link on a logarithmic scale: 1 px up to 1 kbit/s, and 1 px more for each factor of ten; 7 px at
 * 1 Gbit/s. In steps of 0.5 px, so that a steady load does not tremble.
 * @param bitRate bits a second
 */
export function thicknessOf(bitRate: number): number {
  if (!(bitRate > 0)) return LEAST_PX;
  const px = LEAST_PX + Math.max(0, Math.log10(bitRate / KILO));
  return Math.min(MOST_PX, Math.round(px * 2) / 2);
}
