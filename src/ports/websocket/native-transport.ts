import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { type Descriptor, nativeAddon, READABLE, setSocketOptions, WRITABLE } from '../native.ts';
import { BLOCKS } from './block-pool.ts';
import { READ_BYTES, RECEIVE_SLABS, type Slab } from './receive-slabs.ts';
import type { Transport, TransportEvents } from './transport.ts';

/**
 * How much may wait in the kernel unsent. Less than what keeps a fast path busy
 * costs throughput; more is delay that nothing of ours can overtake.
 */
const NOT_SENT_LOWAT_BYTES = 128 * 1024;
/** What is kept of an unfinished message is copied out of the slab below this size. */
const WORTH_KEEPING_BYTES = 16 * 1024;
/** With less room than this behind what is kept, it moves to the slab's front first. */
const WORTH_READING_BYTES = 64 * 1024;

/** Octets that belong to a message whose end is still to come. */
interface Carried {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** The slab that they lie in and that is kept; undefined: a block of the pool. */
  readonly slab: Slab | undefined;
}

/**
 * A transport over the file descriptor of a plain TCP socket, without Node's
 * streams: octets are read into one slab of the process, messages are handed on
 * where they lie, and a write tells at once what has left. An idle tunnel costs
 * a poll handle and a few objects.
 */
export class NativeTransport implements Transport {
  readonly #descriptor: Descriptor;
  #events: TransportEvents | undefined;
  #carried: Carried | undefined;
  #pending: Buffer | undefined;
  #pendingFrom = 0;
  #isStarted = false;
  #isReadEnded = false;
  #isEndWanted = false;
  #isEnded = false;
  #isGone = false;
  #failure: Error | undefined;

  private constructor(descriptor: Descriptor, early: Buffer) {
    this.#descriptor = descriptor;
    if (early.length > 0) this.#carried = { bytes: early, from: 0, to: early.length, slab: undefined };
  }

