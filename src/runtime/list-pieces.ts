/** Limit of the time in one turn of the event loop. */
const SLICE_MS = 1;
/** The clock is read once in so many entries. */
const ENTRIES_PER_LOOK = 16;
const PIECE_CHARACTERS = 64 * 1024;

/** The JSON of a list. */
export interface ListPieces {
  readonly pieces: readonly Buffer[];
  /** the processor time, without the pauses */
  readonly workMs: number;
}

/** Makes the JSON of a list in slices of about a millisecond, each in its own turn of the event loop. */
export async function listPieces(entries: Iterable<unknown>): Promise<ListPieces> {
  const pieces: Buffer[] = [];
  let text = '[';
  let count = 0;
  let workMs = 0;
  let startMs = performance.now();
  for (const entry of entries) {
    text += `${count++ === 0 ? '' : ','}${JSON.stringify(entry) ?? 'null'}`;
    if (text.length >= PIECE_CHARACTERS) {
      pieces.push(Buffer.from(text));
      text = '';
    }
    if (count % ENTRIES_PER_LOOK !== 0) continue;
    const tookMs = performance.now() - startMs;
    if (tookMs < SLICE_MS) continue;
    workMs += tookMs;
    await new Promise((resolve) => setImmediate(resolve));
    startMs = performance.now();
  }
  pieces.push(Buffer.from(`${text}]`));
  return { pieces, workMs: workMs + performance.now() - startMs };
}
