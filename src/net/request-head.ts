import type { IncomingMessage } from 'node:http';

/** `host[:port]` of RFC 9110, 7.2. A zone behind an IPv6 address is let pass; `Host` may be empty. */
const HOST = /^(?:\[[\da-f:.]+(?:%[\w.~%-]+)?\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;
const ABSOLUTE_TARGET = /^(?:https?|wss?):\/\/([^/?#]*)([^#]*)$/i;

/**
 * What makes the head of a request invalid (RFC 9112, 3.2): no `Host` in
 * HTTP/1.1, more than one, or one that names no host; likewise a target in
 * absolute form. A server has to answer 400.
 * @returns a sentence, undefined for a head that may be read on
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
 * What makes a request for another protocol invalid: `Upgrade` needs HTTP/1.1
 * (RFC 9110, 7.8), and with a body nothing tells where the new protocol begins.
 * @returns a sentence, undefined for one that may be answered by 101
 */
export function faultOfUpgrade({ httpVersion, headers }: IncomingMessage): string | undefined {
  if (httpVersion !== '1.1') {
    return 'The opening handshake needs HTTP/1.1 (of nginx in front: proxy_http_version 1.1)';
  }
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0)) return undefined;
  return 'The opening handshake must not have a body';
}

/** Whether a request asks for WebSocket, be it among other protocols. */
export function wantsWebSocket({ headers: { upgrade = '', connection = '' } }: IncomingMessage): boolean {
  return hasToken(upgrade, 'websocket') && hasToken(connection, 'upgrade');
}

/**
 * Brings a target in absolute form into origin form. Its host counts, and `Host`
 * does not (RFC 9112, 3.2.2), so it takes the place of that.
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
