import type { Descriptor } from '../../../native/addon.ts';
import { RECORD_APPLICATION_DATA } from '../../../net/tls/record-follower.ts';
import { BLOCKS } from '../block-pool.ts';
import { errnoError, type KernelStream, TRY_AGAIN } from '../kernel-stream.ts';
import { ALERTS, alertContent, alertError } from './alerts.ts';
import { KEY_UPDATE_MESSAGE, PostHandshake } from './post-handshake.ts';
import type { RecordAddon, RecordKeys } from './record-keys.ts';

const RECORD_ALERT = 21;
const RECORD_HANDSHAKE = 22;
const CONTENT_BYTES = 1 << 14;
const OVERHEAD_BYTES = 22;
/** How much is sealed before it is sent. */
const SEAL_BYTES = 256 * 1024;
/** How much ciphertext is read at once. More would not stay in a processor's cache until it is opened. */
const READ_BYTES = 128 * 1024;
/** Well below what wears AES-GCM out (RFC 8446, 5.5). */
const RECORDS_A_KEY = 2 ** 24 - SEAL_BYTES / CONTENT_BYTES;
/** A peer that only changes keys, and sends nothing, is up to something. */
const MAX_IDLE_UPDATES = 32;
/** Statuses below every errno: minus this is a fatal alert of ours, minus twice this one of the peer's. */
const ALERT_BASE = 100_000;

/** What native code is answered about a record that was no data (native/datapath/tls_stream.c). */
const STOP = 0;
const GO_ON = 1;
const GO_ON_INSIDE_A_MESSAGE = 2;

/** Where ciphertext lands: one place for the process, since it is opened before anything else is read. */
let landing: Buffer | undefined;
const opened = new Uint32Array(3);
const NOTHING: Buffer = Buffer.alloc(0);

export interface RecordStreamOptions {
  readonly addon: RecordAddon;
  readonly descriptor: Descriptor;
  readonly isClient: boolean;
  readonly opening: RecordKeys;
  readonly sealing: RecordKeys;
  /** ciphertext that was read already; it begins with a record */
  readonly prefetched: Buffer;
  /** records that are sealed under one key; default: as many as is wise */
  readonly recordsAKey?: number;
}

/**
 * The record layer of TLS 1.3 behind the handshake (RFC 8446, 5): whole records
 * are opened from one landing place into the transport's slab, and sealed into a
 * block that is sent at once. Between two calls it owns what begins a record
 * that has not come whole, and what the kernel did not take.
 */
export class RecordStream implements KernelStream {
  readonly #addon: RecordAddon;
  readonly #descriptor: Descriptor;
  readonly #opening: RecordKeys;
  readonly #sealing: RecordKeys;
  readonly #recordsAKey: number;
  readonly #messages: PostHandshake;
  /** Ciphertext that is not opened yet, in a block of the pool. */
  #carried: Buffer | undefined;
  #carriedBytes = 0;
  #hasMore = false;
  /** What every read gives from now on: 0 behind close_notify, negative behind a failure. */
  #over: number | undefined;
  #unsent: Buffer | undefined;
  #unsentFrom = 0;
  #unsentTo = 0;
  /** Whether native code opens and seals, too. */
  #isDelegated = false;
  /** Key updates of the peer since its last data. */
  #idleUpdates = 0;
  #owesKeyUpdate = false;
  #isEndSealed = false;
  #isClosed = false;

  constructor(options: RecordStreamOptions) {
    this.#addon = options.addon;
    this.#descriptor = options.descriptor;
    this.#opening = options.opening;
    this.#sealing = options.sealing;
    this.#recordsAKey = options.recordsAKey ?? RECORDS_A_KEY;
    this.#messages = new PostHandshake(options.isClient);
    this.#carry(options.prefetched, 0, options.prefetched.length);
    this.#hasMore = options.prefetched.length > 0;
  }

  get hasMore(): boolean {
    return this.#hasMore;
  }

  get unsentBytes(): number {
    return this.#unsentTo - this.#unsentFrom;
  }

