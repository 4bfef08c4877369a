import { isDeepStrictEqual } from 'node:util';
import { EtherwsError } from '../errors.ts';
import { EVENT_KINDS, type SwitchEvent } from '../events/event.ts';
import type { RawData, WebSocket } from '../net/web-socket-library.ts';
import type { Caller } from './caller-check.ts';
import { CaptureStream } from './capture-stream.ts';
import type { ClusterCaller, NodeEvents } from './cluster-entries.ts';
import type { EventConnectionsOptions } from './event-connections.ts';
import { answer } from './json-rpc.ts';
import { ObserveStream } from './live/observe-stream.ts';
import { type AllowedNetworks, isVisible } from './method-reach.ts';
import { type ControlMethods, clusterOf, controlMethods, methodsOf, refuseLogin } from './methods.ts';
import { METHOD_PREFIX, type MethodName, type ParamsOf, type SubscriptionEntry } from './schema.ts';
import { stillCalling } from './still-calling.ts';
import type { LimitedSocket, WaitingLimit } from './waiting-limit.ts';

export interface EventConnectionOptions extends EventConnectionsOptions {
  readonly waiting: WaitingLimit;
  readonly webSocket: WebSocket;
  readonly caller: Caller;
}

/** Limit of the octets that wait for a slow reader; events beyond it are lost and counted. */
const MOST_WAITING_BYTES = 2 * 1024 * 1024;
/** With more no further events of other nodes are read: they count there what they lose. */
const MOST_WAITING_OF_NODES = 256 * 1024;
/** Limit of calls that wait for their response; the connection of a caller that exceeds it is cut. */
const MOST_CALLS_WAITING = 64;
/** Limit of their octets: twice the longest message. */
const MOST_CALL_BYTES = 2 * 1024 * 1024;

