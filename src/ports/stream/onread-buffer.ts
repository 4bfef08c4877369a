import type { Socket } from 'node:net';

/** Node's symbols for a socket's reusable buffer, and for the callback that is told how much was read into it. */
interface OnreadSymbols {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** Four TLS records of 16 KiB; with TLS, Node reads one record at a time. */
const BUFFER_BYTES = 64 * 1024;

/** One buffer serves all sockets of the process: its octets are consumed before the callback returns. */
let shared: Buffer | undefined;

/**
 * Makes a socket read into one buffer of the process. By default Node allocates 64 KiB for each read, and collecting
 * these buffers takes more time than TLS.
 *
 * `net.connect` and `tls.connect` have the option `onread` for this. Accepted sockets have the same mechanism without
 * the option, so this function sets the fields that the option sets. A test fails when a new Node ignores them.
 *
 * @param onOctets called with the buffer, which is valid until it returns, and the number of octets in it
 * @returns false when this Node has no such mechanism; the socket is unchanged then
 */
export function readIntoOneBuffer(socket: Socket, onOctets: (bytes: Buffer, count: number) => void): boolean {
  const symbols = symbolsOf(socket);
  const { _handle: handle } = socket as unknown as { _handle?: { useUserBuffer?: (bytes: Buffer) => void } | null };
  if (symbols === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  shared ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const bytes = shared;
  Object.assign(socket, {
    [symbols.buffer]: bytes,
    [symbols.callback]: (count: number) => {
      onOctets(bytes, count);
      return true;
    },
  });
  handle.useUserBuffer(bytes);
  return true;
}

function symbolsOf(socket: Socket): OnreadSymbols | undefined {
  const own = Object.getOwnPropertySymbols(socket);
  const find = (description: string): symbol | undefined => own.find((symbol) => symbol.description === description);
  const buffer = find('kBuffer');
  const callback = find('kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