  get heldBytes(): number {
    return (this.#carried?.length ?? 0) + (this.#unsent?.length ?? 0);
  }

  read(bytes: Buffer, from: number, to: number): number {
    this.#hasMore = false;
    if (this.#over !== undefined) return this.#over;
    const carried = this.#carriedBytes;
    const cipher = this.#land(Math.max(READ_BYTES, carried + CONTENT_BYTES * 2));
    // Opened octets are fewer than sealed ones, so that all that is read has room.
    const most = Math.min(cipher.length, Math.max(to - from, carried));
    const count = most > carried ? this.#addon.readStream(this.#descriptor, cipher, carried, most) : TRY_AGAIN;
    const end = carried + Math.max(count, 0);
    const produced = this.#open(cipher, end, bytes, from, to);
    if (this.#owesKeyUpdate && this.#over === undefined) this.write(NOTHING, 0, 0);
    if (count === 0 || (count < 0 && count !== TRY_AGAIN)) this.#over ??= count;
    this.#hasMore ||= this.#over !== undefined;
    if (produced > 0) return produced;
    this.#hasMore &&= this.#over === undefined;
    return this.#over ?? TRY_AGAIN;
  }

  write(bytes: Buffer, from: number, to: number): number {
    let taken = from;
    while (!this.#isClosed) {
      const status = this.#flush();
      if (status < 0) return status === TRY_AGAIN ? taken - from : status;
      if (this.#owesKeyUpdate || this.#sealing.count >= this.#recordsAKey) this.#updateKey();
      else if (taken < to) {
        const end = Math.min(to, taken + SEAL_BYTES);
        this.#seal(RECORD_APPLICATION_DATA, bytes, taken, end);
        taken = end;
      } else break;
    }
    return taken - from;
  }

  delegate(onOver: (status: number) => void, onUnsent: () => void): void {
    const prefetched = this.#carried?.subarray(0, this.#carriedBytes) ?? NOTHING;
    this.#addon.sealTunnel(
      this.#descriptor,
      this.#opening.records,
      this.#sealing.records,
      this.#recordsAKey,
      prefetched,
      (status, content, hasData) => {
        if (hasData) this.#idleUpdates = 0;
        this.#judge(status, content);
        if (this.#owesKeyUpdate && this.#over === undefined) {
          this.write(NOTHING, 0, 0);
          onUnsent();
        }
        if (this.#over !== undefined) {
          onOver(this.#over);
          return STOP;
        }
        return this.#messages.isInMessage ? GO_ON_INSIDE_A_MESSAGE : GO_ON;
      },
    );
    this.#isDelegated = true;
    this.#dropCarried();
  }

  end(): number {
    const status = this.#notify();
    return status < 0 ? status : this.#addon.endStream(this.#descriptor);
  }

  /** Sends close_notify, which goes before every end but that by a failure (RFC 8446, 6.1). @returns as `#flush` */
  #notify(): number {
    const status = this.#flush();
    if (status < 0 || this.#isEndSealed) return status;
    this.#isEndSealed = true;
    const content = alertContent(ALERTS.closeNotify);
    this.#seal(RECORD_ALERT, content, 0, content.length);
    return this.#flush();
  }

  errorOf(status: number): Error {
    if (status <= -2 * ALERT_BASE) return alertError(-status - 2 * ALERT_BASE, false);
    if (status <= -ALERT_BASE) return alertError(-status - ALERT_BASE, true);
    return errnoError(status);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // As far as the kernel takes it at once.
    if (this.#over === undefined || this.#over === 0) this.#notify();
    this.#opening.end();
    this.#sealing.end();
    this.#dropCarried();
    this.#dropUnsent();
  }

  /** The landing place, with what was carried over at its front. */
  #land(size: number): Buffer {
    if (landing === undefined || landing.length < size) landing = Buffer.allocUnsafeSlow(size);
    this.#carried?.copy(landing, 0, 0, this.#carriedBytes);
    this.#dropCarried();
    return landing;
  }

  /** Opens what landed, and carries the rest over. @returns how many octets of data that were */
  #open(cipher: Buffer, end: number, bytes: Buffer, from: number, to: number): number {
    let at = 0;
    let filled = from;
    while (this.#over === undefined) {
      const { records } = this.#opening;
      const status = this.#addon.openTlsRecords(records, cipher, at, end, bytes, filled, to, opened);
      const [consumed = 0, produced = 0, content = 0] = opened;
      at += consumed;
      if (produced > 0 && this.#messages.isInMessage) {
        this.#fail(ALERTS.unexpectedMessage);
        break;
      }
      filled += produced;
      if (produced > 0) this.#idleUpdates = 0;
      if (status === 0) break;
      this.#judge(status, bytes.subarray(filled, filled + content));
    }
    if (this.#over === undefined) {
      // Nearly always the beginning of a record; a whole one only where there was no room for it.
      this.#hasMore = filled > from && to - filled < CONTENT_BYTES * 2 && end > at;
      this.#carry(cipher, at, end);
    }
    return filled - from;
  }

  /** What a record was that is no data, by the status of openTlsRecords. */
  #judge(status: number, content: Buffer): void {
    if (status < 0) this.#fail(-status);
    else if (status === RECORD_ALERT) this.#alerted(content);
    else if (status === RECORD_HANDSHAKE) this.#take(content);
  }

  /** All alerts but two are failures, whatever level they claim (RFC 8446, 6). */
  #alerted(content: Buffer): void {
    const description = content[1];
    if (content.length !== 2 || description === undefined) this.#fail(ALERTS.decodeError);
    else if (this.#messages.isInMessage) this.#fail(ALERTS.unexpectedMessage);
    else if (description === ALERTS.closeNotify) this.#over = 0;
    else if (description !== ALERTS.userCanceled) this.#over = -2 * ALERT_BASE - description;
  }

  #take(content: Buffer): void {
    const event = this.#messages.take(content);
    if (typeof event === 'number') {
      this.#fail(-event);
      return;
    }
    if (event === 'none') return;
    if (++this.#idleUpdates > MAX_IDLE_UPDATES) {
      this.#fail(ALERTS.unexpectedMessage);
      return;
    }
    this.#opening.update();
    this.#renewKeys();
    // One answer does for all that were asked while it could not be sent (4.6.3).
    if (event === 'keyUpdateRequested') this.#owesKeyUpdate = true;
  }

  /** Tells the peer what is wrong, if the kernel takes it, and opens nothing more. */
  #fail(description: number): void {
    this.#over = -ALERT_BASE - description;
    if (this.#isEndSealed || this.#flush() < 0) return;
    const content = alertContent(description);
    this.#seal(RECORD_ALERT, content, 0, content.length);
    this.#isEndSealed = true;
    this.#flush();
  }

  #updateKey(): void {
    this.#owesKeyUpdate = false;
    this.#seal(RECORD_HANDSHAKE, KEY_UPDATE_MESSAGE, 0, KEY_UPDATE_MESSAGE.length);
    this.#sealing.update();
    this.#renewKeys();
  }

