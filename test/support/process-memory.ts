import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** How much of a region is looked at together. */
const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Looks for octets in all memory that a process may have written to. Needs the right to trace it.
 * @param needles by the names under which they are reported
 * @returns the names of those that are there
 */
export function findInMemory(pid: number, needles: ReadonlyMap<string, Buffer>): Set<string> {
  const found = new Set<string>();
  const overlap = Math.max(...[...needles.values()].map(({ length }) => length)) - 1;
  const piece = Buffer.alloc(PIECE_BYTES + overlap);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of writtenRegions(pid)) {
      for (let at = start; at < end; at += PIECE_BYTES) {
        const count = readAt(memory, piece, at, Math.min(piece.length, end - at));
        const bytes = piece.subarray(0, count);
        for (const [name, needle] of needles) if (!found.has(name) && bytes.includes(needle)) found.add(name);
      }
    }
  } finally {
    closeSync(memory);
    piece.fill(0);
  }
  return found;
}

function writtenRegions(pid: number): { start: number; end: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, start = '', end = '', mode = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      return mode.startsWith('rw') ? [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }] : [];
    });
}

/** A region may go while it is read. */
function readAt(memory: number, bytes: Buffer, position: number, length: number): number {
  try {
    return readSync(memory, bytes, 0, length, position);
  } catch {
    return 0;
  }
}
