import type { NodeKind } from './graph.ts';
import type { Box } from './room.ts';
import type { Place } from './start-places.ts';

export interface View {
  readonly x: number;
  readonly y: number;
  /** the factor of zoom */
  readonly k: number;
}

/** The area of the picture, in px. */
export interface Area {
  readonly width: number;
  readonly height: number;
  /** what covers its lower left corner: the legend; 0 by 0 if nothing does */
  readonly cover: { readonly width: number; readonly height: number };
}

interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const MARGIN = 24;
const MOST_ZOOM = 1.4;
export const LEAST_ZOOM = 0.1;
/** Below this factor of zoom stations have no labels, and others no second line. */
export const FAR = 0.6;
const JUST_FAR = FAR - 0.01;

/** The largest view that shows all nodes with the labels that they have in it, and none of them below what covers the corner. */
export function fit(nodes: Iterable<Place & { readonly kind: NodeKind; readonly box: Box }>, area: Area): View {
  const given = [...nodes];
  if (given.length === 0) return { x: area.width / 2, y: area.height / 2, k: 1 };
  const bounds = given.map(({ x, y, box }) => boundsOf({ x, y }, box));
  const near = fitBounds(bounds, area, MOST_ZOOM);
  if (near.k >= FAR) return near;
  const plain = given.map(({ x, y, kind, box }) => boundsOf({ x, y }, withoutLabel(kind, box)));
  return fitBounds(plain, area, JUST_FAR);
}

function boundsOf({ x, y }: Place, { halfWidth, above, below }: Box): Bounds {
  return { left: x - halfWidth, right: x + halfWidth, top: y - above, bottom: y + below };
}

function withoutLabel(kind: NodeKind, box: Box): Box {
  return kind === 'station' || kind === 'stations' ? { ...box, halfWidth: box.above, below: box.above } : box;
}

function fitBounds(all: readonly Bounds[], { width, height, cover }: Area, mostZoom: number): View {
  const bounds = around(all);
  const whole = within(bounds, 0, width, height, mostZoom);
  const isCovered = all.some(
    ({ left, bottom }) => whole.x + whole.k * left < cover.width && whole.y + whole.k * bottom > height - cover.height,
  );
  if (!isCovered) return whole;
  const beside = within(bounds, cover.width, width - cover.width, height, mostZoom);
  const above = within(bounds, 0, width, height - cover.height, mostZoom);
  return beside.k > above.k ? beside : above;
}

function around(all: readonly Bounds[]): Bounds {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const one of all) {
    left = Math.min(left, one.left);
    right = Math.max(right, one.right);
    top = Math.min(top, one.top);
    bottom = Math.max(bottom, one.bottom);
  }
  return { left, right, top, bottom };
}

/** The view that shows the bounds in the middle of an area that begins at `from` px from the left. */
function within(bounds: Bounds, from: number, width: number, height: number, mostZoom: number): View {
  const { left, right, top, bottom } = bounds;
  const k = Math.max(
    LEAST_ZOOM,
    Math.min(mostZoom, (width - 2 * MARGIN) / (right - left), (height - 2 * MARGIN) / (bottom - top)),
  );
  return { k, x: from + width / 2 - (k * (left + right)) / 2, y: height / 2 - (k * (top + bottom)) / 2 };
}