/** A slow reader of a capture, or a node that has one, answers pings late, so it may be silent for 20 ticks: 10 minutes. */
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
  readonly #reader: LimitedSocket;
  readonly #options: EventConnectionOptions;
  readonly #methods: ControlMethods;
  #calls: Promise<void> = Promise.resolve();
  #callsWaiting = 0;
  #callBytes = 0;
  #unsubscribe: (() => void) | undefined;
  /** With a subscription to events of all nodes. */
  #nodes: { readonly events: NodeEvents; readonly allowed: AllowedNetworks } | undefined;
  #lost = 0;
  readonly #capture: CaptureStream;
  readonly #observation: ObserveStream;
  /** Ticks since the last pong of the peer. */
  #silentTicks = 0;

  constructor(options: EventConnectionOptions) {
    const { webSocket, service } = options;
    this.#options = options;
    this.#webSocket = webSocket;
    this.#reader = options.waiting.watch(webSocket, options.caller.user, options.logger);
    this.#capture = new CaptureStream({ ...options, sink: this.#reader });
    this.#observation = new ObserveStream({ ...options, sink: this.#reader });
    this.#methods = controlMethods(service, {
      createLogin: () => options.logins?.create(options.caller) ?? refuseLogin(),
      subscribe: (params) => this.#subscribe(params),
      observe: (params) => {
        this.#requireOpen();
        return this.#observation.start(params);
      },
      unobserve: () => ({ tables: this.#observation.end() }),
      subscribeCluster: (params, caller) => this.#subscribeCluster(params, caller),
      capture: async (params) => {
        this.#requireOpen();
        return this.#capture.start(
          params,
          (spec, reader) => service.processes?.capture(spec, reader) ?? service.capture(spec, reader),
        );
      },
      captureCluster: async (params, caller) => {
        this.#requireOpen();
        return this.#capture.start(params, (spec, reader) => clusterOf(service).capture(spec, caller, reader));
      },
      endCapture: () => this.#capture.end(),
    });
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('pong', () => {
      this.#silentTicks = 0;
    });
    webSocket.on('message', (data: RawData, isBinary: boolean) => this.#received(data, isBinary));
    webSocket.once('close', () => {
      this.#endSubscription();
      this.#observation.end();
      this.#capture.close();
    });
  }

  end(code: number, reason: string): void {
    this.#endSubscription();
    this.#observation.end();
    this.#capture.flush();
    this.#webSocket.close(code, reason);
  }

  /** To be called every 30 s: pings, and ends the connection if it is silent, expired or no longer authorized. */
  tick(nowMs: number): void {
    const { caller, mayCall } = this.#options;
    if (this.#endExpired(nowMs)) return;
    const isForbidden = this.#uses.some((method) => mayCall?.(caller.user, method) === false);
    // Other nodes were told what the caller could reach at the time of its call.
    const isOther = this.#nodes !== undefined && !isDeepStrictEqual(this.#nodes.allowed, this.#allowed);
    if (isForbidden || isOther || !this.#capture.isWithin(this.#allowed)) {
      this.end(POLICY_VIOLATION, 'the policy has changed');
    } else if (this.#silentTicks >= this.#mostSilentTicks) this.#webSocket.terminate();
    else {
      this.#silentTicks++;
      this.#webSocket.ping();
      void this.#recheck();
    }
  }

  get #mostSilentTicks(): number {
    return this.#options.caller.isPausing === true || this.#capture.isReaderSlow ? MOST_SLOW_TICKS : 1;
  }

  /** Ends the connection of a user that was deleted, or whose password has changed. */
  async #recheck(): Promise<void> {
    const isValid = (await this.#options.caller.isStillValid?.()) ?? true;
    if (!isValid) this.end(POLICY_VIOLATION, 'the credentials are not valid any more');
  }

  /** The networks that the caller may reach now. */
  get #allowed(): AllowedNetworks {
    return this.#options.networksOf?.(this.#options.caller.user);
  }

  /** The methods whose effect lasts: a subscription, an observation, a capture. */
  get #uses(): MethodName[] {
    return [
      ...(this.#unsubscribe === undefined ? [] : (['subscribe'] as const)),
      ...(this.#observation.isRunning ? (['observe'] as const) : []),
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
    const { caller } = this.#options;
    const before = stillCalling(caller, () => this.#isOpen);
    const methods = methodsOf(this.#methods, caller.user, this.#options, before);
    const text = await answer(body, methods, (error, method) => {
      this.#options.logger.error({ err: error, method }, 'a control method failed unexpectedly');
    });
    const sent = text === undefined ? undefined : this.#send(text);
    this.#observation.begin();
    // The next call waits until the response is sent, so that a caller that does not read cannot fill the memory.
    await sent;
    this.#callsWaiting--;
    this.#callBytes -= body.length;
  }

  /** Resolves when the text was handed to the system, or never will be. */
  #send(text: string): Promise<void> {
    return new Promise((resolve) => this.#reader.send(text, resolve));
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
    this.#endSubscription();
    const wanted = [...new Set(kinds)];
    this.#unsubscribe = events.subscribe((batch, lost) => this.#deliver(batch, lost), wanted);
    return { events: wanted, sequence: events.sequence };
  }

  #subscribeCluster(
    { events: kinds = [...EVENT_KINDS] }: ParamsOf<'subscribeCluster'>,
    caller: ClusterCaller,
  ): SubscriptionEntry {
    this.#requireOpen();
    const { service } = this.#options;
    const webSocket = this.#webSocket;
    const wanted = [...new Set(kinds)];
    const events = clusterOf(service).subscribe(wanted, caller, {
      event: (event) => this.#notify(event),
      own: (batch, lost) => this.#deliver(batch, lost),
      get isFull() {
        return webSocket.bufferedAmount > MOST_WAITING_OF_NODES;
      },
    });
    this.#endSubscription();
    this.#unsubscribe = () => events.end();
    this.#nodes = { events, allowed: caller.allowed };
    return { events: wanted, sequence: service.events.sequence };
  }

  #endSubscription(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#nodes = undefined;
  }

  #deliver(events: readonly SwitchEvent[], lost: number): void {
    this.#lost += lost;
    const allowed = this.#allowed;
    for (const event of events) {
      if (!isVisible(event, allowed)) continue;
      if (this.#webSocket.bufferedAmount > MOST_WAITING_BYTES) this.#lost++;
      else {
        this.#tellLost();
        this.#notify({ ...this.#ofNode, ...event });
      }
    }
    if (this.#webSocket.bufferedAmount <= MOST_WAITING_BYTES) this.#tellLost();
  }

  /** Sends `lost` before the first event after the gap, or when the reader has caught up. */
  #tellLost(): void {
    if (this.#lost === 0) return;
    const time = new Date().toISOString();
    const { sequence } = this.#options.service.events;
    this.#notify({ ...this.#ofNode, sequence, time, event: 'lost', lost: this.#lost });
    this.#lost = 0;
  }

  /** What events of this node say beside others. */
  get #ofNode(): { readonly at?: string } {
    return this.#nodes === undefined ? {} : { at: this.#nodes.events.node };
  }

  #notify(params: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', method: EVENT_METHOD, params });
    this.#reader.send(text, () => {
      if (this.#webSocket.bufferedAmount > 0) return;
      if (this.#lost > 0) this.#tellLost();
      this.#nodes?.events.drained();
    });
  }
}
