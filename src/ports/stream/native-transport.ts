import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Descriptor, type NativeAddon, nativeAddon, READABLE, WRITABLE } from '../../native/addon.ts';
import { type AdoptedConnection, takeOverPlain } from './adopted-connection.ts';
import { Assembly } from './assembly.ts';
import { BUFFERS } from './buffer-budget.ts';
import { type CongestionChoice, CongestionControl } from './congestion-control.ts';
import { frameList } from './frame-list.ts';
import { errnoError, type KernelStream, TRY_AGAIN } from './kernel-stream.ts';
import { takeOverTls } from './tls/handover.ts';
import type { Framing, Transport, TransportEvents } from './transport.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * A transport over the file descriptor of a TCP socket, without Node's streams:
 * octets are read into one slab of the process, messages are handed on where
 * they lie, and a write tells at once what has left. TLS, behind a handshake
 * of Node's, is a layer of ours. An idle tunnel costs a poll handle and a few
 * objects.
 */
export class NativeTransport implements Transport {
  readonly kind: AdoptedConnection['kind'];
  readonly #addon: NativeAddon;
  readonly #descriptor: Descriptor;
  readonly #stream: KernelStream;
  readonly #congestion: CongestionControl;
  #events: TransportEvents | undefined;
  #assembly: Assembly | undefined;
  #prefetched: Buffer | undefined;
  #pending: Buffer | undefined;
  #pendingFrom = 0;
  #isStarted = false;
  /** Whether native code reads, and takes apart what it gets. */
  #isTakenApart = false;
  #isReadEnded = false;
  #isEndWanted = false;
  #isEnded = false;
  #isGone = false;
  #failure: Error | undefined;

  private constructor({ addon, descriptor, stream, prefetched, kind }: AdoptedConnection, choice?: CongestionChoice) {
    this.kind = kind;
    this.#addon = addon;
    this.#descriptor = descriptor;
    this.#stream = stream;
    this.#congestion = new CongestionControl({ addon, descriptor, choice });
    if (prefetched.length > 0) this.#prefetched = prefetched;
  }

  /**
   * Takes the connection of a socket over; the socket is destroyed, the
   * connection lives on.
   * @param head octets that were read from it already
   * @param loadAddon throws where there is none
   * @param congestion how its TCP answers congestion; default `auto`
   * @returns undefined, and nothing has changed, when the socket is no TCP socket of the kernel, or TLS that cannot be
   *   taken over (handover.ts), has something left to send, or when the addon is not there
   */
  static adopt(
    socket: Socket,
    head: Buffer,
    loadAddon: () => NativeAddon = nativeAddon,
    congestion?: CongestionChoice,
  ): NativeTransport | undefined {
    const connection =
      socket instanceof TLSSocket ? takeOverTls(socket, head, loadAddon) : takeOverPlain(socket, head, loadAddon);
    return connection === undefined ? undefined : new NativeTransport(connection, congestion);
  }

  get flowEnd(): Descriptor | undefined {
    return this.#isTakenApart && this.#isStarted && !this.#isGone ? this.#descriptor : undefined;
  }

