import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import { type Descriptor, READABLE, WRITABLE } from '../../native/descriptors.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { type AdoptedConnection, takeOverPlain } from './adopted-connection.ts';
import { BUFFERS } from './buffer-budget.ts';
import { type CongestionChoice, CongestionControl } from './congestion-control.ts';
import { frameList } from './frame-list.ts';
import { errnoError, type KernelStream, TRY_AGAIN } from './kernel-stream.ts';
import { type NotedFrames, PACKINGS } from './packing.ts';
import { takeOverTls } from './tls/handover.ts';
import type { Framing, Transport, TransportEvents } from './transport.ts';

/** The indexes of frames to send, for native code: more elements than the shortest frames that fit in one write. */
const indexes = new Uint32Array(2048);

/** For a connection that ends before `listen`: TLS must still send close_notify. */
const UNHEARD: Framing = {
  isMasking: false,
  isBatched: false,
  maxMessageBytes: 0,
  events: { arrived: (_bytes, _list, _frames, _oddStart, _oddLength, _from, end) => end },
};

/**
 * A transport over the file descriptor of a TCP socket, without Node's streams. Native code reads into one slab of the
 * process and parses messages in place (native/datapath/tunnel.c); it packs, encrypts and sends frames in one call, and
 * queues what the kernel does not take (native/datapath/send.c). An idle tunnel costs a poll handle and a few objects.
 */
export class NativeTransport implements Transport {
  readonly kind: AdoptedConnection['kind'];
  readonly isLocal: boolean;
  readonly writeBytes: number = 64 * 1024;
  readonly copies = true;
  readonly #addon: NativeAddon;
  readonly #descriptor: Descriptor;
  readonly #stream: KernelStream;
  readonly #congestion: CongestionControl;
  #events: TransportEvents | undefined;
  #prefetched: Buffer | undefined;
  #leastBytes = 0;
  #pendingBytes = 0;
  #isWriting = false;
  #isOpen = false;
  #isStarted = false;
  #isReadEnded = false;
  #isHeld = false;
  #isEndWanted = false;
  #isEnded = false;
  #isGone = false;
  #failure: Error | undefined;

  private constructor(
    { addon, descriptor, stream, prefetched, kind, isLocal = false }: AdoptedConnection,
    choice?: CongestionChoice,
  ) {
    this.kind = kind;
    this.isLocal = isLocal;
    this.#addon = addon;
    this.#descriptor = descriptor;
    this.#stream = stream;
    this.#congestion = new CongestionControl({ addon, descriptor, choice });
    if (prefetched.length > 0) this.#prefetched = prefetched;
  }

  /**
   * Takes the connection of a socket over: the socket is destroyed, the
   * connection stays open.
   * @param head octets already read from it
   * @param loadAddon throws when there is no addon
   * @param congestion its TCP congestion control; default `auto`
   * @returns undefined, with the socket unchanged, when it is no TCP socket of the kernel, its TLS cannot be taken over
   *   (handover.ts), octets wait to be sent, or the addon is missing
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
    return this.#isOpen && this.#isStarted && !this.#isGone ? this.#descriptor : undefined;
  }

  listen(events: TransportEvents, framing: Framing): void {
    this.#events = events;
    if (this.#isGone) {
      process.nextTick(() => events.closed(this.#failure));
      return;
    }
    try {
      this.#addon.watch(this.#descriptor, (status, count) => this.#ready(status, count));
      this.#addon.await(this.#descriptor, 0);
      this.#open(framing);
    } catch (error) {
      // The kernel has no memory for a poll handle: this tunnel ends, the process goes on.
      this.#fail(error as Error);
    }
  }

  #open({ isMasking, isBatched, maxMessageBytes, events }: Framing): void {
    const list = frameList(this.#addon);
    BUFFERS.share(this.#addon);
    this.#leastBytes = PACKINGS[isBatched ? 'batched' : 'raw'].leastBytes;
    this.#addon.openTunnel(
      this.#descriptor,
      isMasking,
      isBatched,
      maxMessageBytes,
      (bytes, frames, oddStart, oddLength, from, end) =>
        events.arrived(bytes, list, frames, oddStart, oddLength, from, end),
    );
    this.#isOpen = true;
    this.#stream.open((status) => this.#over(status));
  }

  start(): void {
    if (this.#events === undefined) throw new TypeError('start before listen');
    this.#isStarted = true;
    this.#await();
    if (this.#prefetched !== undefined || this.#stream.hasPrefetched) process.nextTick(() => this.#receivePrefetched());
  }

  write(bytes: Buffer): boolean {
    return this.#isGone || this.#sent(this.#stream.send(bytes));
  }

  sendFrames({ batches, indexes: noted, from: first, to: last }: NotedFrames): boolean {
    if (this.#isGone) return true;
    let waiting = 0;
    for (let from = first; from < last && waiting >= 0; ) {
      const batch = batches[from] as FrameBatch;
      let count = 0;
      while (from < last && batches[from] === batch && count < indexes.length) {
        indexes[count++] = noted[from++] as number;
      }
      waiting = this.#stream.sendFrames(batch, indexes, count, this.#leastBytes);
    }
    return this.#sent(waiting);
  }

  /** @param waiting the result of the stream's send function */
  #sent(waiting: number): boolean {
    if (waiting === 0) return true;
    this.#isWriting = true;
    this.#pendingBytes = Math.max(waiting, 0);
    // Deferred: `#broken` delivers what arrived before, which must not happen from inside a write.
    if (waiting < 0) process.nextTick(() => this.#broken(this.#stream.errorOf(waiting)));
    return false;
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#await();
  }

