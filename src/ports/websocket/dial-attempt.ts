import { once } from 'node:events';
import type { Socket } from 'node:net';

/** A dialling under way: what ends it early, and every socket that it must not leave behind. */
export class DialAttempt {
  readonly signal: AbortSignal;
  readonly #sockets: Socket[] = [];

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** Takes note of a socket. Between two phases nobody else listens for its errors. */
  hold<T extends Socket>(socket: T): T {
    socket.on('error', ignore);
    this.#sockets.push(socket);
    return socket;
  }

  /** Waits for an event. @throws what the socket fails with, or the reason of the signal */
  async reached(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    try {
      await once(socket, event, { signal: this.signal });
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }

  /** Cuts what was connected; resolves when all of it is gone. */
  async abandon(): Promise<void> {
    await Promise.all(
      this.#sockets.map(async (socket) => {
        if (socket.closed) return;
        const closed = once(socket, 'close');
        socket.destroy();
        await closed;
      }),
    );
  }
}

function ignore(): void {
  // Whoever waits for the socket hears of it as well.
}