  listen(events: TransportEvents, framing?: Framing): void {
    this.#events = events;
    if (this.#isGone) {
      process.nextTick(() => events.closed(this.#failure));
      return;
    }
    try {
      this.#addon.watch(this.#descriptor, (status, count) => this.#ready(status, count));
      this.#addon.await(this.#descriptor, 0);
      if (framing === undefined) this.#assembly = new Assembly(events);
      else this.#open(framing);
    } catch (error) {
      // The kernel is short of what a poll handle needs. That costs this tunnel, not the process.
      this.#fail(error as Error);
    }
  }

  /** Lets native code take apart what arrives, and forward what matches a flow. */
  #open({ isMasking, isBatched, maxMessageBytes, events }: Framing): void {
    const list = frameList(this.#addon);
    BUFFERS.share(this.#addon);
    this.#addon.openTunnel(
      this.#descriptor,
      isMasking,
      isBatched,
      maxMessageBytes,
      (bytes, frames, oddStart, oddLength, from, end) =>
        events.arrived(bytes, list, frames, oddStart, oddLength, from, end),
    );
    this.#stream.delegate(
      (status) => this.#over(status),
      () => this.#await(),
    );
    this.#isTakenApart = true;
  }

  start(): void {
    if (this.#events === undefined) throw new TypeError('start before listen');
    this.#isStarted = true;
    this.#await();
    if (this.#prefetched !== undefined || this.#stream.hasMore) process.nextTick(() => this.#receive());
  }

  write(bytes: Buffer): boolean {
    if (this.#isGone) return true;
    const written = this.#stream.write(bytes, 0, bytes.length);
    if (written === bytes.length && this.#stream.unsentBytes === 0) return true;
    this.#pending = bytes;
    this.#pendingFrom = Math.max(written, 0);
    // Not at once: what arrived before is delivered then, which must not happen from inside a write.
    if (written < 0 && written !== TRY_AGAIN) process.nextTick(() => this.#broken(this.#stream.errorOf(written)));
    else this.#await();
    return false;
  }

  readonly writeBytes: number = 64 * 1024;

  get pendingBytes(): number {
    return this.#pending === undefined ? 0 : this.#pending.length - this.#pendingFrom + this.#stream.unsentBytes;
  }

  get heldBytes(): number {
    const held = this.#isTakenApart && !this.#isGone ? this.#addon.heldBytes(this.#descriptor) : 0;
    return held + this.#stream.heldBytes + (this.#assembly?.heldBytes ?? 0);
  }

  end(): void {
    this.#isEndWanted = true;
    if (this.#pending === undefined) this.#endNow();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#assembly?.close();
    this.#congestion.close();
    this.#stream.close();
    this.#pending = undefined;
    this.#prefetched = undefined;
    const events = this.#events;
    const closed = (): void => events?.closed(this.#failure);
    if (!this.#addon.close(this.#descriptor, closed)) process.nextTick(closed);
  }

  /** @param count of READABLE, what was read, where native code reads: nothing but an end or a failure is told */
  #ready(status: number, count: number): void {
    if (this.#isGone) return;
    if (status < 0) {
      this.#broken(errnoError(status));
      return;
    }
    if ((status & WRITABLE) !== 0) this.#writeOn();
    if ((status & READABLE) === 0 || !this.#isStarted || this.#isReadEnded || this.#isGone) return;
    if (this.#isTakenApart) this.#over(count);
    else this.#receive();
  }

  #writeOn(): void {
    const bytes = this.#pending ?? NOTHING;
    const written = this.#stream.write(bytes, this.#pendingFrom, bytes.length);
    if (written < 0 && written !== TRY_AGAIN) {
      this.#broken(this.#stream.errorOf(written));
      return;
    }
    this.#pendingFrom += Math.max(written, 0);
    if (this.#pendingFrom < bytes.length || this.#stream.unsentBytes > 0) {
      if (this.#pending !== undefined) this.#events?.progressed();
      return;
    }
    this.#pendingFrom = 0;
    if (this.#pending !== undefined) {
      this.#pending = undefined;
      this.#events?.written();
      if (this.#isGone) return;
    }
    if (this.#pending === undefined && this.#isEndWanted) this.#endNow();
    this.#await();
  }

  /** Native code leaves nothing that need not become readable. */
  get #hasMore(): boolean {
    return !this.#isTakenApart && this.#stream.hasMore;
  }

  #receive(): void {
    do {
      const count = this.#read();
      if (this.#isGone) return;
      if (count === 0 || (count < 0 && count !== TRY_AGAIN)) {
        this.#over(count);
        return;
      }
    } while (this.#hasMore);
    // Reading may have had something to say, too.
    if (this.#stream.unsentBytes > 0) this.#await();
  }

  /** @returns how many octets came, 0 at the stream's end, or a negative status */
  #read(): number {
    const prefetched = this.#prefetched;
    this.#prefetched = undefined;
    if (this.#isTakenApart) {
      if (this.#isGone) return TRY_AGAIN;
      if (prefetched !== undefined) this.#feed(prefetched);
      return this.#isGone ? TRY_AGAIN : this.#addon.readTunnel(this.#descriptor);
    }
    // What came with the opening handshake.
    if (prefetched !== undefined && !this.#isGone) this.#assembly?.take(prefetched, prefetched.length);
    const assembly = this.#assembly;
    if (assembly === undefined || this.#isGone) return TRY_AGAIN;
    const room = assembly.room();
    const count = this.#stream.read(room.slab.bytes, room.to, room.most);
    assembly.filled(room, Math.max(count, 0));
    return count;
  }

  #feed(prefetched: Buffer): void {
    try {
      this.#addon.feedTunnel(this.#descriptor, prefetched);
    } catch (error) {
      // There is no memory for what is unfinished of it.
      this.#fail(error as Error);
    }
  }

  /** The connection is dead. What came before still counts: often it ends in the peer's close message. */
  #broken(failure: Error): void {
    if (this.#isStarted && !this.#isReadEnded) while (!this.#isGone && (this.#read() > 0 || this.#hasMore));
    this.#fail(failure);
  }

  #over(status: number): void {
    if (status < 0) this.#fail(this.#stream.errorOf(status));
    else this.#ended();
  }

  #ended(): void {
    this.#isReadEnded = true;
    this.#await();
    this.#events?.ended();
    if (this.#isEnded) this.destroy();
  }

  #endNow(): void {
    if (this.#isEnded || this.#isGone) return;
    const status = this.#stream.end();
    if (status === TRY_AGAIN) {
      this.#await();
      return;
    }
    this.#isEnded = true;
    if (status < 0) this.#fail(this.#stream.errorOf(status));
    else if (this.#isReadEnded) this.destroy();
  }

  #fail(failure: Error): void {
    if (!this.#isGone) this.#failure = failure;
    this.destroy();
  }

  #await(): void {
    if (this.#isGone) return;
    const read = this.#isStarted && !this.#isReadEnded ? READABLE : 0;
    const isWriting = this.#pending !== undefined || this.#stream.unsentBytes > 0;
    this.#addon.await(this.#descriptor, read | (isWriting ? WRITABLE : 0));
  }
}
