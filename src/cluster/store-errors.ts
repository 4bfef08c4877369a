import { ERROR_CODES, type ErrorCode, EtherwsError } from '../errors.ts';

/** @param what was attempted, as the beginning of a sentence */
export function storeUnavailable(what: string, cause?: unknown): EtherwsError {
  return new EtherwsError('CLUSTER_UNAVAILABLE', `${what}: this node has no connection to the cluster's store`, {
    cause,
    hint: 'Frames are forwarded as before; see "etherws ctl cluster" for the state of the store',
  });
}

/** @param found the revision of the key; undefined if it is not known */
export function storeConflict(key: string, expected: number, found?: number): EtherwsError {
  const got = found === undefined ? 'another one' : found === 0 ? 'no value' : `revision ${found}`;
  const wanted = expected === 0 ? 'no value' : `revision ${expected}`;
  return new EtherwsError('CLUSTER_CONFLICT', `"${key}" was changed by another node: it has ${got}, not ${wanted}`, {
    hint: 'Read it again, and repeat the change if it is still wanted',
  });
}

export function noAnswer(subject: string, timeoutMs?: number): EtherwsError {
  const text = timeoutMs === undefined ? 'no node answers it' : `no answer within ${timeoutMs} ms`;
  return new EtherwsError('CLUSTER_TIMEOUT', `The request "${subject}" failed: ${text}`);
}

export function answerTooLong(subject: string, mostBytes: number): EtherwsError {
  return new EtherwsError('CLUSTER_UNAVAILABLE', `The answer to "${subject}" is longer than ${mostBytes} octets`);
}

/** An answer as it goes over the wire. */
export type Answer = { readonly result: unknown } | { readonly error: AnswerError };

interface AnswerError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** @returns the answer to a request; errors of `answer` are in it, programming errors without their text */
export async function answerOf(answer: () => Promise<unknown>): Promise<Answer> {
  try {
    return { result: await answer() };
  } catch (error) {
    if (!(error instanceof EtherwsError)) return { error: { code: 'CLUSTER_UNAVAILABLE', message: 'The node failed' } };
    const { code, message, hint } = error;
    return { error: { code, message, hint } };
  }
}

/** @returns the result of an answer. @throws EtherwsError the error in it */
export function resultOf(answer: Answer): unknown {
  if (!('error' in answer)) return answer.result;
  const { code, message, hint } = answer.error;
  const isKnown = (ERROR_CODES as readonly string[]).includes(code);
  throw new EtherwsError(isKnown ? (code as ErrorCode) : 'CLUSTER_UNAVAILABLE', message, hint ? { hint } : {});
}
