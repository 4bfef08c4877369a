import type { RawData, WebSocket } from 'ws';
import { EtherwsError } from '../errors.ts';
import { EVENT_KINDS, type SwitchEvent } from '../events/event.ts';
import type { Caller } from './caller-check.ts';
import { CaptureStream } from './capture-stream.ts';
import type { EventConnectionsOptions } from './event-connections.ts';
import { answer, type MethodMap } from './json-rpc.ts';
import { controlMethods, methodsOf } from './methods.ts';
import { METHOD_PREFIX, type MethodName, type ParamsOf, type SubscriptionEntry } from './schema.ts';

export interface EventConnectionOptions extends EventConnectionsOptions {
  readonly webSocket: WebSocket;
  readonly caller: Caller;
}

/** Limit of the octets that wait for a slow reader; events beyond it are lost and counted. */
const MOST_WAITING_BYTES = 2 * 1024 * 1024;
/** Limit of calls that wait for their response; the connection of a caller that exceeds it is cut. */
const MOST_CALLS_WAITING = 64;
/** Limit of their octets: twice the longest message. */
const MOST_CALL_BYTES = 2 * 1024 * 1024;

/** A slow reader of a capture answers pings late, so it may be silent for 20 ticks: 10 minutes. */
const MOST_SLOW_TICKS = 20;

/** Close codes of RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008;
const UNSUPPORTED_DATA = 1003;

/** The notification that carries an event. */
export const EVENT_METHOD = `${METHOD_PREFIX}event`;

/**
 * One caller's WebSocket. Each message is a JSON-RPC call or batch; responses come in the order of the calls. After
 * `subscribe` notifications with events come in between. Where events were lost, the next one is `lost`.
 */
export class EventConnection {
  readonly #webSocket: WebSocket;
  readonly #options: EventConnectionOptions;
  readonly #methods: MethodMap;
  #calls: Promise<void> = Promise.resolve();
  #callsWaiting = 0;
  #callBytes = 0;
  #unsubscribe: (() => void) | undefined;
  #lost = 0;
  readonly #capture: CaptureStream;
  /** Ticks since the last pong of the peer. */
  #silentTicks = 0;

  constructor(options: EventConnectionOptions) {
    const { webSocket, service } = options;
    this.#options = options;
    this.#webSocket = webSocket;
    this.#capture = new CaptureStream(options);
    this.#methods = controlMethods(service, {
      subscribe: (params) => this.#subscribe(params),
      capture: (params) => {
        this.#requireOpen();
        return this.#capture.start(params);
      },
      endCapture: () => this.#capture.end(),
    });
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('pong', () => {
      this.#silentTicks = 0;
    });
    webSocket.on('message', (data: RawData, isBinary: boolean) => this.#received(data, isBinary));
    webSocket.once('close', () => {
      this.#unsubscribe?.();
      this.#capture.close();
    });
  }

  end(code: number, reason: string): void {
    this.#unsubscribe?.();
    this.#capture.flush();
    this.#webSocket.close(code, reason);
  }

  /** To be called every 30 s: pings, and ends the connection if it is silent, expired or no longer authorized. */
  tick(nowMs: number): void {
    const { caller, mayCall } = this.#options;
    if (this.#endExpired(nowMs)) return;
    if (this.#uses.some((method) => mayCall?.(caller.user, method) === false)) {
      this.end(POLICY_VIOLATION, 'the policy has changed');
    } else if (this.#silentTicks >= (this.#capture.isReaderSlow ? MOST_SLOW_TICKS : 1)) this.#webSocket.terminate();
    else {
      this.#silentTicks++;
      this.#webSocket.ping();
      void this.#recheck();
    }
  }

  /** Ends the connection of a user that was deleted, or whose password has changed. */
  async #recheck(): Promise<void> {
    const isValid = (await this.#options.caller.isStillValid?.()) ?? true;
    if (!isValid) this.end(POLICY_VIOLATION, 'the credentials are not valid any more');
  }

  /** The methods whose effect lasts: a subscription, a capture. */
  get #uses(): MethodName[] {
    return [
      ...(this.#unsubscribe === undefined ? [] : (['subscribe'] as const)),
      ...(this.#capture.isRunning ? (['capture'] as const) : []),
    ];
  }

  #received(data: RawData, isBinary: boolean): void {
    if (isBinary) this.end(UNSUPPORTED_DATA, 'a call is a text message');
    else {
      // RawData is a Buffer, the default `binaryType` of ws.
      const body = data as Buffer;
      this.#callBytes += body.length;
      if (++this.#callsWaiting > MOST_CALLS_WAITING || this.#callBytes > MOST_CALL_BYTES) {
        this.end(POLICY_VIOLATION, 'too many calls at once');
      } else this.#calls = this.#calls.then(() => this.#answer(body));
    }
  }

  /** Never rejects. */
  async #answer(body: Buffer): Promise<void> {
    // A call that waited for others is not run after the end of the connection.
    if (!this.#isOpen || this.#endExpired(Date.now())) return;
    const { caller, mayCall } = this.#options;
    // The policy may have changed since the last call.
    const methods = methodsOf(this.#methods, caller.user, mayCall);
    const text = await answer(body, methods, (error, method) => {
      this.#options.logger.error({ err: error, method }, 'a control method failed unexpectedly');
    });
    // The next call waits until the response is sent, so that a caller that does not read cannot fill the memory.
    if (text !== undefined) await new Promise<void>((resolve) => this.#webSocket.send(text, () => resolve()));
    this.#callsWaiting--;
    this.#callBytes -= body.length;
  }

  /** Ends the connection if its token has expired. @returns whether it has */
  #endExpired(nowMs: number): boolean {
    const { untilMs } = this.#options.caller;
    const hasExpired = untilMs !== undefined && nowMs > untilMs;
    if (hasExpired) this.end(POLICY_VIOLATION, 'the token has expired');
    return hasExpired;
  }

  get #isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  /** A capture that began after the connection's end would never end. @throws EtherwsError REQUEST_REFUSED */
  #requireOpen(): void {
    if (this.#isOpen) return;
    throw new EtherwsError('REQUEST_REFUSED', 'This WebSocket is closed', { hint: 'Open another one' });
  }

  #subscribe({ events: kinds = [...EVENT_KINDS] }: ParamsOf<'subscribe'>): SubscriptionEntry {
    this.#requireOpen();
    const { events } = this.#options.service;
    this.#unsubscribe?.();
    const wanted = [...new Set(kinds)];
    this.#unsubscribe = events.subscribe((batch, lost) => this.#deliver(batch, lost), wanted);
    return { events: wanted, sequence: events.sequence };
  }

  #deliver(events: readonly SwitchEvent[], lost: number): void {
    this.#lost += lost;
    for (const event of events) {
      if (this.#webSocket.bufferedAmount > MOST_WAITING_BYTES) this.#lost++;
      else {
        this.#tellLost();
        this.#notify(event);
      }
    }
    if (this.#webSocket.bufferedAmount <= MOST_WAITING_BYTES) this.#tellLost();
  }

  /** Sends `lost` before the first event after the gap, or when the reader has caught up. */
  #tellLost(): void {
    if (this.#lost === 0) return;
    const time = new Date().toISOString();
    this.#notify({ sequence: this.#options.service.events.sequence, time, event: 'lost', lost: this.#lost });
    this.#lost = 0;
  }

  #notify(params: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', method: EVENT_METHOD, params });
    this.#webSocket.send(text, () => {
      if (this.#lost > 0 && this.#webSocket.bufferedAmount === 0) this.#tellLost();
    });
  }
}
