import type { IncomingMessage } from 'node:http';
import { badRequest, type Refusal } from '../../../net/http-refusal.ts';
import { faultOfHead, faultOfUpgrade, wantsWebSocket } from '../../../net/request-head.ts';
import { MESH_FULL_HEADER } from '../../../wire/tunnel/mesh-headers.ts';
import { REDIRECT_HEADER } from '../../../wire/tunnel/roaming-headers.ts';

export const NOT_FOUND: Refusal = { status: 404, text: 'There is nothing here.\n' };
export const UNKNOWN_NETWORK: Refusal = { status: 404, text: 'There is no such network.\n' };
export const FORBIDDEN_NETWORK: Refusal = { status: 403, text: 'You are known here, and may not join this network.\n' };
export const NETWORKS_FULL: Refusal = {
  status: 503,
  headers: { 'Retry-After': '10' },
  text: 'There are as many networks as there may be; try again later.\n',
};
export const MESH_FULL: Refusal = {
  status: 503,
  headers: { 'Retry-After': '10', [MESH_FULL_HEADER]: '1' },
  text: 'There are as many mesh tunnels of automatic networks as there may be; try again later.\n',
};
export const FOREIGN_PAGE: Refusal = {
  status: 403,
  text: 'Pages of this origin may not join; its operator can allow them with --origin.\n',
};
/** 508 Loop Detected (RFC 5842, 7.2). */
export const TO_ITSELF: Refusal = { status: 508, text: 'The tunnel leads from this switch to itself.\n' };
export const STOPPING: Refusal = { status: 503, headers: { 'Retry-After': '10' }, text: 'The switch is stopping.\n' };
/** The node is drained, and the client does not follow redirects, or there is no other node. */
export const DRAINING: Refusal = {
  status: 503,
  headers: { 'Retry-After': '1' },
  text: 'This node takes no more tunnels; dial another one of its cluster.\n',
};

/** 307 Temporary Redirect (RFC 9110, 15.4.8) to another node. @param location has no text of the client but a network's name */
export function redirectTo(location: string): Refusal {
  return {
    status: 307,
    headers: { Location: location, [REDIRECT_HEADER]: '1' },
    text: 'Another node of the cluster takes this tunnel.\n',
  };
}

export const BUSY: Refusal = {
  status: 503,
  headers: { 'Retry-After': '5' },
  text: 'Too many logins; try again later.\n',
};
export const THROTTLED: Refusal = {
  status: 429,
  headers: { 'Retry-After': '10' },
  text: 'Too many failed logins from your address; try again later.\n',
};
export const TOO_MANY_OF_ADDRESS: Refusal = {
  status: 429,
  headers: { 'Retry-After': '10' },
  text: 'Too many tunnels from your address; try again later.\n',
};
export const TOO_MANY_OF_USER: Refusal = {
  status: 429,
  headers: { 'Retry-After': '10' },
  text: 'You have as many tunnels as you may have.\n',
};
export const FORBIDDEN: Refusal = { status: 403, text: 'You are known here, and may not open tunnels.\n' };
export const WRONG_METHOD: Refusal = { status: 405, headers: { Allow: 'GET' }, text: 'Only GET is allowed here.\n' };
export const UPGRADE_REQUIRED: Refusal = {
  status: 426,
  headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
  text: 'This is an etherws tunnel: connect to it with a WebSocket client. (Its certificate is now accepted here.)\n',
};
export const BAD_KEY: Refusal = { status: 400, text: 'Sec-WebSocket-Key is missing, or is not 16 octets in base64.\n' };

export function refusalOfRequest(request: IncomingMessage): Refusal {
  return request.method === 'GET' || request.method === 'HEAD' ? UPGRADE_REQUIRED : WRONG_METHOD;
}

/**
 * The answer to a client that the authenticator refuses. 401 requires a
 * challenge (RFC 9110, 15.5.2), and HTTP has none for certificates.
 */
export function refusalOfCredentials(reason: 'missing' | 'wrong' | 'busy' | 'throttled', challenge: string): Refusal {
  if (reason === 'busy') return BUSY;
  if (reason === 'throttled') return THROTTLED;
  if (challenge === '') return { status: 403, text: 'A client certificate that this switch trusts is needed.\n' };
  const text =
    reason === 'missing' ? 'A user and a password, or a token, are needed.\n' : 'Wrong user, password or token.\n';
  return { status: 401, headers: { 'WWW-Authenticate': challenge }, text };
}

/** The answer to an invalid opening handshake (RFC 6455, 4.2.1); undefined when it is valid. */
export function faultOfHandshake(request: IncomingMessage): Refusal | undefined {
  const { method, headers } = request;
  const breach = faultOfHead(request) ?? faultOfUpgrade(request);
  if (breach !== undefined) return badRequest(breach);
  if (method !== 'GET') return WRONG_METHOD;
  if (!wantsWebSocket(request)) return UPGRADE_REQUIRED;
  const version = headers['sec-websocket-version'];
  if (version !== '13') return wrongVersion(version);
  return /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') ? undefined : BAD_KEY;
}

/** Names the supported version, 13 (RFC 6455, 4.4). */
function wrongVersion(version: string | undefined): Refusal {
  const what = version === undefined ? 'is missing' : /^[\d, ]{1,20}$/.test(version) ? `is ${version}` : 'is no number';
  return { ...UPGRADE_REQUIRED, text: `Sec-WebSocket-Version ${what}; this switch speaks version 13.\n` };
}
