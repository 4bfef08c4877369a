import type { IncomingMessage } from 'node:http';

/** `host[:port]` of RFC 9110, 7.2. An IPv6 zone is accepted, though not in the RFC; `Host` may be empty. */
const HOST = /^(?:\[[\da-f:.]+(?:%[\w.~%-]+)?\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;
const ABSOLUTE_TARGET = /^(?:https?|wss?):\/\/([^/?#]*)([^#]*)$/i;

/**
 * Checks the head of a request (RFC 9112, 3.2). Invalid are: no `Host` in HTTP/1.1,
 * more than one, and a `Host` or a target in absolute form with an invalid host. The
 * response must then be 400.
 * @returns the fault as a sentence without its full stop; undefined for a valid head
 */
export function faultOfHead({ httpVersion, rawHeaders, url = '' }: IncomingMessage): string | undefined {
  const authority = ABSOLUTE_TARGET.exec(url)?.[1];
  if (authority !== undefined && (authority === '' || !HOST.test(authority))) {
    return 'The target of the request names no host';
  }
  let hosts = 0;
  let isHost = true;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'host') continue;
    hosts++;
    isHost &&= HOST.test(rawHeaders[index + 1] ?? '');
  }
  if (hosts > 1) return 'The request has more than one Host field';
  if (hosts === 0 && httpVersion !== '1.0') return 'The request has no Host field';
  return isHost ? undefined : 'The Host field of the request names no host';
}

/**
 * Checks an upgrade request: `Upgrade` needs HTTP/1.1 (RFC 9110, 7.8), and a body
 * would hide where the new protocol begins.
 * @returns the fault as a sentence without its full stop; undefined for a valid request
 */
export function faultOfUpgrade({ httpVersion, headers }: IncomingMessage): string | undefined {
  if (httpVersion !== '1.1') {
    return 'The opening handshake needs HTTP/1.1 (of nginx in front: proxy_http_version 1.1)';
  }
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0)) return undefined;
  return 'The opening handshake must not have a body';
}

/** Whether WebSocket is among the protocols that a request offers. */
export function wantsWebSocket({ headers: { upgrade = '', connection = '' } }: IncomingMessage): boolean {
  return hasToken(upgrade, 'websocket') && hasToken(connection, 'upgrade');
}

/**
 * Changes a target in absolute form to origin form. Its host replaces `Host`, which
 * a server must ignore then (RFC 9112, 3.2.2).
 */
export function useAbsoluteTarget(request: IncomingMessage): void {
  const parts = ABSOLUTE_TARGET.exec(request.url ?? '');
  if (parts === null) return;
  const [, authority = '', rest = ''] = parts;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  request.headers.host = authority;
}

function hasToken(list: string, token: string): boolean {
  return list.split(',').some((word) => word.trim().toLowerCase() === token);
}
