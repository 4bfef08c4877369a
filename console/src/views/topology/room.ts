import type { Force } from 'd3-force';
import type { Node, NodeKind } from './graph.ts';

/** The box that a node needs with its label, relative to its place, in px. */
export interface Box {
  readonly halfWidth: number;
  /** above the place, and below it */
  readonly above: number;
  readonly below: number;
}

/** The distance of the label's base line from the place of the node, by kind, in px. */
export const LABEL_Y: Readonly<Record<NodeKind, number>> = {
  ...{ switch: 38, network: 34, port: 24, ports: 26, neighbor: 30, station: 20, stations: 26, more: 26, member: 38 },
};
export const NOTE_PX = 14;
const ABOVE: Readonly<Record<NodeKind, number>> = {
  ...{ switch: 26, network: 24, port: 14, ports: 18, neighbor: 20, station: 12, stations: 18, more: 17, member: 26 },
};
/** The mean width of a character of a label, of a capital or another wide one, and of one that fills a square. */
const CHARACTER_PX = 6.6;
const WIDE_PX = 9.5;
const SQUARE_PX = 12.5;
/** The notes are smaller by this factor. */
const NOTE_SIZE = 11 / 12;
const LEAST_WIDTH = 40;
const GAP = 8;

/** The width that a label needs, in px, generously: what is drawn depends on the fonts of the browser. */
export function labelWidth(label: string): number {
  let width = 0;
  for (const character of label) {
    const code = character.codePointAt(0) as number;
    // From the Hangul and CJK blocks on, characters fill a square.
    width += code >= 0x1100 ? SQUARE_PX : code > 0x2ff || /[A-Zmw@%_]/.test(character) ? WIDE_PX : CHARACTER_PX;
  }
  return width;
}

/** @param note the second line, as it is shown */
export function boxOf({ kind, label, note }: Pick<Node, 'kind' | 'label' | 'note'>): Box {
  const width = Math.max(LEAST_WIDTH, labelWidth(label), labelWidth(note) * NOTE_SIZE);
  return {
    halfWidth: (width + GAP) / 2,
    above: ABOVE[kind] + GAP / 2,
    below: LABEL_Y[kind] + (note === '' ? 4 : NOTE_PX + 4) + GAP / 2,
  };
}

interface Boxed {
  x: number;
  y: number;
  box: Box;
}

/**
 * Pushes boxes apart that overlap, by the shorter way. Boxes are compared with those that begin at the right of them and no
 * further than the widest one reaches, not all pairs: with 500 nodes the first tick, which no compiler has seen yet, would
 * take longer than a frame.
 * @param strength the part of an overlap that one tick takes away
 */
export function forceRoom<N extends Boxed>(strength: number): Force<N, undefined> {
  let nodes: readonly N[] = [];
  const force = (): void => {
    const sorted = nodes.toSorted((one, other) => one.x - other.x);
    const widest = sorted.reduce((most, { box }) => Math.max(most, box.halfWidth), 0);
    for (const [at, one] of sorted.entries()) {
      const reach = one.box.halfWidth + widest;
      for (let next = at + 1; next < sorted.length; next++) {
        const other = sorted[next] as N;
        // A box that was pushed meanwhile may be missed; the next tick finds it.
        if (other.x - one.x > reach) break;
        part(one, other, strength);
      }
    }
  };
  force.initialize = (given: N[]): void => {
    nodes = given;
  };
  return force;
}

function part(one: Boxed, other: Boxed, strength: number): void {
  const away = other.x - one.x;
  const overlapX = one.box.halfWidth + other.box.halfWidth - Math.abs(away);
  if (overlapX <= 0) return;
  const isBelow = other.y >= one.y;
  const [upper, lower] = isBelow ? [one, other] : [other, one];
  const overlapY = upper.y + upper.box.below - (lower.y - lower.box.above);
  if (overlapY <= 0) return;
  if (overlapX < overlapY) {
    const push = ((away >= 0 ? overlapX : -overlapX) * strength) / 2;
    one.x -= push;
    other.x += push;
  } else {
    const push = (overlapY * strength) / 2;
    upper.y -= push;
    lower.y += push;
  }
}
