/** The longest timer: the system's clock may be set meanwhile, and setTimeout is limited to 24 days. */
const LONGEST_SLEEP_MS = 30_000;

/**
 * Calls `passed` once when the system's clock has passed `untilMs`; at most 30 s
 * late when the clock is set. Does not keep the process alive.
 * @param untilMs in milliseconds since 1970
 * @returns a function that cancels it
 */
export function onceClockPasses(untilMs: number, passed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0) passed();
    else timer = setTimeout(look, Math.min(leftMs, LONGEST_SLEEP_MS)).unref();
  };
  // Never called synchronously: the caller may not have finished making what expires.
  timer = setTimeout(look, 0).unref();
  return () => clearTimeout(timer);
}
