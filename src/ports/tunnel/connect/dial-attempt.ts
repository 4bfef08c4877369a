import { once } from 'node:events';
import type { Socket } from 'node:net';

/** The stage of a dial: the same reset or timeout has another cause at each stage. */
export type DialStage = 'lookup' | 'connect' | 'tls' | 'http';

/** A dial in progress: its stage, its abort signal, and the sockets to destroy when it fails. */
export class DialAttempt {
  readonly signal: AbortSignal;
  stage: DialStage = 'connect';
  /** The name that was looked up last. */
  name = '';
  /** The address of the server; undefined before it is connected to, and through a proxy. */
  address: string | undefined;
  /** It is an address of this host. */
  isOwn = false;
  readonly #sockets: Socket[] = [];

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** Waits for the look-up of a name. @throws its error, or the reason of the signal */
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

  /** Registers a socket, and listens for its errors, which nothing else does between two stages. */
  hold<T extends Socket>(socket: T): T {
    socket.on('error', ignore);
    this.#sockets.push(socket);
    return socket;
  }

  /** Waits for an event. @throws the socket's error, or the reason of the signal */
  async reached(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    try {
      await once(socket, event, { signal: this.signal });
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }

  /** Destroys the registered sockets; resolves when all of them are closed. */
  async abandon(): Promise<void> {
    // TLS before the connection below it: the other order crashes Node 20, which then uses a handle that is gone.
    for (const socket of this.#sockets.toReversed()) {
      if (socket.closed) continue;
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    }
  }
}

function ignore(): void {
  // The code that waits for the socket gets the same error.
}
