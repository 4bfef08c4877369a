import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** An HTTP answer that ends the matter. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** for the person who reads it in a browser or with curl */
  readonly text: string;
}

/** The headers of a refusal as text; none of it depends on what the peer sent. */
export function headersOf(refusal: Refusal): Record<string, string> {
  return {
    ...refusal.headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(refusal.text)),
    Connection: 'close',
  };
}

/** Answers on the bare socket of an upgrade request, and closes it. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const lines = [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`];
  for (const [name, value] of Object.entries(headersOf(refusal))) lines.push(`${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${refusal.text}`);
}
