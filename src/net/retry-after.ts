import type { IncomingMessage } from 'node:http';
import { type ErrorCode, type ErrorDetails, EtherwsError } from '../errors.ts';

/** A server, or a proxy before it, that is there and wants to be asked again later, not before. */
export class RetryLaterError extends EtherwsError {
  readonly retryAfterMs: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails & { readonly retryAfterMs: number }) {
    super(code, message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** How long whatever failed asks to wait at least; undefined where it does not. */
export function askedWaitMs(error: unknown): number | undefined {
  return error instanceof RetryLaterError ? error.retryAfterMs : undefined;
}

/**
 * How long an answer of status 429 or 503 asks to wait: `Retry-After` is a
 * number of seconds or an HTTP date (RFC 9110, 10.2.3). A date is measured by
 * that of the answer, where it has one, since the clocks may differ.
 * @param nowMs the time of the system's clock
 */
export function retryAfterMs({ statusCode, headers }: IncomingMessage, nowMs: number): number | undefined {
  if (statusCode !== 429 && statusCode !== 503) return undefined;
  const field = headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(field)) return Number(field) * 1000;
  const date = httpDateMs(field);
  if (date === undefined) return undefined;
  return Math.max(0, date - (httpDateMs(headers.date ?? '') ?? nowMs));
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` and the obsolete formats (RFC 9110, 5.6.7). */
function httpDateMs(text: string): number | undefined {
  if (!/^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(text)) return undefined;
  const isZoned = text.endsWith('GMT');
  const ms = Date.parse(isZoned ? text : `${text} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}
