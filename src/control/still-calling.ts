import { EtherwsError } from '../errors.ts';
import type { Caller } from './caller-check.ts';

/** The credentials of a caller are verified again after this time, as those of an open WebSocket are. */
const RECHECK_MS = 30_000;

/**
 * Makes a function to be called before each call of a request. A batch may take longer than its caller has rights: it may
 * leave, its token may expire, its session may end, its user may be deleted.
 * @param isOpen whether the connection that gets the response is open
 * @returns throws, or rejects with, EtherwsError REQUEST_REFUSED or AUTH_FAILED if the call is not to run
 */
export function stillCalling(caller: Caller, isOpen: () => boolean): () => Promise<void> | undefined {
  let checkedMs = performance.now();
  return () => {
    if (!isOpen()) {
      throw new EtherwsError('REQUEST_REFUSED', 'The connection of the caller has ended', { hint: 'Open another one' });
    }
    if (caller.untilMs !== undefined && Date.now() > caller.untilMs) throw notValid();
    const nowMs = performance.now();
    if (nowMs - checkedMs < RECHECK_MS) return undefined;
    checkedMs = nowMs;
    return requireValid(caller);
  };
}

async function requireValid({ isStillValid }: Caller): Promise<void> {
  if (((await isStillValid?.()) ?? true) === false) throw notValid();
}

function notValid(): EtherwsError {
  return new EtherwsError('AUTH_FAILED', 'The credentials of the caller are not valid any more', {
    hint: 'Log in again; the calls of the batch before this one were run',
  });
}
