import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from '../net/web-socket-library.ts';
import type { Logger } from '../observability/logger.ts';
import type { Caller } from './caller-check.ts';
import type { CaptureReaderBudget } from './capture-entries.ts';
import { EventConnection } from './event-connection.ts';
import type { LiveSource } from './live/live-source.ts';
import type { OneTimeLogins } from './login-entries.ts';
import type { AllRights } from './methods.ts';
import type { Refusal } from './request-guard.ts';
import { METHODS, type MethodName, type SwitchControl } from './schema.ts';
import { WaitingLimit } from './waiting-limit.ts';

export interface EventConnectionsOptions extends AllRights {
  readonly service: SwitchControl;
  readonly logger: Logger;
  /** the tables for `observe`: those of the switch, which all connections to it share */
  readonly live: LiveSource;
  /** Counts the octets that wait for readers of captures. */
  readonly budget?: CaptureReaderBudget | undefined;
  /** Bounds what waits for all readers of a switch together. Default: for those of these connections. */
  readonly waiting?: WaitingLimit | undefined;
  /** Limit of WebSockets. Default: 32 */
  readonly most?: number | undefined;
  /** undefined: the switch has no console */
  readonly logins?: OneTimeLogins | undefined;
}

/** Limit of WebSockets, since each may hold up to `MOST_WAITING_BYTES` for a slow reader. */
const MOST_CONNECTIONS = 32;
/** Limit of one user's WebSockets, so that others can have some. */
const MOST_OF_A_USER = 16;
/** Limit of a caller's message, as of a body over HTTP. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
/** Time from one ping to the next; a peer that does not answer one is taken for gone. */
const PING_INTERVAL_MS = 30_000;

/** The WebSockets of callers of the control API: JSON-RPC both ways. */
export class EventConnections {
  readonly #options: EventConnectionsOptions & { readonly waiting: WaitingLimit };
  readonly #handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MOST_MESSAGE_BYTES,
    handleProtocols: () => false,
  });
  readonly #fields = new WeakMap<IncomingMessage, readonly string[]>();
  readonly #connections = new Map<EventConnection, Caller>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EventConnectionsOptions) {
    this.#options = { ...options, waiting: options.waiting ?? new WaitingLimit() };
    this.#handshakes.on('headers', (lines, request) => lines.push(...(this.#fields.get(request) ?? [])));
  }

  /** The refusal if the limit is reached. */
  get refusal(): Refusal | undefined {
    const { most = MOST_CONNECTIONS } = this.#options;
    if (this.#connections.size < most) return undefined;
    const message = `${most} WebSockets to the control API are open already`;
    return { status: 503, code: 'REQUEST_REFUSED', message, hint: 'End one of them' };
  }

  /** The refusal of a caller: it may call no method, its user has reached its limit, or the limit of all is reached. */
  refusalFor({ user }: Caller): Refusal | undefined {
    const { mayCall } = this.#options;
    const names = Object.keys(METHODS) as MethodName[];
    if (mayCall !== undefined && !names.some((name) => mayCall(user, name))) {
      const message = 'This user may call no method';
      return {
        status: 403,
        code: 'METHOD_FORBIDDEN',
        message,
        hint: 'The operator of the switch can allow it in its policy',
      };
    }
    if (
      user !== null &&
      [...this.#connections.values()].filter((other) => other.user === user).length >= MOST_OF_A_USER
    ) {
      const message = `${MOST_OF_A_USER} WebSockets of this user are open already`;
      return { status: 503, code: 'REQUEST_REFUSED', message, hint: 'End one of them' };
    }
    return this.refusal;
  }

  /**
   * Accepts the opening handshake of an authorized caller; ws refuses a malformed one.
   * @param rights of this caller; default: those of all callers
   * @param fields further lines of the header of the answer
   */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    caller: Caller,
    rights?: AllRights,
    fields: readonly string[] = [],
  ): void {
    this.#fields.set(request, fields);
    // ws requires the single value `websocket`; the listener has checked that the list contains it.
    request.headers.upgrade = 'websocket';
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, caller, rights));
  }

  /** Whether a connection was accepted with this very caller, and is open. */
  has(caller: Caller): boolean {
    return [...this.#connections.values()].includes(caller);
  }

  /** Ends the connections that were accepted with this very caller, with close code 1008. */
  end(caller: Caller, reason: string): void {
    for (const [connection, other] of this.#connections) if (other === caller) connection.end(1008, reason);
  }

  /** Ends all of them with close code 1001. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.#connections.keys()) connection.end(1001, 'the switch is stopping');
  }

  #open(webSocket: WebSocket, caller: Caller, rights: AllRights | undefined): void {
    const connection = new EventConnection({ ...this.#options, ...rights, webSocket, caller });
    this.#connections.set(connection, caller);
    webSocket.once('close', () => {
      this.#connections.delete(connection);
      if (this.#connections.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    this.#timer ??= setInterval(() => this.#tick(), PING_INTERVAL_MS).unref();
  }

  #tick(): void {
    for (const connection of this.#connections.keys()) connection.tick(Date.now());
  }
}
