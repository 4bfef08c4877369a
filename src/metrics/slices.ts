/** Limit of the time in one turn of the event loop. */
const SLICE_MS = 0.5;
/** The clock is read once in so many lines, which take a fraction of `SLICE_MS`. */
const LINES_PER_LOOK = 64;

/** Time and turns, which tests replace. */
export interface LoopTurns {
  /** monotonic milliseconds */
  now(): number;
  /** Resolves in a later turn of the event loop, after ready descriptors were served. */
  turn(): Promise<void>;
}

const LOOP: LoopTurns = {
  now: () => performance.now(),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

/**
 * Joins lines to pieces. Each is made in about 0.5 ms of its own turn of the event loop, so that frames do not wait for
 * the metrics of 5000 ports.
 */
export async function* slicesOf(lines: Iterable<string>, loop: LoopTurns = LOOP): AsyncGenerator<string> {
  let piece = '';
  let count = 0;
  let untilMs = loop.now() + SLICE_MS;
  for (const line of lines) {
    piece += line;
    if (++count % LINES_PER_LOOK !== 0 || loop.now() < untilMs) continue;
    yield piece;
    piece = '';
    await loop.turn();
    untilMs = loop.now() + SLICE_MS;
  }
  if (piece !== '') yield piece;
}
