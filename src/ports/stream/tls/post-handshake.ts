import { ALERTS } from './alerts.ts';

/** Types of handshake messages that may follow a handshake (RFC 8446, 4). */
const NEW_SESSION_TICKET = 4;
const KEY_UPDATE = 24;
const MESSAGE_HEADER_BYTES = 4;
const NOT_REQUESTED = 0;
const REQUESTED = 1;

/** What the message at hand asks for: nothing, other keys of the peer, and ours besides. */
export type PostHandshakeEvent = 'none' | 'keyUpdate' | 'keyUpdateRequested';

/**
 * Reads the messages that may come behind a handshake, in records that may cut
 * them anywhere. Tickets are let pass: nothing of them is kept.
 */
export class PostHandshake {
  readonly #isClient: boolean;
  readonly #head: number[] = [];
  /** Octets of a ticket that are still to come. */
  #toSkip = 0;

  constructor(isClient: boolean) {
    this.#isClient = isClient;
  }

  /** Whether a message has begun and not ended: nothing else may come before its end (RFC 8446, 5.1). */
  get isInMessage(): boolean {
    return this.#head.length > 0 || this.#toSkip > 0;
  }

  /**
   * Takes the content of one record.
   * @returns what it asks for, or a fatal alert, negative
   */
  take(content: Buffer): PostHandshakeEvent | number {
    for (let at = 0; at < content.length; ) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, content.length - at);
        this.#toSkip -= skipped;
        at += skipped;
        continue;
      }
      this.#head.push(content[at] ?? 0);
      at++;
      const [type = 0, high = 0, middle = 0, low = 0, request] = this.#head;
      // Another message is not offered, and so is not for us: post-handshake authentication, for one.
      if (type !== KEY_UPDATE && (type !== NEW_SESSION_TICKET || !this.#isClient)) return -ALERTS.unexpectedMessage;
      if (this.#head.length < MESSAGE_HEADER_BYTES) continue;
      const length = (high << 16) | (middle << 8) | low;
      if (type === NEW_SESSION_TICKET) {
        this.#toSkip = length;
        this.#head.length = 0;
        continue;
      }
      if (length !== 1) return -ALERTS.decodeError;
      if (request === undefined) continue;
      this.#head.length = 0;
      if (request !== NOT_REQUESTED && request !== REQUESTED) return -ALERTS.illegalParameter;
      // The key changes with the record (RFC 8446, 5.1).
      if (at < content.length) return -ALERTS.unexpectedMessage;
      return request === REQUESTED ? 'keyUpdateRequested' : 'keyUpdate';
    }
    return 'none';
  }
}

/** KeyUpdate messages (RFC 8446, 4.6.3): the second one asks the peer for an update, too. */
export const KEY_UPDATE_MESSAGE: Buffer = Buffer.from([KEY_UPDATE, 0, 0, 1, NOT_REQUESTED]);
export const KEY_UPDATE_REQUEST_MESSAGE: Buffer = Buffer.from([KEY_UPDATE, 0, 0, 1, REQUESTED]);
