import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../errors.ts';
import { isAllowedHost } from '../net/allowed-host.ts';
import { type Site, siteOfSocket } from '../net/site.ts';

/** The response to a request that is refused before its body is read. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/**
 * Checks a request to the control API before any password is verified.
 * Any web page can make a browser send requests to 127.0.0.1. So:
 *
 * 1. `Host` must be a name of this switch: against DNS rebinding, in which the owner of
 *    a page makes its name resolve to 127.0.0.1;
 * 2. `Origin`, if present, must be that of this switch: against cross-site requests;
 * 3. the content type must be one that an HTML form cannot send: the same, for
 *    browsers that do not send `Origin`.
 *
 * @param site the address of this switch as the client sees it, if a proxy is in between
 * @returns undefined for a request that is accepted
 */
export function refuseRequest(
  request: IncomingMessage,
  allowedHosts: readonly string[],
  site: Site = siteOfSocket(request),
): Refusal | undefined {
  const foreign = refuseOrigin(request, allowedHosts, site);
  if (foreign !== undefined) return foreign;
  if (request.method !== 'POST') {
    return { status: 405, code: 'REQUEST_REFUSED', message: 'The control API takes only POST', hint: SEND };
  }
  if (mediaType(request.headers['content-type']) !== 'application/json') {
    return { status: 415, code: 'REQUEST_REFUSED', message: 'The body must be application/json', hint: SEND };
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    return { status: 415, code: 'REQUEST_REFUSED', message: 'The body must not be compressed', hint: SEND };
  }
  return undefined;
}

/** The first two of the three, which hold for the opening handshake of a WebSocket, too. */
export function refuseOrigin(
  request: IncomingMessage,
  allowedHosts: readonly string[],
  site: Site = siteOfSocket(request),
): Refusal | undefined {
  const { host, origin } = request.headers;
  // Both, since a proxy may pass on what a page wrote into X-Forwarded-Host.
  if (!isAllowedHost(host, allowedHosts) || !isAllowedHost(site.host, allowedHosts)) {
    return forbidden(
      host === undefined ? 'The request has no Host' : 'The Host of the request is not a name of this switch',
      'Use an address or localhost, or start the switch with --ctlname NAME',
    );
  }
  if (origin !== undefined && origin.toLowerCase() !== `${site.scheme}://${site.host}`.toLowerCase()) {
    return forbidden(
      'Pages of other origins may not control this switch',
      'Send no Origin, or the own one; a proxy that ends TLS must be a --trusted-proxy and send X-Forwarded-Proto',
    );
  }
  return undefined;
}

const SEND = 'Send a JSON-RPC 2.0 request by POST with Content-Type: application/json';

function forbidden(message: string, hint: string): Refusal {
  return { status: 403, code: 'REQUEST_REFUSED', message, hint };
}

function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase();
}