  #renewKeys(): void {
    if (!this.#isDelegated) return;
    this.#addon.renewTunnelKeys(this.#descriptor, this.#opening.records, this.#sealing.records);
  }

  /** Seals content; nothing may be unsent. */
  #seal(type: number, bytes: Buffer, from: number, to: number): void {
    const records = Math.ceil((to - from) / CONTENT_BYTES);
    const block = BLOCKS.take(to - from + records * OVERHEAD_BYTES);
    this.#unsent = block;
    this.#unsentFrom = 0;
    this.#unsentTo = this.#addon.sealTlsRecords(this.#sealing.records, type, bytes, from, to, block, 0);
  }

  /** Sends what is unsent. @returns 0 when nothing of it is left, or a negative number */
  #flush(): number {
    while (this.#unsent !== undefined) {
      const count = this.#addon.writeStream(this.#descriptor, this.#unsent, this.#unsentFrom, this.#unsentTo);
      if (count < 0) return count;
      this.#unsentFrom += count;
      if (this.#unsentFrom < this.#unsentTo) return TRY_AGAIN;
      this.#dropUnsent();
    }
    return 0;
  }

  #carry(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    this.#carried = BLOCKS.take(to - from);
    this.#carriedBytes = to - from;
    bytes.copy(this.#carried, 0, from, to);
  }

  #dropCarried(): void {
    if (this.#carried !== undefined) BLOCKS.release(this.#carried);
    this.#carried = undefined;
    this.#carriedBytes = 0;
  }

  #dropUnsent(): void {
    if (this.#unsent !== undefined) BLOCKS.release(this.#unsent);
    this.#unsent = undefined;
    this.#unsentFrom = 0;
    this.#unsentTo = 0;
  }
}
