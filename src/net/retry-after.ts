import type { IncomingMessage } from 'node:http';
import { type ErrorCode, type ErrorDetails, EtherwsError } from '../errors.ts';

/** A server, or a proxy before it, refused the request and said when to retry. */
export class RetryLaterError extends EtherwsError {
  readonly retryAfterMs: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails & { readonly retryAfterMs: number }) {
    super(code, message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** A node of the cluster has as many mesh tunnels of automatic networks as it may. */
export class MeshFullError extends RetryLaterError {}

/** The least wait before a retry that the peer asked for; undefined for other errors. */
export function requestedWaitMs(error: unknown): number | undefined {
  return error instanceof RetryLaterError ? error.retryAfterMs : undefined;
}

/**
 * The wait that a response of status 429 or 503 asks for: `Retry-After` is a
 * number of seconds or an HTTP date (RFC 9110, 10.2.3). A date is compared with
 * the `Date` of the response, if present, since the clocks of the two hosts may differ.
 * @param nowMs the wall-clock time
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
