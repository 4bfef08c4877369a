import type { WebSocket } from '../net/web-socket-library.ts';
import type { Logger } from '../observability/logger.ts';

/** Limit of the octets that wait in all WebSockets of the control API and the console together. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Which share of the limit a reader must hold to be ended. */
const SHARE = 64;
/** A send that leaves fewer octets waiting is no occasion to look at all readers. */
const FEW_BYTES = 64 * 1024;

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

interface Watch {
  check(): void;
  ended(waitingBytes: number, waitedMs: number): void;
}

/** A WebSocket whose waiting octets are counted by a `WaitingLimit`. */
export class LimitedSocket {
  readonly #webSocket: WebSocket;
  readonly #watch: Watch;
  /** The messages that wait, from the oldest one on. */
  readonly #waiting = new Set<{ readonly sentMs: number }>();
  readonly user: string | null;

  constructor(webSocket: WebSocket, user: string | null, watch: Watch) {
    this.#webSocket = webSocket;
    this.user = user;
    this.#watch = watch;
  }

  /** Octets that wait to be handed to the system. */
  get waitingBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  /** When the first of the messages that wait was sent, by `performance.now()`; infinite: none waits. */
  get sinceMs(): number {
    for (const { sentMs } of this.#waiting) return sentMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Sends a text message. @param done called when it was handed to the system, or never will be */
  send(text: string | Buffer, done: () => void = () => undefined): void {
    this.#send(text, false, done);
  }

  /** Sends a binary message. @param done as of `send` */
  sendBinary(octets: Uint8Array, done: () => void): void {
    this.#send(octets, true, done);
  }

  #send(message: string | Uint8Array, binary: boolean, done: () => void): void {
    const waiting = { sentMs: performance.now() };
    this.#waiting.add(waiting);
    this.#webSocket.send(message, { binary }, () => {
      this.#waiting.delete(waiting);
      done();
    });
    if (this.waitingBytes > FEW_BYTES) this.#watch.check();
  }

  /** Cuts the connection: a close frame would wait behind everything else. */
  end(): void {
    this.#watch.ended(this.waitingBytes, performance.now() - this.sinceMs);
    this.#webSocket.terminate();
  }
}
