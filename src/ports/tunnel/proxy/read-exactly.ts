import type { Socket } from 'node:net';

/**
 * The next octets of a socket that nothing else reads; what follows them stays in it.
 * @throws when the stream ends before, or with the reason of the signal
 */
export async function readExactly(socket: Socket, count: number, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes?.length === count) return bytes;
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new Error('it closed the connection');
    await changed(socket, signal);
  }
}

/** There is something to read, or there will never be. */
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
