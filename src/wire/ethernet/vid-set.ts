import type { Vid } from './vid.ts';

export const MIN_VID = 1;
export const MAX_VID = 4094;
const VIDS = 4096;

/** A set of VIDs of VLANs, 1 to 4094. Immutable. */
export class VidSet {
  /** All VIDs of VLANs. */
  static readonly ALL: VidSet = VidSet.of([[MIN_VID, MAX_VID]]);
  readonly #bits: Uint32Array;
  /** The number of its VIDs. */
  readonly size: number;

  private constructor(bits: Uint32Array, size: number) {
    this.#bits = bits;
    this.size = size;
  }

  /** @param ranges the first and the last VID of each, from 1 to 4094 */
  static of(ranges: readonly (readonly [first: number, last: number])[]): VidSet {
    const bits = new Uint32Array(VIDS / 32);
    let size = 0;
    for (const [first, last] of ranges) {
      for (let vid = first; vid <= last; vid++) {
        const at = vid >>> 5;
        const bit = 1 << (vid & 31);
        if (((bits[at] as number) & bit) !== 0) continue;
        bits[at] = (bits[at] as number) | bit;
        size++;
      }
    }
    return new VidSet(bits, size);
  }

  /**
   * Parses VIDs and ranges, separated by commas, as `10,20,30-40`; `all` stands for 1 to 4094.
   * @returns undefined if the text is anything else
   */
  static parse(text: string): VidSet | undefined {
    if (text === 'all') return VidSet.ALL;
    const ranges: [number, number][] = [];
    for (const part of text.split(',')) {
      const [, from, to] = /^ *(\d{1,4})(?:-(\d{1,4}))? *$/.exec(part) ?? [];
      if (from === undefined) return undefined;
      const first = Number(from);
      const last = to === undefined ? first : Number(to);
      if (first < MIN_VID || last > MAX_VID || first > last) return undefined;
      ranges.push([first, last]);
    }
    return VidSet.of(ranges);
  }

  has(vid: Vid): boolean {
    return (((this.#bits[vid >>> 5] as number) >>> (vid & 31)) & 1) === 1;
  }

  /** In ascending order. */
  *[Symbol.iterator](): IterableIterator<Vid> {
    for (let vid = MIN_VID; vid <= MAX_VID; vid++) if (this.has(vid as Vid)) yield vid as Vid;
  }

  /** The shortest text that `parse` takes, in ascending order. */
  toString(): string {
    if (this.size === MAX_VID) return 'all';
    const parts: string[] = [];
    for (let vid = MIN_VID; vid <= MAX_VID; vid++) {
      if (!this.has(vid as Vid)) continue;
      const first = vid;
      while (vid < MAX_VID && this.has((vid + 1) as Vid)) vid++;
      parts.push(first === vid ? `${first}` : `${first}-${vid}`);
    }
    return parts.join(',');
  }
}
