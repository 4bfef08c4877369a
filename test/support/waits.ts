import { type EventEmitter, once as nextEvent } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The default deadline of a wait. Most waits end at once; a busy machine may take long. */
export const PATIENCE_MS = 60_000;
/** Conditions are checked in each turn of the event loop for this time, since most waits are short; then less often. */
const EAGER_MS = 100;

/**
 * Waits for an event, as `once` of node:events, but with a deadline.
 * @param options `waitMs`: the deadline
 * @throws Error with the name of the missing event; or the emitter's `error`
 */
export async function once(
  emitter: EventEmitter | NodeJS.ReadableStream,
  event: string,
  { waitMs = PATIENCE_MS }: { waitMs?: number } = {},
  // biome-ignore lint/suspicious/noExplicitAny: the arguments of an event are whatever its emitter says
): Promise<any[]> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), waitMs);
  try {
    return await nextEvent(emitter as EventEmitter, event, { signal: ended.signal });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
    throw new Error(`no '${event}' of ${emitter.constructor.name} within ${waitMs} ms`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the first of several events, as `once`; the other waits are removed. */
export async function onceAny(
  emitter: EventEmitter,
  events: readonly string[],
  waitMs: number = PATIENCE_MS,
  // biome-ignore lint/suspicious/noExplicitAny: the arguments of an event are whatever its emitter says
): Promise<any[]> {
  const settled = new AbortController();
  try {
    const waits = events.map((event) => nextEvent(emitter, event, { signal: settled.signal }));
    return await within(Promise.race(waits), `'${events.join("' or '")}' of ${emitter.constructor.name}`, waitMs);
  } finally {
    settled.abort();
  }
}

/**
 * Waits until a condition holds, which it checks in turns of the event loop.
 * @throws Error with the source text of the condition, at the deadline
 */
export async function until(isSo: () => boolean, waitMs: number = PATIENCE_MS): Promise<void> {
  const startMs = Date.now();
  while (!isSo()) {
    const waitedMs = Date.now() - startMs;
    if (waitedMs > waitMs) throw new Error(`not within ${waitMs} ms: ${isSo}`);
    if (waitedMs < EAGER_MS) await new Promise(setImmediate);
    else await delay(1);
  }
}

/**
 * Waits for a promise, but with a deadline.
 * @param what names in the error what is missing; a function is called at the deadline
 */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  waitMs: number = PATIENCE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(new Error(`no ${typeof what === 'string' ? what : what()} within ${waitMs} ms`));
    timer = setTimeout(fail, waitMs);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise, and the functions that settle it. */
export interface FakeAnswer<T> {
  readonly answer: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** The answer of a fake, which the test settles, or never. It has no deadline; the code that waits for it has one. */
export function fakeAnswer<T>(): FakeAnswer<T> {
  let settle: Omit<FakeAnswer<T>, 'answer'> | undefined;
  const answer = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { answer, ...(settle as unknown as Omit<FakeAnswer<T>, 'answer'>) };
}
