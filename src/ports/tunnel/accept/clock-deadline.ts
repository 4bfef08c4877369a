/** The longest sleep: the system's clock may be set while it lasts, and timers take no longer one than 24 days. */
const LONGEST_SLEEP_MS = 30_000;

/**
 * Calls once the system's clock has passed `untilMs`, within half a minute also
 * when the clock is set. It keeps no process alive.
 * @param untilMs in milliseconds since 1970
 * @returns what calls it off
 */
export function onceClockPasses(untilMs: number, passed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0) passed();
    else timer = setTimeout(look, Math.min(leftMs, LONGEST_SLEEP_MS)).unref();
  };
  // Never from inside: what expires may still be in the making.
  timer = setTimeout(look, 0).unref();
  return () => clearTimeout(timer);
}
