import { setTimeout as delay } from 'node:timers/promises';

/** How long what expires is valid. At first briefly, since the test waits for its end; a slow machine gets more time. */
const LIVES_S = [4, 12, 40];

/**
 * Does what must have happened before an expiry. An attempt that ends behind it, by whatever result, is followed by one with
 * more time.
 * @param act gets the time of the expiry in seconds since 1970
 * @returns the result of an attempt, and the time of its expiry, which is still to come
 * @throws what an attempt throws before its expiry
 */
export async function beforeExpiry<T>(
  act: (expiryS: number) => Promise<T>,
  livesS: readonly number[] = LIVES_S,
): Promise<readonly [T, number]> {
  for (const lifeS of livesS) {
    const expiryS = Math.ceil(Date.now() / 1000) + lifeS;
    const isOver = (): boolean => Date.now() >= expiryS * 1000;
    try {
      const result = await act(expiryS);
      if (!isOver()) return [result, expiryS];
    } catch (error) {
      if (!isOver()) throw error;
    }
  }
  throw new Error(`what must happen before an expiry took longer than ${livesS.at(-1)} s`);
}

/** Resolves in the second behind an expiry, since certificates are valid for whole seconds. */
export async function behindExpiry(expiryS: number): Promise<void> {
  const overMs = (expiryS + 1) * 1000;
  while (Date.now() <= overMs) await delay(overMs - Date.now() + 1);
}
