/** Octets as lines of 16, with a marked range. */

export interface HexLine {
  /** of its first octet, in hexadecimal */
  readonly offset: string;
  /** in front of the marked octets, these, and those behind them */
  readonly hex: readonly [before: string, marked: string, after: string];
  readonly text: readonly [before: string, marked: string, after: string];
}

const WIDTH = 16;

/** @param start of the marked range @param end exclusive */
export function hexLines(bytes: Uint8Array, start: number, end: number): HexLine[] {
  const lines: HexLine[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const octets = [...bytes.subarray(at, at + WIDTH)];
    const from = Math.max(0, Math.min(octets.length, start - at));
    const to = Math.max(from, Math.min(octets.length, end - at));
    const parts = (show: (part: readonly number[]) => string): [string, string, string] => [
      show(octets.slice(0, from)),
      show(octets.slice(from, to)),
      show(octets.slice(to)),
    ];
    lines.push({
      offset: at.toString(16).padStart(4, '0'),
      hex: parts((part) => part.map((octet) => octet.toString(16).padStart(2, '0')).join(' ')),
      text: parts((part) =>
        part.map((octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '·')).join(''),
      ),
    });
  }
  return lines;
}
