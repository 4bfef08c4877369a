import type { WebSocket } from '../net/web-socket-library.ts';
import type { Logger } from '../observability/logger.ts';
import { LimitedSocket } from './limited-socket.ts';

/** Limit of the octets that wait in all WebSockets of the control API and the console together. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Which share of the limit a reader must hold to be ended. */
const SHARE = 64;

/**
 * Bounds what waits for slow readers in all WebSockets together, beside the bounds of each. Beyond it a reader is ended that
 * holds a share: of the user for whom most octets wait, the one whose octets wait longest. So a user that reads slowly ends no
 * readers of others that hold less. Callers without credentials are one user. An answer that is longer than the limit is still sent where it waits alone.
 */
export class WaitingLimit {
  readonly #readers = new Set<LimitedSocket>();
  readonly #mostBytes: number;

  /** @param mostBytes default: 64 MiB */
  constructor(mostBytes: number = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Takes a WebSocket until it is closed. @param user that of its caller, for the log */
  watch(webSocket: WebSocket, user: string | null, logger: Logger): LimitedSocket {
    const reader = new LimitedSocket(webSocket, user, {
      check: () => this.#check(),
      ended: (waitingBytes, waitedMs) => {
        const facts = { user, waitingBytes, waitedMs: Math.round(waitedMs), limitBytes: this.#mostBytes };
        logger.warn(
          facts,
          'a WebSocket of the control API was ended: it reads too slowly, and too much waits in all of them',
        );
      },
    });
    this.#readers.add(reader);
    webSocket.once('close', () => this.#readers.delete(reader));
    return reader;
  }

  #check(): void {
    let sum = 0;
    const ofUsers = new Map<string | null, number>();
    const large = new Set<LimitedSocket>();
    for (const reader of this.#readers) {
      const { waitingBytes, user } = reader;
      sum += waitingBytes;
      ofUsers.set(user, (ofUsers.get(user) ?? 0) + waitingBytes);
      if (waitingBytes >= this.#mostBytes / SHARE) large.add(reader);
    }
    const bytesOf = ({ user }: LimitedSocket): number => ofUsers.get(user) ?? 0;
    while (sum > this.#mostBytes && large.size > 1) {
      const [next] = [...large].sort((one, other) => bytesOf(other) - bytesOf(one) || one.sinceMs - other.sinceMs);
      const slowest = next as LimitedSocket;
      const { waitingBytes, user } = slowest;
      sum -= waitingBytes;
      ofUsers.set(user, bytesOf(slowest) - waitingBytes);
      large.delete(slowest);
      this.#readers.delete(slowest);
      slowest.end();
    }
  }
}