  get pendingBytes(): number {
    return this.#isWriting ? this.#pendingBytes : 0;
  }

  get heldBytes(): number {
    return this.#isOpen && !this.#isGone ? this.#addon.heldBytes(this.#descriptor) : 0;
  }

  end(): void {
    this.#isEndWanted = true;
    if (!this.#isWriting) this.#endNow();
  }

  destroy(): void {
    if (this.#isGone) return;
    if (this.#events === undefined && this.kind === 'native-tls') this.#openUnheard();
    this.#isGone = true;
    this.#congestion.close();
    this.#stream.close();
    this.#prefetched = undefined;
    const events = this.#events;
    const closed = (): void => events?.closed(this.#failure);
    if (!this.#addon.close(this.#descriptor, closed)) process.nextTick(closed);
  }

  #openUnheard(): void {
    try {
      this.#open(UNHEARD);
    } catch {
      // The peer will see the connection end without close_notify.
    }
  }

  /**
   * @param count for READABLE: 0 at the end of the stream, or a negative errno (native code does the reading); for
   *   WRITABLE: the octets that still wait, or a negative errno
   */
  #ready(status: number, count: number): void {
    if (this.#isGone) return;
    if (status < 0) this.#broken(errnoError(status));
    else if ((status & WRITABLE) !== 0) this.#writable(count);
    else if ((status & READABLE) !== 0 && this.#isStarted && !this.#isReadEnded) this.#over(count);
  }

  #writable(waiting: number): void {
    if (waiting < 0) {
      this.#broken(errnoError(waiting));
      return;
    }
    this.#pendingBytes = waiting;
    if (waiting > 0) {
      if (this.#isWriting) this.#events?.progressed();
      return;
    }
    this.#stream.drained();
    if (this.#isWriting) {
      this.#isWriting = false;
      this.#events?.written();
    }
    if (!this.#isGone && !this.#isWriting && this.#isEndWanted) this.#endNow();
  }

  /** Delivers octets read before the take-over, and those in the kernel's receive buffer. */
  #receivePrefetched(): void {
    const count = this.#read();
    if (this.#isGone) return;
    if (count === 0 || (count < 0 && count !== TRY_AGAIN)) this.#over(count);
  }

  /** @returns the number of octets read, 0 at the end of the stream, or a negative status */
  #read(): number {
    const prefetched = this.#prefetched;
    this.#prefetched = undefined;
    if (prefetched !== undefined) this.#feed(prefetched);
    return this.#isGone ? TRY_AGAIN : this.#addon.readTunnel(this.#descriptor);
  }

  #feed(prefetched: Buffer): void {
    if (this.#isGone) return;
    try {
      this.#addon.feedTunnel(this.#descriptor, prefetched);
    } catch (error) {
      // No memory for an unfinished message.
      this.#fail(error as Error);
    }
  }

  /** The connection has failed. Octets received before are still delivered: often they end with the peer's Close message. */
  #broken(failure: Error): void {
    if (this.#isStarted && !this.#isReadEnded) while (!this.#isGone && this.#read() > 0);
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
    // Native code reports when no octets wait any more.
    if (status === TRY_AGAIN) return;
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
    const isRead = this.#isStarted && !this.#isReadEnded && !this.#isHeld;
    this.#addon.await(this.#descriptor, isRead ? READABLE : 0);
  }
}
