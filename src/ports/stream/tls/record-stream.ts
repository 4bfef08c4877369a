import { constants } from 'node:os';
import type { Descriptor } from '../../../native/descriptors.ts';
import type { FrameBatch } from '../../../wire/ethernet/frame-batch.ts';
import { errnoError, type KernelStream, PlainStream } from '../kernel-stream.ts';
import { ALERTS, alertContent, alertError } from './alerts.ts';
import { KEY_UPDATE_MESSAGE, KEY_UPDATE_REQUEST_MESSAGE, PostHandshake } from './post-handshake.ts';
import type { RecordAddon, RecordKeys } from './record-keys.ts';

const RECORD_ALERT = 21;
const RECORD_HANDSHAKE = 22;
/** What native code says beside the types of records: the peer's key has sealed as many records as it may. */
const PEER_KEY_WORN = 256;
/**
 * Records under one key of AES-GCM. RFC 8446, 5.5, has 2^24.5 as the most; the key is changed before the next write, so
 * that the records of one write may come on top.
 */
const RECORDS_A_KEY = 2 ** 24;
/** What sending says when our key has sealed as many. */
const KEY_WORN: number = -constants.errno.EDQUOT;
const NOTHING: Buffer = Buffer.alloc(0);
/** The most key updates of a peer in a row without data between them. */
const MAX_IDLE_UPDATES = 32;
/** Statuses below every errno: minus this is a fatal alert of ours, minus twice this one of the peer's. */
const ALERT_BASE = 100_000;

/** What native code is answered about a record that was no data (native/datapath/host.h). */
const STOP = 0;
const GO_ON = 1;
const GO_ON_INSIDE_A_MESSAGE = 2;

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
 * The record layer of TLS 1.3 behind the handshake (RFC 8446, 5), as far as it is not data: alerts, key updates, the
 * end. Native code opens and seals the records (native/datapath/host.h, native/datapath/send.c) and tells of those that are no
 * data.
 */
export class RecordStream implements KernelStream {
  readonly #addon: RecordAddon;
  readonly #descriptor: Descriptor;
  readonly #plain: PlainStream;
  readonly #opening: RecordKeys;
  readonly #sealing: RecordKeys;
  readonly #recordsAKey: number;
  readonly #messages: PostHandshake;
  #prefetched: Buffer | undefined;
  #isOpen = false;
  /** Behind close_notify 0; behind a failure a negative status. */
  #over: number | undefined;
  /** Key updates of the peer since its last data. */
  #idleUpdates = 0;
  /** One answer does for all updates that were requested while it could not be sent (RFC 8446, 4.6.3). */
  #owesKeyUpdate = false;
  #isWaiting = false;
  #isEndSealed = false;
  #isClosed = false;

  constructor(options: RecordStreamOptions) {
    this.#addon = options.addon;
    this.#descriptor = options.descriptor;
    this.#plain = new PlainStream(options.addon, options.descriptor);
    this.#opening = options.opening;
    this.#sealing = options.sealing;
    this.#recordsAKey = options.recordsAKey ?? RECORDS_A_KEY;
    this.#messages = new PostHandshake(options.isClient);
    if (options.prefetched.length > 0) this.#prefetched = options.prefetched;
  }

  get hasPrefetched(): boolean {
    return this.#prefetched !== undefined;
  }

  open(onOver: (status: number) => void): void {
    this.#addon.sealTunnel(
      this.#descriptor,
      this.#opening.records,
      this.#sealing.records,
      this.#recordsAKey,
      this.#prefetched ?? NOTHING,
      (status, content, hasData) => {
        if (hasData) this.#idleUpdates = 0;
        this.#judge(status, content);
        if (this.#over === undefined) return this.#messages.isInMessage ? GO_ON_INSIDE_A_MESSAGE : GO_ON;
        onOver(this.#over);
        return STOP;
      },
    );
    this.#isOpen = true;
  }

  send(bytes: Buffer): number {
    if (this.#owesKeyUpdate) this.#updateKey(KEY_UPDATE_MESSAGE);
    const waiting = this.#plain.send(bytes);
    if (waiting !== KEY_WORN) return this.#noted(waiting);
    this.#updateKey(KEY_UPDATE_MESSAGE);
    return this.#noted(this.#plain.send(bytes));
  }

  sendFrames(batch: FrameBatch, indexes: Uint32Array, count: number, leastBytes: number): number {
    if (this.#owesKeyUpdate) this.#updateKey(KEY_UPDATE_MESSAGE);
    const waiting = this.#plain.sendFrames(batch, indexes, count, leastBytes);
    if (waiting !== KEY_WORN) return this.#noted(waiting);
    this.#updateKey(KEY_UPDATE_MESSAGE);
    return this.#noted(this.#plain.sendFrames(batch, indexes, count, leastBytes));
  }

  drained(): void {
    this.#isWaiting = false;
    if (this.#owesKeyUpdate && this.#over === undefined) this.#updateKey(KEY_UPDATE_MESSAGE);
  }

  end(): number {
    this.#notify();
    return this.#plain.end();
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
  }

  /** What a record was that is no data: its type, or minus the alert that it deserves. */
  #judge(status: number, content: Buffer): void {
    if (status < 0) this.#fail(-status);
    else if (status === RECORD_ALERT) this.#alerted(content);
    else if (status === RECORD_HANDSHAKE) this.#take(content);
    else if (status === PEER_KEY_WORN) this.#updateKey(KEY_UPDATE_REQUEST_MESSAGE);
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
    if (event !== 'keyUpdateRequested') return;
    // A peer that does not read could make any number of answers wait.
    if (this.#isWaiting) this.#owesKeyUpdate = true;
    else this.#updateKey(KEY_UPDATE_MESSAGE);
  }

  /** Tells the peer what is wrong, and opens nothing more. */
  #fail(description: number): void {
    this.#over = -ALERT_BASE - description;
    this.#sendAlert(description);
  }

  /** Sends close_notify, which comes before every end except a failure (RFC 8446, 6.1). */
  #notify(): void {
    this.#sendAlert(ALERTS.closeNotify);
  }

  /** Sends the last record, once. */
  #sendAlert(description: number): void {
    if (this.#isEndSealed || !this.#isOpen) return;
    this.#isEndSealed = true;
    this.#sendRecord(RECORD_ALERT, alertContent(description));
  }

  /** @param message a KeyUpdate: it is the last record of our key */
  #updateKey(message: Buffer): void {
    this.#owesKeyUpdate = false;
    if (this.#isEndSealed) return;
    this.#sendRecord(RECORD_HANDSHAKE, message);
    this.#sealing.update();
    this.#renewKeys();
  }

  #renewKeys(): void {
    this.#addon.renewTunnelKeys(this.#descriptor, this.#opening.records, this.#sealing.records);
  }

  /** A connection that has failed says so by the next read, or the next write of data. */
  #sendRecord(type: number, content: Buffer): void {
    this.#noted(this.#addon.sendRecord(this.#descriptor, type, content));
  }

  #noted(waiting: number): number {
    this.#isWaiting = waiting > 0;
    return waiting;
  }
}
