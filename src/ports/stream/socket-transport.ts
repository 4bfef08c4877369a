import type { Socket } from 'node:net';
import { Assembly } from './assembly.ts';
import { BUFFERS } from './buffer-budget.ts';
import { readIntoOneBuffer } from './onread-buffer.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** A transport over a connected socket of Node, with or without TLS. */
export class SocketTransport implements Transport {
  readonly kind = 'node';
  readonly #socket: Socket;
  #events: TransportEvents | undefined;
  #assembly: Assembly | undefined;
  #failure: Error | undefined;
  /** Octets that the stream read before `start`. */
  readonly #prefetched: Buffer[] = [];
  /** Octets of ciphertext that Node's TLS holds beyond those written to it. */
  #sealedBytes = 0;
  /** Pending callbacks of writes that completed at once and were reported already. */
  #settledWrites = 0;

  /**
   * @param socket paused, with no listeners but the caller's
   * @param head octets already read from it
   */
  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    if (head.length > 0) socket.unshift(head);
    socket.setTimeout(0);
    socket.setNoDelay(true);
    this.#failure = socket.errored ?? undefined;
    // After a violation of TLS, Node emits an error and leaves the connection open (end-when-broken.ts).
    socket.on('error', (error) => {
      this.#failure ??= error;
      socket.destroy();
    });
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#socket.closed) {
      process.nextTick(() => events.closed(this.#failure));
      return;
    }
    this.#socket.on('end', () => events.ended());
    this.#socket.on('close', () => {
      this.#countSealed(0);
      events.closed(this.#failure);
    });
  }

  start(): void {
    const events = this.#events;
    if (events === undefined) throw new TypeError('start before listen');
    const socket = this.#socket;
    const assembly = new Assembly(events);
    this.#assembly = assembly;
    if (socket.destroyed) assembly.close();
    socket.on('close', () => assembly.close());
    // The octets in the stream's buffer come first; only then may reads bypass the stream.
    socket.pause();
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      this.#prefetched.push(chunk);
    }
    process.nextTick(() => this.#receive(assembly));
    const isLanding = readIntoOneBuffer(socket, (bytes, count) => this.#receive(assembly, bytes, count));
    if (!isLanding) socket.on('data', (chunk: Buffer) => this.#receive(assembly, chunk, chunk.length));
    socket.resume();
  }

  #receive(assembly: Assembly, bytes?: Buffer, count = 0): void {
    for (const chunk of this.#prefetched.splice(0)) assembly.take(chunk, chunk.length);
    if (bytes !== undefined) assembly.take(bytes, count);
  }

  write(bytes: Buffer): boolean {
    // A destroyed socket discards writes; 'close' follows.
    if (this.#socket.destroyed) return false;
    this.#socket.write(bytes, this.#onWritten);
    if (this.#socket.writableLength > 0) {
      if ('encrypted' in this.#socket) this.#countSealed(bytes.length);
      return false;
    }
    // The kernel took everything at once, and libuv holds no reference to the octets; the callback follows in a microtask.
    this.#settledWrites++;
    return true;
  }

  readonly writeBytes: number = 256 * 1024;

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get heldBytes(): number {
    return this.#sealedBytes + (this.#assembly?.heldBytes ?? 0);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#assembly?.close();
    const socket = this.#socket;
    // With TLS this sends close_notify (RFC 8446, 6.1), at once when no write waits.
    if (!socket.destroyed && socket.writable && socket.writableLength === 0) socket.end();
    socket.destroy();
  }

  // A failed write is reported by an error, by a destroyed socket, or by both.
  readonly #onWritten = (error?: Error | null): void => {
    if (this.#settledWrites > 0) this.#settledWrites--;
    else if (!error && !this.#socket.destroyed) {
      this.#countSealed(0);
      this.#events?.written();
    }
  };

  #countSealed(bytes: number): void {
    BUFFERS.hold(bytes - this.#sealedBytes);
    this.#sealedBytes = bytes;
  }
}
