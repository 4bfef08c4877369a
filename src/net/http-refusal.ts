import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** An HTTP error response, after which the connection is closed. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** the body, as browsers and curl show it: one sentence and a line end */
  readonly text: string;
}

export const FULL: Refusal = {
  status: 503,
  headers: { 'Retry-After': '10' },
  text: 'Too many tunnels; try again later.\n',
};

/** 400 Bad Request. @param breach a sentence without its full stop */
export function badRequest(breach: string): Refusal {
  return { status: 400, text: `${breach}.\n` };
}

/** The header fields of a refusal. None of them contains text of the peer, so none can be injected. */
export function headersOf(refusal: Refusal): Record<string, string> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    ...refusal.headers,
    'Content-Length': String(Buffer.byteLength(refusal.text)),
    Connection: 'close',
  };
}

/** Writes the response to the socket of an upgrade request, and closes it. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const lines = [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`];
  for (const [name, value] of Object.entries(headersOf(refusal))) lines.push(`${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${refusal.text}`);
}
