import type { Socket } from 'node:net';

/**
 * Reads the next `count` octets of a socket without another reader; later octets stay in its buffer.
 * @throws when the stream ends before them, or the signal's reason
 */
export async function readExactly(socket: Socket, count: number, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes?.length === count) return bytes;
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new Error('it closed the connection');
    await changed(socket, signal);
  }
}

/** Resolves when octets arrived, or the stream ended; rejects with its error, or with the signal's reason. */
function changed(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const events = ['readable', 'end', 'close'] as const;
    const settle = (): void => {
      for (const event of events) socket.off(event, proceed);
      socket.off('error', fail);
      signal.removeEventListener('abort', abort);
    };
    const proceed = (): void => {
      settle();
      resolve();
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const abort = (): void => fail(signal.reason);
    for (const event of events) socket.on(event, proceed);
    socket.on('error', fail);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
