import type { IncomingMessage, ServerResponse } from 'node:http';

/** Limits for reading a refused body. Closing a socket with unread octets resets the connection, and the response is lost. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 1000;

/**
 * Sends a response to a request whose body is not wanted, reads the rest of the body, and closes the connection.
 * @param headers beside `Content-Length` and `Connection`
 */
export function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, text }: { status: number; headers: Readonly<Record<string, string>>; text: string },
): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text), Connection: 'close' });
  response.write(text);
  drain(request, () => response.end());
}

/** Reads and drops the rest of a body, up to the linger limits, then calls `done` once. */
function drain(request: IncomingMessage, done: () => void): void {
  if (request.complete || request.destroyed) {
    done();
    return;
  }
  let bytes = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('close', finish);
    done();
  };
  const onData = (piece: Uint8Array): void => {
    bytes += piece.byteLength;
    if (bytes > LINGER_BYTES) finish();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('data', onData).on('end', finish).on('close', finish).resume();
}
