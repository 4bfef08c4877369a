import { Assembly } from '../../src/ports/stream/assembly.ts';
import type { Transport, TransportEvents } from '../../src/ports/stream/transport.ts';

/** One end of a byte stream in memory. Written octets arrive in a later microtask, in chunks of `cut` octets. */
export class MemoryTransport implements Transport {
  readonly kind = 'node';
  #peer: MemoryTransport | undefined;
  #events: TransportEvents | undefined;
  #assembly: Assembly | undefined;
  #isStarted = false;
  #isEnded = false;
  #isGone = false;
  #isStalled = false;
  /** Received chunks; undefined stands for the end of the stream. */
  #arrived: (Buffer | undefined)[] = [];
  #isWriteUnderWay = false;
  #writeBytes = 0;
  /** The length of the next chunk; default: as written. */
  cut: (available: number) => number = (available) => available;

  /** Two ends of one stream. */
  static pair(): [MemoryTransport, MemoryTransport] {
    const [a, b] = [new MemoryTransport(), new MemoryTransport()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    this.#assembly = new Assembly(events);
  }

  start(): void {
    this.#isStarted = true;
    this.#deliver();
  }

  write(bytes: Buffer): boolean {
    if (this.#isWriteUnderWay) throw new TypeError('a second write while one is under way');
    const peer = this.#peer;
    if (peer === undefined || this.#isGone) return true;
    peer.#arrived.push(Buffer.from(bytes));
    queueMicrotask(() => peer.#deliver());
    if (!peer.#isStalled) return true;
    this.#isWriteUnderWay = true;
    this.#writeBytes = bytes.length;
    return false;
  }

  readonly writeBytes: number = 64 * 1024;

  get pendingBytes(): number {
    return this.#isWriteUnderWay ? this.#writeBytes : 0;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const peer = this.#peer;
    peer?.takeEnd();
    this.#closeIfDone();
  }

  destroy(failure?: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#assembly?.close();
    queueMicrotask(() => this.#events?.closed(failure));
    this.#peer?.destroy();
  }

  /** Stops or resumes reading at this end, so that the other end's writes stay pending. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    this.#deliver();
  }

  /** The other end has ended its direction. */
  private takeEnd(): void {
    this.#arrived.push(undefined);
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    while (this.#isStarted && !this.#isStalled && !this.#isGone && this.#arrived.length > 0) {
      const next = this.#arrived.shift();
      if (next === undefined) {
        this.#events?.ended();
        this.#closeIfDone();
        continue;
      }
      for (let at = 0; at < next.length && !this.#isGone; ) {
        const length = Math.max(1, this.cut(next.length - at));
        this.#assembly?.take(next.subarray(at, at + length), length);
        at += length;
      }
    }
    const peer = this.#peer;
    if (peer === undefined || this.#isStalled || !peer.#isWriteUnderWay) return;
    peer.#isWriteUnderWay = false;
    peer.#events?.written();
  }

  #closeIfDone(): void {
    const isPeerEnded = this.#peer === undefined || this.#peer.#isEnded;
    if (this.#isEnded && isPeerEnded && !this.#isGone) this.destroy();
  }
}
