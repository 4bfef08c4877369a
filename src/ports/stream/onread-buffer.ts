import type { Socket } from 'node:net';

/** Node's own names for a socket's reusable buffer and for who is told that it was filled. */
interface LandingSymbols {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** A TLS record is at most this long, and Node reads TLS by records. */
const LANDING_BYTES = 64 * 1024;

/** Delivery is synchronous: one place serves all sockets of the process, and stays in the cache. */
let landing: Buffer | undefined;

/**
 * Makes a socket put what arrives into one buffer of the process, instead of a
 * fresh one of 64 KiB for each read, whose collection costs more than TLS does.
 *
 * `net.connect` and `tls.connect` have an option for that (`onread`), an accepted
 * socket has not, though it is the same mechanism. So this sets what the option
 * would set; a test fails when a new Node no longer heeds it.
 *
 * @param onOctets gets the buffer and how many octets are in it, until it returns
 * @returns false when this Node has no such mechanism: then nothing was changed
 */
export function landHere(socket: Socket, onOctets: (bytes: Buffer, count: number) => void): boolean {
  const symbols = symbolsOf(socket);
  const { _handle: handle } = socket as unknown as { _handle?: { useUserBuffer?: (bytes: Buffer) => void } | null };
  if (symbols === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  landing ??= Buffer.allocUnsafeSlow(LANDING_BYTES);
  const bytes = landing;
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

function symbolsOf(socket: Socket): LandingSymbols | undefined {
  const own = Object.getOwnPropertySymbols(socket);
  const find = (description: string): symbol | undefined => own.find((symbol) => symbol.description === description);
  const buffer = find('kBuffer');
  const callback = find('kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
