import type { Duplex } from 'node:stream';
import { PeerDeadline } from './peer-deadline.ts';

/** Functions, since the limits of a running service may change. */
export interface PendingUpgradesOptions {
  /** the most requests that wait */
  readonly most: () => number;
  /** how long one may wait */
  readonly timeoutMs: () => number;
  /** Called when the oldest one was cut to make room. */
  readonly onDisplaced?: () => void;
  /** Called when one was cut that had waited for too long. */
  readonly onOverdue?: () => void;
}

/**
 * Upgrade requests that wait for the verdict about their credentials: one more than the limit cuts the oldest, and the end of
 * a connection is noticed meanwhile.
 */
export class PendingUpgrades {
  readonly #options: PendingUpgradesOptions;
  /** the oldest first */
  readonly #sockets = new Set<Duplex>();

  constructor(options: PendingUpgradesOptions) {
    this.#options = options;
  }

  /** Destroys the socket if its peer leaves, or waits for too long. @returns to be called with the verdict, before the socket is used further */
  add(socket: Duplex): () => void {
    const { most, timeoutMs, onDisplaced, onOverdue } = this.#options;
    const [oldest] = this.#sockets;
    if (oldest !== undefined && this.#sockets.size >= most()) {
      this.#sockets.delete(oldest);
      oldest.destroy();
      onDisplaced?.();
    }
    const release = this.hold(socket);
    const deadline = new PeerDeadline(timeoutMs(), () => {
      // It has ended by itself in the last turn.
      if (socket.destroyed) return;
      onOverdue?.();
      socket.destroy();
    });
    const left = (): Duplex => socket.destroy();
    const decided = (): void => {
      deadline.cancel();
      release();
      socket.off('readable', ignore).off('end', left).off('close', decided);
    };
    // Without reading, the end of the connection would not be noticed; the octets read stay buffered.
    socket.on('readable', ignore).on('end', left).once('close', decided);
    return decided;
  }

  /** Counts a socket whose answer is leaving, which `close` cuts, too. @returns to be called when it has left */
  hold(socket: Duplex): () => void {
    const release = (): void => {
      this.#sockets.delete(socket);
      socket.off('close', release);
    };
    this.#sockets.add(socket);
    socket.once('close', release);
    return release;
  }

  /** Cuts all of them. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

function ignore(): void {
  // Its octets are for the code that has the verdict.
}