  /**
   * Takes the connection of a socket over; the socket is destroyed, the
   * connection lives on.
   * @param head octets that were read from it already
   * @returns undefined, and nothing has changed, when the socket is TLS or no TCP socket of the kernel, has
   *   something left to send, or when the addon is not there
   */
  static adopt(socket: Socket, head: Buffer): NativeTransport | undefined {
    const fd = socket instanceof TLSSocket ? undefined : descriptorOf(socket);
    if (fd === undefined || socket.destroyed || socket.writableLength > 0) return undefined;
    let descriptor: Descriptor;
    try {
      descriptor = nativeAddon().adoptSocket(fd);
    } catch {
      return undefined;
    }
    socket.pause();
    const early: Buffer[] = [head];
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      early.push(chunk);
    }
    setSocketOptions(fd, { noDelay: 1, notSentLowatBytes: NOT_SENT_LOWAT_BYTES });
    socket.destroy();
    return new NativeTransport(descriptor, Buffer.concat(early));
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    nativeAddon().watch(this.#descriptor, (status) => this.#ready(status));
    nativeAddon().await(this.#descriptor, 0);
  }

  start(): void {
    if (this.#events === undefined) throw new TypeError('start before listen');
    this.#isStarted = true;
    this.#await();
    if (this.#carried !== undefined) process.nextTick(() => this.#receive());
  }

  write(bytes: Buffer): boolean {
    if (this.#isGone) return true;
    const written = nativeAddon().writeStream(this.#descriptor, bytes, 0, bytes.length);
    if (written === bytes.length) return true;
    if (written < 0 && !isAgain(written)) {
      this.#fail(written);
      return false;
    }
    this.#pending = bytes;
    this.#pendingFrom = Math.max(written, 0);
    this.#await();
    return false;
  }

  end(): void {
    this.#isEndWanted = true;
    if (this.#pending === undefined) this.#endNow();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#dropCarried();
    this.#pending = undefined;
    const closed = (): void => this.#events?.closed(this.#failure);
    if (!nativeAddon().close(this.#descriptor, closed)) process.nextTick(closed);
  }

  #ready(status: number): void {
    if (this.#isGone) return;
    if (status < 0) {
      this.#fail(status);
      return;
    }
    if ((status & WRITABLE) !== 0 && this.#pending !== undefined) this.#writeOn(this.#pending);
    if ((status & READABLE) !== 0 && this.#isStarted && !this.#isReadEnded && !this.#isGone) this.#receive();
  }

  #writeOn(bytes: Buffer): void {
    const written = nativeAddon().writeStream(this.#descriptor, bytes, this.#pendingFrom, bytes.length);
    if (written < 0 && !isAgain(written)) {
      this.#fail(written);
      return;
    }
    this.#pendingFrom += Math.max(written, 0);
    if (this.#pendingFrom < bytes.length) return;
    this.#pending = undefined;
    this.#events?.written();
    if (this.#isGone) return;
    if (this.#pending === undefined && this.#isEndWanted) this.#endNow();
    this.#await();
  }

  #receive(): void {
    const events = this.#events;
    if (events === undefined || this.#isGone) return;
    const { slab, from, to } = this.#place();
    const { bytes } = slab;
    const most = Math.min(bytes.length, to + READ_BYTES);
    const count = nativeAddon().readStream(this.#descriptor, bytes, to, most);
    const end = to + Math.max(count, 0);
    const consumed = end > from ? events.receivedAt(bytes, from, end) : end;
    if (events.isHeld(bytes)) {
      // Rare: somebody needs the octets for longer. What is left of them is copied, and he has the slab.
      const rest = Buffer.from(bytes.subarray(consumed, end));
      this.#carry({ bytes: rest, from: 0, to: rest.length, slab: undefined });
      RECEIVE_SLABS.release(slab, true);
    } else {
      this.#keepRest(slab, consumed, end);
    }
    if (this.#isGone) this.#dropCarried();
    else if (count === 0) this.#ended();
    else if (count < 0 && !isAgain(count)) this.#fail(count);
  }

  /** Where to read to: behind what was carried over, in a slab. */
  #place(): { slab: Slab; from: number; to: number } {
    const carried = this.#carried;
    this.#carried = undefined;
    if (carried === undefined) return { slab: RECEIVE_SLABS.take(), from: 0, to: 0 };
    const { bytes, from, to } = carried;
    if (carried.slab !== undefined) {
      if (bytes.length - to >= WORTH_READING_BYTES) return { slab: carried.slab, from, to };
      bytes.copyWithin(0, from, to);
      return { slab: carried.slab, from: 0, to: to - from };
    }
    const slab = RECEIVE_SLABS.take();
    bytes.copy(slab.bytes, 0, from, to);
    BLOCKS.release(bytes);
    return { slab, from: 0, to: to - from };
  }

  #keepRest(slab: Slab, from: number, to: number): void {
    const length = to - from;
    if (length >= WORTH_KEEPING_BYTES && !this.#isGone && RECEIVE_SLABS.keep(slab)) {
      this.#carry({ bytes: slab.bytes, from, to, slab });
      return;
    }
    if (length > 0) {
      const block = BLOCKS.take(length);
      slab.bytes.copy(block, 0, from, to);
      this.#carry({ bytes: block, from: 0, to: length, slab: undefined });
    }
    RECEIVE_SLABS.release(slab);
  }

  #carry(carried: Carried): void {
    if (carried.to > carried.from) this.#carried = carried;
  }

  #dropCarried(): void {
    const carried = this.#carried;
    this.#carried = undefined;
    if (carried?.slab !== undefined) RECEIVE_SLABS.release(carried.slab);
    else if (carried !== undefined) BLOCKS.release(carried.bytes);
  }

  #ended(): void {
    this.#isReadEnded = true;
    this.#await();
    this.#events?.ended();
    if (this.#isEnded) this.destroy();
  }

  #endNow(): void {
    if (this.#isEnded || this.#isGone) return;
    this.#isEnded = true;
    const status = nativeAddon().endStream(this.#descriptor);
    if (status < 0) this.#fail(status);
    else if (this.#isReadEnded) this.destroy();
  }

  #fail(errno: number): void {
    const code = getSystemErrorName(errno);
    this.#failure ??= Object.assign(new Error(code), { code });
    this.destroy();
  }

  #await(): void {
    if (this.#isGone) return;
    const read = this.#isStarted && !this.#isReadEnded ? READABLE : 0;
    nativeAddon().await(this.#descriptor, read | (this.#pending === undefined ? 0 : WRITABLE));
  }
}

/** Node has no public name for a socket's file descriptor; without it we stay with the socket. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

function isAgain(errno: number): boolean {
  return errno === -constants.errno.EAGAIN;
}
