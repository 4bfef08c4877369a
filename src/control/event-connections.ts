import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../observability/logger.ts';
import type { Caller } from './caller-check.ts';
import type { CaptureReaderBudget } from './capture-entries.ts';
import { EventConnection } from './event-connection.ts';
import type { Refusal } from './request-guard.ts';
import type { MethodName, SwitchControl } from './schema.ts';

export interface EventConnectionsOptions {
  readonly service: SwitchControl;
  readonly mayCall: ((user: string | null, method: MethodName) => boolean) | undefined;
  readonly logger: Logger;
  /** Counts what waits for the readers of captures. */
  readonly budget?: CaptureReaderBudget | undefined;
}

/** Each may hold up to `MOST_WAITING_BYTES` for a slow reader. */
const MOST_CONNECTIONS = 32;
/** The longest message of a caller: a body over HTTP may be as long. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
/** A peer that answers no ping for so long is gone. */
const PING_INTERVAL_MS = 30_000;

/** The WebSockets of callers of the control API: JSON-RPC both ways. */
export class EventConnections {
  readonly #options: EventConnectionsOptions;
  readonly #handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MOST_MESSAGE_BYTES,
    handleProtocols: () => false,
  });
  readonly #connections = new Set<EventConnection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EventConnectionsOptions) {
    this.#options = options;
  }

  /** Why there is no room for one more, if there is none. */
  get refusal(): Refusal | undefined {
    if (this.#connections.size < MOST_CONNECTIONS) return undefined;
    const message = `${MOST_CONNECTIONS} WebSockets to the control API are open already`;
    return { status: 503, code: 'REQUEST_REFUSED', message, hint: 'End one of them' };
  }

  /** Answers the opening handshake of a caller that may call. ws refuses one that is malformed. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller): void {
    // ws wants it alone; the listener has seen that it is there.
    request.headers.upgrade = 'websocket';
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, caller));
  }

  /** Ends all of them with close code 1001. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.#connections) connection.end(1001, 'the switch is stopping');
  }

  #open(webSocket: WebSocket, caller: Caller): void {
    const connection = new EventConnection({ ...this.#options, webSocket, caller });
    this.#connections.add(connection);
    webSocket.once('close', () => {
      this.#connections.delete(connection);
      if (this.#connections.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    this.#timer ??= setInterval(() => this.#tick(), PING_INTERVAL_MS).unref();
  }

  #tick(): void {
    for (const connection of this.#connections) connection.tick(Date.now());
  }
}
