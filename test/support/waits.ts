import { type EventEmitter, once as nextEvent } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** What a test waits for comes at once, or not at all; a busy machine is given time. */
export const PATIENCE_MS = 60_000;
/** Loops look in every turn of the event loop for this time, as most waits are short, and seldom after it. */
const EAGER_MS = 100;

/**
 * The next event of that name, as `once` of node:events, but not for ever.
 * @param options `waitMs`: how long
 * @throws Error what was waited for in vain; or the emitter's `error`
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

/** The first event that comes of those named; as `once`, and nothing of the other waits is left. */
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
 * Waits until a condition holds, looking at it turn after turn of the event loop.
 * @throws Error the condition, as it is written, when it does not hold in time
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
 * What a promise becomes, but not for ever.
 * @param what is waited for, as the error says it; a function is asked when the time is over
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

/** What a fake answers when the test says so, or never: such an answer has no deadline, but what waits for it has one. */
export function fakeAnswer<T>(): FakeAnswer<T> {
  let settle: Omit<FakeAnswer<T>, 'answer'> | undefined;
  const answer = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { answer, ...(settle as unknown as Omit<FakeAnswer<T>, 'answer'>) };
}
