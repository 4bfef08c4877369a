export interface OverlapOptions {
  /** A further attempt begins after so long without a result. */
  readonly intervalMs: number;
  /** the most attempts at a time */
  readonly most: number;
  readonly signal: AbortSignal;
}

/**
 * Makes attempts that overlap, and takes the first one that succeeds: after a partition the next attempt succeeds at once,
 * while the ones before wait for packets that were lost in it; and a peer that is far away has all of its time.
 * @param attempt must end when its signal is aborted
 * @param discard gets the result of an attempt that was too late
 * @throws the error of the last attempt, when all that have begun have failed
 */
export function overlapping<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
  { intervalMs, most, signal }: OverlapOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = new AbortController();
    let running = 0;
    let isSettled = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = (): void => {
      isSettled = true;
      clearInterval(timer);
      signal.removeEventListener('abort', abort);
      ended.abort();
    };
    const begin = (): void => {
      if (running >= most) return;
      running++;
      attempt(ended.signal).then(
        (result) => {
          running--;
          if (isSettled) {
            discard(result);
            return;
          }
          settle();
          resolve(result);
        },
        (error: unknown) => {
          running--;
          if (isSettled || running > 0) return;
          settle();
          reject(error);
        },
      );
    };
    const abort = (): void => {
      settle();
      reject(signal.reason);
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    timer = setInterval(begin, intervalMs);
    begin();
  });
}
