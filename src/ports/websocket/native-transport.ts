import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { type Descriptor, type NativeAddon, nativeAddon, READABLE, setSocketOptions, WRITABLE } from '../native.ts';
import { Assembly } from './assembly.ts';
import type { Transport, TransportEvents } from './transport.ts';

/**
 * How much may wait in the kernel unsent. Less than what keeps a fast path busy
 * costs throughput; more is delay that nothing of ours can overtake.
 */
const NOT_SENT_LOWAT_BYTES = 128 * 1024;

/**
 * A transport over the file descriptor of a plain TCP socket, without Node's
 * streams: octets are read into one slab of the process, messages are handed on
 * where they lie, and a write tells at once what has left. An idle tunnel costs
 * a poll handle and a few objects.
 */
export class NativeTransport implements Transport {
  readonly #addon: NativeAddon;
  readonly #descriptor: Descriptor;
  #events: TransportEvents | undefined;
  #assembly: Assembly | undefined;
  #early: Buffer | undefined;
  #pending: Buffer | undefined;
  #pendingFrom = 0;
  #isStarted = false;
  #isReadEnded = false;
  #isEndWanted = false;
  #isEnded = false;
  #isGone = false;
  #failure: Error | undefined;

  private constructor(addon: NativeAddon, descriptor: Descriptor, early: Buffer) {
    this.#addon = addon;
    this.#descriptor = descriptor;
    if (early.length > 0) this.#early = early;
  }

  /**
   * Takes the connection of a socket over; the socket is destroyed, the
   * connection lives on.
   * @param head octets that were read from it already
   * @param loadAddon throws where there is none
   * @returns undefined, and nothing has changed, when the socket is TLS or no TCP socket of the kernel, has
   *   something left to send, or when the addon is not there
   */
  static adopt(socket: Socket, head: Buffer, loadAddon: () => NativeAddon = nativeAddon): NativeTransport | undefined {
    const fd = socket instanceof TLSSocket ? undefined : descriptorOf(socket);
    if (fd === undefined || socket.destroyed || socket.writableLength > 0) return undefined;
    let addon: NativeAddon;
    let descriptor: Descriptor;
    try {
      addon = loadAddon();
      descriptor = addon.adoptSocket(fd);
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
    return new NativeTransport(addon, descriptor, Buffer.concat(early));
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#isGone) {
      process.nextTick(() => events.closed(this.#failure));
      return;
    }
    this.#assembly = new Assembly(events);
    try {
      this.#addon.watch(this.#descriptor, (status) => this.#ready(status));
      this.#addon.await(this.#descriptor, 0);
    } catch (error) {
      // The kernel is short of what a poll handle needs. That costs this tunnel, not the process.
      this.#fail(error as Error);
    }
  }

  start(): void {
    if (this.#events === undefined) throw new TypeError('start before listen');
    this.#isStarted = true;
    this.#await();
    if (this.#early !== undefined) process.nextTick(() => this.#receiveEarly());
  }

  write(bytes: Buffer): boolean {
    if (this.#isGone) return true;
    const written = this.#addon.writeStream(this.#descriptor, bytes, 0, bytes.length);
    if (written === bytes.length) return true;
    this.#pending = bytes;
    this.#pendingFrom = Math.max(written, 0);
    // Not at once: what arrived before is delivered then, which must not happen from inside a write.
    if (written < 0 && !isAgain(written)) process.nextTick(() => this.#broken(errorOf(written)));
    else this.#await();
    return false;
  }

  readonly writeBytes: number = 64 * 1024;

  get pendingBytes(): number {
    return this.#pending === undefined ? 0 : this.#pending.length - this.#pendingFrom;
  }

  end(): void {
    this.#isEndWanted = true;
    if (this.#pending === undefined) this.#endNow();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#assembly?.close();
    this.#pending = undefined;
    this.#early = undefined;
    const events = this.#events;
    const closed = (): void => events?.closed(this.#failure);
    if (!this.#addon.close(this.#descriptor, closed)) process.nextTick(closed);
  }

  #ready(status: number): void {
    if (this.#isGone) return;
    if (status < 0) {
      this.#broken(errorOf(status));
      return;
    }
    if ((status & WRITABLE) !== 0 && this.#pending !== undefined) this.#writeOn(this.#pending);
    if ((status & READABLE) !== 0 && this.#isStarted && !this.#isReadEnded && !this.#isGone) this.#receive();
  }

  #writeOn(bytes: Buffer): void {
    const written = this.#addon.writeStream(this.#descriptor, bytes, this.#pendingFrom, bytes.length);
    if (written < 0 && !isAgain(written)) {
      this.#broken(errorOf(written));
      return;
    }
    this.#pendingFrom += Math.max(written, 0);
    if (this.#pendingFrom < bytes.length) {
      this.#events?.progressed();
      return;
    }
    this.#pending = undefined;
    this.#events?.written();
    if (this.#isGone) return;
    if (this.#pending === undefined && this.#isEndWanted) this.#endNow();
    this.#await();
  }

  /** What came with the opening handshake. */
  #receiveEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined && !this.#isGone) this.#assembly?.take(early, early.length);
  }

  #receive(): void {
    const count = this.#read();
    if (this.#isGone) return;
    if (count === 0) this.#ended();
    else if (count < 0 && !isAgain(count)) this.#fail(errorOf(count));
  }

  /** @returns how many octets came, 0 at the stream's end, or a negative errno */
  #read(): number {
    this.#receiveEarly();
    const assembly = this.#assembly;
    if (assembly === undefined || this.#isGone) return 0;
    const room = assembly.room();
    const count = this.#addon.readStream(this.#descriptor, room.slab.bytes, room.to, room.most);
    assembly.filled(room, Math.max(count, 0));
    return count;
  }

  /** The connection is dead. What came before still counts: often it ends in the peer's close message. */
  #broken(failure: Error): void {
    if (this.#isStarted && !this.#isReadEnded) while (!this.#isGone && this.#read() > 0);
    this.#fail(failure);
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
    const status = this.#addon.endStream(this.#descriptor);
    if (status < 0) this.#fail(errorOf(status));
    else if (this.#isReadEnded) this.destroy();
  }

  #fail(failure: Error): void {
    if (!this.#isGone) this.#failure = failure;
    this.destroy();
  }

  #await(): void {
    if (this.#isGone) return;
    const read = this.#isStarted && !this.#isReadEnded ? READABLE : 0;
    this.#addon.await(this.#descriptor, read | (this.#pending === undefined ? 0 : WRITABLE));
  }
}

/** Node has no public name for a socket's file descriptor; without it we stay with the socket. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

function errorOf(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(code), { code });
}

function isAgain(errno: number): boolean {
  return errno === -constants.errno.EAGAIN;
}
