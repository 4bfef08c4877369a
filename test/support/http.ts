import { type IncomingMessage, type OutgoingHttpHeaders, request as plainRequest } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import { onceAny } from './waits.ts';

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export const UPGRADE: OutgoingHttpHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** Makes an opening handshake, and closes the connection if it succeeds. With `ca` over TLS. */
export function knock(options: RequestOptions): Promise<Answer> {
  return ask({ ...options, headers: { ...UPGRADE, ...options.headers } });
}

/** Calls a method of the control API. With `ca` over TLS. */
export function call(options: RequestOptions, method = 'listPort', params: object = {}): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `etherws.control.${method}`, params });
  const headers = { 'Content-Type': 'application/json', ...options.headers };
  return ask({ path: '/ctl', method: 'POST', ...options, headers }, body);
}

/** Sends one request on a new connection. */
export async function ask(options: RequestOptions, body?: string): Promise<Answer> {
  const start = options.ca === undefined ? plainRequest : secureRequest;
  const request = start({ host: '127.0.0.1', agent: false, ...options });
  request.end(body);
  const [response, socket] = (await onceAny(request, ['response', 'upgrade'])) as [IncomingMessage, Socket?];
  const { statusCode: status, headers } = response;
  if (status === 101) {
    socket?.destroy();
    return { status, headers, body: '' };
  }
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status, headers, body: text };
}
