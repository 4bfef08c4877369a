/**
 * A frame as a filter reads it. A read beyond its end returns 0 and marks the frame as cut: then the filter does not
 * match, even a negated one, as in BPF, where such a read ends the program.
 */
export class FrameView {
  #bytes: Uint8Array = new Uint8Array();
  #start = 0;
  #end = 0;
  /** of the whole frame, in octets */
  length = 0;
  isCut = false;

  /** Selects the frame `bytes[start .. start + length)`. */
  show(bytes: Uint8Array, start: number, length: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = Math.min(start + length, bytes.length);
    this.length = length;
    this.isCut = false;
  }

  octet(offset: number): number {
    const at = this.#start + offset;
    if (at < this.#end) return this.#bytes[at] as number;
    this.isCut = true;
    return 0;
  }

  word(offset: number): number {
    const at = this.#start + offset;
    if (at + 1 < this.#end) return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
    this.isCut = true;
    return 0;
  }

  /** An unsigned 32-bit number. */
  long(offset: number): number {
    return ((this.word(offset) << 16) | this.word(offset + 2)) >>> 0;
  }
}

/** A part of a filter. */
export type Test = (frame: FrameView) => boolean;

export function both(one: Test, other: Test): Test {
  return (frame) => one(frame) && !frame.isCut && other(frame);
}

export function either(one: Test, other: Test): Test {
  return (frame) => one(frame) || (!frame.isCut && other(frame));
}

export function negated(test: Test): Test {
  return (frame) => !test(frame);
}

export function anyOf(first: Test, ...others: readonly Test[]): Test {
  return others.reduce(either, first);
}

export function allOf(first: Test, ...others: readonly Test[]): Test {
  return others.reduce(both, first);
}
