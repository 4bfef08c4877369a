import type { Place } from './start-places.ts';

export type Direction = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

const TURNS: Readonly<Record<Direction, readonly [number, number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};
/** A node that lies beside the direction counts as farther by this factor. */
const SIDEWAYS = 2.5;

export function isDirection(key: string): key is Direction {
  return Object.hasOwn(TURNS, key);
}

/** The nearest node in a direction, for the arrow keys; undefined if none lies there. */
export function nearestTo(
  from: Place,
  direction: Direction,
  places: Iterable<Place & { readonly id: string }>,
): string | undefined {
  const [turnX, turnY] = TURNS[direction];
  let [best, least]: [string | undefined, number] = [undefined, Infinity];
  for (const { id, x, y } of places) {
    const [away, aside] = [(x - from.x) * turnX + (y - from.y) * turnY, (x - from.x) * turnY + (y - from.y) * turnX];
    if (away <= 1 || Math.abs(aside) > away * SIDEWAYS) continue;
    const far = away + Math.abs(aside) * SIDEWAYS;
    if (far < least) [best, least] = [id, far];
  }
  return best;
}
