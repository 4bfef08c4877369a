import { CLOSE_SERVICE_RESTART, closePayload } from '../../wire/websocket/close-code.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { Transport } from '../stream/transport.ts';

/**
 * The closing handshake of a connection (RFC 6455, 7.1), which either side may begin. The stream ends when both Close messages
 * have passed; when the peer does not answer within `timeoutMs`, the connection is cut.
 */
export class ClosingHandshake {
  readonly #transport: Pick<Transport, 'end' | 'destroy'>;
  readonly #outbox: Pick<Outbox, 'finish'>;
  readonly #timeoutMs: number;
  #isSent = false;
  #isReceived = false;
  #isPeerRestarting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    transport: Pick<Transport, 'end' | 'destroy'>,
    outbox: Pick<Outbox, 'finish'>,
    { closeTimeoutMs }: { readonly closeTimeoutMs: number },
  ) {
    this.#transport = transport;
    this.#outbox = outbox;
    this.#timeoutMs = closeTimeoutMs;
  }

  /** Whether the peer has sent its Close message, or broken the protocol: it sends nothing more that counts. */
  get isReceived(): boolean {
    return this.#isReceived;
  }

  /** Whether the peer has closed the connection with 1012 Service Restart. */
  get isPeerRestarting(): boolean {
    return this.#isPeerRestarting;
  }

  /** Sends our Close message. Nothing may be sent behind it. */
  send(code: number, words: string): void {
    this.#timer ??= setTimeout(() => this.#transport.destroy(), this.#timeoutMs);
    this.#outbox.finish(closePayload(code, words), () => {
      this.#isSent = true;
      this.endIfDone();
    });
  }

  /** The Close message of the peer has come. `endIfDone` is to be called when it is answered. @param code undefined: the peer has broken the protocol */
  received(code?: number): void {
    this.#isReceived = true;
    if (code !== undefined) this.#isPeerRestarting = code === CLOSE_SERVICE_RESTART;
  }

  /** Ends the stream when both Close messages have passed. */
  endIfDone(): void {
    if (this.#isSent && this.#isReceived) this.#transport.end();
  }

  /** The connection is closed. */
  over(): void {
    clearTimeout(this.#timer);
  }
}
