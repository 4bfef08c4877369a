import type { IncomingMessage } from 'node:http';
import { type Refusal, refuseOrigin } from '../control/request-guard.ts';
import type { Site } from '../net/site.ts';

/**
 * Checks a request that changes a session: it must come from a page of this very origin. `Origin` and `Sec-Fetch-Site` say
 * so; and a content type that no HTML form can send makes a browser ask first, which is refused, where it sends neither.
 * So no other site can log a browser in (login CSRF) or out.
 */
export function refuseChange(
  request: IncomingMessage,
  allowedHosts: readonly string[],
  site: Site,
): Refusal | undefined {
  const foreign = refuseOrigin(request, allowedHosts, site);
  if (foreign !== undefined) return foreign;
  if (request.method !== 'POST') return METHOD;
  const { headers } = request;
  if ((headers['sec-fetch-site'] ?? 'same-origin') !== 'same-origin') return FOREIGN;
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/json' && headers['content-encoding'] === undefined ? undefined : TYPE;
}

/** Checks a request that changes nothing. */
export function refuseReading(
  request: IncomingMessage,
  allowedHosts: readonly string[],
  site: Site,
): Refusal | undefined {
  const foreign = refuseOrigin(request, allowedHosts, site);
  if (foreign !== undefined) return foreign;
  return request.method === 'GET' || request.method === 'HEAD' ? undefined : METHOD;
}

const METHOD: Refusal = {
  status: 405,
  code: 'REQUEST_REFUSED',
  message: 'This path takes another method',
  hint: 'login and logout take POST, all others GET and HEAD',
};
const FOREIGN: Refusal = {
  status: 403,
  code: 'REQUEST_REFUSED',
  message: 'Pages of other origins may not log in or out',
  hint: 'Open the console itself',
};
const TYPE: Refusal = {
  status: 415,
  code: 'REQUEST_REFUSED',
  message: 'The body must be application/json, and not compressed',
  hint: 'Send Content-Type: application/json',
};
