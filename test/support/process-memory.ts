import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** The size of the pieces in which regions are read. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** /proc/PID/pagemap has eight octets for each page; the two highest bits mean "in memory" and "in swap". */
const PAGE_BYTES = 4096;
const ENTRY_BYTES = 8;
const IS_HELD = 0xc0;

/**
 * Searches all memory that a process has written to. Needs the right to trace it.
 * @param needles the octets, by names
 * @returns the names of the found ones
 */
export function findInMemory(pid: number, needles: ReadonlyMap<string, Buffer>): Set<string> {
  const found = new Set<string>();
  const overlap = Math.max(...[...needles.values()].map(({ length }) => length)) - 1;
  const piece = Buffer.alloc(PIECE_BYTES + overlap);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of heldRanges(pid)) {
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

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The writable ranges whose pages exist. V8 of Node 24 and 26 reserves 509 MiB for code as one writable region and uses
 * a few MiB: reading it all takes seconds, and adds pages to the process.
 */
function* heldRanges(pid: number): Generator<Range> {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const { start, end } of writableRegions(pid)) {
      const entries = Buffer.alloc(((end - start) / PAGE_BYTES) * ENTRY_BYTES);
      const pages = readAt(pagemap, entries, (start / PAGE_BYTES) * ENTRY_BYTES, entries.length) / ENTRY_BYTES;
      let first: number | undefined;
      for (let page = 0; page <= pages; page++) {
        const isHeld = page < pages && ((entries[page * ENTRY_BYTES + ENTRY_BYTES - 1] ?? 0) & IS_HELD) !== 0;
        if (isHeld) {
          first ??= page;
        } else if (first !== undefined) {
          yield { start: start + first * PAGE_BYTES, end: start + page * PAGE_BYTES };
          first = undefined;
        }
      }
    }
  } finally {
    closeSync(pagemap);
  }
}

function writableRegions(pid: number): Range[] {
  return readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, start = '', end = '', mode = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      return mode.startsWith('rw') ? [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }] : [];
    });
}

/** @returns the number of read octets; a region may be unmapped meanwhile */
function readAt(memory: number, bytes: Buffer, position: number, length: number): number {
  try {
    return readSync(memory, bytes, 0, length, position);
  } catch {
    return 0;
  }
}
