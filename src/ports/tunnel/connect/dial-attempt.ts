import { once } from 'node:events';
import type { Socket } from 'node:net';

/** How far a dialling has come: the same reset or silence means another thing at each stage. */
export type DialStage = 'lookup' | 'connect' | 'tls' | 'http';

/** A dialling under way: how far it has come, what ends it early, and every socket that it must not leave behind. */
export class DialAttempt {
  readonly signal: AbortSignal;
  stage: DialStage = 'connect';
  /** The name that is looked up, or was last. */
  name = '';
  readonly #sockets: Socket[] = [];

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** Takes note that a name is looked up. @throws what that fails with, or the reason of the signal */
  async lookedUp<T>(name: string, found: Promise<T>): Promise<T> {
    const before = this.stage;
    this.stage = 'lookup';
    this.name = name;
    let abort: () => void = ignore;
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => reject(this.signal.reason);
      this.signal.addEventListener('abort', abort, { once: true });
    });
    try {
      const result = await Promise.race([found, aborted]);
      this.stage = before;
      return result;
    } finally {
      this.signal.removeEventListener('abort', abort);
    }
  }

  /** Takes note of a socket. Between two phases nothing else listens for its errors. */
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
  // Code that waits for the socket is told as well.
}
