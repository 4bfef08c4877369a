import type { WebSocket } from '../net/web-socket-library.ts';

/** So much of what waits is handed to the WebSocket; a close frame waits behind no more. */
const HANDED_BYTES = 256 * 1024;
/** A send that leaves fewer octets waiting is no occasion to look at all readers. */
const FEW_BYTES = 64 * 1024;
/** Try Again Later (the registry of RFC 6455, 7.4). */
const TRY_AGAIN_LATER = 1013;
const TOO_SLOW = 'reads too slowly, and too much waits in all connections of the control API';
/** A reader that is ended is cut after so long, if it has not read why. */
const ENDED_MS = 10_000;

export interface SocketWatch {
  /** Called after a send that leaves octets waiting. */
  check(): void;
  ended(waitingBytes: number, waitedMs: number): void;
}

interface Message {
  readonly octets: Uint8Array;
  readonly binary: boolean;
  readonly sentMs: number;
  readonly done: () => void;
  /** the octets that the WebSocket has */
  handed: number;
}

/**
 * A WebSocket whose waiting octets are counted by a `WaitingLimit`. A long message goes in fragments (RFC 6455, 5.4), so that
 * a reader that is ended can still be told why.
 */
export class LimitedSocket {
  readonly #webSocket: WebSocket;
  readonly #watch: SocketWatch;
  /** The messages that the WebSocket has not, or not as a whole. */
  readonly #queue: Message[] = [];
  #queuedBytes = 0;
  /** When the messages that the WebSocket has were sent, from the oldest one on. */
  readonly #handed = new Set<{ readonly sentMs: number }>();
  #closing: { readonly code: number; readonly reason: string } | undefined;
  #isEnded = false;
  readonly user: string | null;

  constructor(webSocket: WebSocket, user: string | null, watch: SocketWatch) {
    this.#webSocket = webSocket;
    this.user = user;
    this.#watch = watch;
    webSocket.once('close', () => this.#drop());
  }

  /** Octets that wait to be handed to the system. */
  get waitingBytes(): number {
    return this.#queuedBytes + this.#webSocket.bufferedAmount;
  }

  /** When the first of the messages that wait was sent, by `performance.now()`; infinite: none waits. */
  get sinceMs(): number {
    for (const { sentMs } of this.#handed) return sentMs;
    return this.#queue[0]?.sentMs ?? Number.POSITIVE_INFINITY;
  }

  /** Sends a text message. @param done called when it was handed to the system, or never will be */
  send(text: string | Buffer, done: () => void = () => undefined): void {
    this.#send(typeof text === 'string' ? Buffer.from(text) : text, false, done);
  }

  /** Sends a binary message. @param done as of `send` */
  sendBinary(octets: Uint8Array, done: () => void): void {
    this.#send(octets, true, done);
  }

  /** Ends the connection behind what waits. */
  close(code: number, reason: string): void {
    this.#closing ??= { code, reason };
    if (this.#queue.length === 0) this.#webSocket.close(code, reason);
    else this.#cutLater();
  }

  /** Ends the connection of a slow reader: all that waits is dropped, but what the WebSocket has already. */
  end(): void {
    this.#watch.ended(this.waitingBytes, performance.now() - this.sinceMs);
    this.#drop();
    this.#webSocket.close(TRY_AGAIN_LATER, TOO_SLOW);
    this.#cutLater();
  }

  #send(octets: Uint8Array, binary: boolean, done: () => void): void {
    if (this.#isEnded) {
      done();
      return;
    }
    this.#queue.push({ octets, binary, sentMs: performance.now(), done, handed: 0 });
    this.#queuedBytes += octets.length;
    this.#handOn();
    if (this.waitingBytes > FEW_BYTES) this.#watch.check();
  }

  #handOn(): void {
    while (!this.#isEnded && this.#webSocket.bufferedAmount < HANDED_BYTES) {
      const [message] = this.#queue;
      if (message === undefined) break;
      const { octets, binary, sentMs, done } = message;
      const piece = octets.subarray(message.handed, message.handed + HANDED_BYTES);
      message.handed += piece.length;
      this.#queuedBytes -= piece.length;
      const fin = message.handed === octets.length;
      if (fin) this.#queue.shift();
      const waiting = { sentMs };
      this.#handed.add(waiting);
      this.#webSocket.send(piece, { binary, fin }, () => {
        this.#handed.delete(waiting);
        if (fin) done();
        this.#handOn();
      });
    }
    if (this.#closing !== undefined && this.#queue.length === 0 && !this.#isEnded) {
      this.#webSocket.close(this.#closing.code, this.#closing.reason);
    }
  }

  /** Drops what the WebSocket has not. */
  #drop(): void {
    this.#isEnded = true;
    this.#queuedBytes = 0;
    for (const { done } of this.#queue.splice(0)) done();
  }

  #cutLater(): void {
    const timer = setTimeout(() => this.#webSocket.terminate(), ENDED_MS).unref();
    this.#webSocket.once('close', () => clearTimeout(timer));
  }
}
