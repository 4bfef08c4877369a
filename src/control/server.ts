import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authenticator } from '../auth/authenticator.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { refuseUpgrade } from '../net/http-refusal.ts';
import type { Site } from '../net/site.ts';
import type { Logger } from '../observability/logger.ts';
import type { Admission } from './admission.ts';
import { type Caller, CallerCheck } from './caller-check.ts';
import { EventConnections } from './event-connections.ts';
import { answer, errorBody, INVALID_REQUEST, type MethodMap } from './json-rpc.ts';
import { LiveSource } from './live/live-source.ts';
import type { LoginEntry, OneTimeLogins } from './login-entries.ts';
import type { AllowedNetworks } from './method-reach.ts';
import { controlMethods, methodsOf, NO_STREAM, refuseLogin, type UserRights } from './methods.ts';
import { refuseBody } from './refuse-body.ts';
import { type BodyBudget, readBody } from './request-body.ts';
import { type Refusal, refuseOrigin, refuseRequest } from './request-guard.ts';
import type { MethodName, SwitchControl } from './schema.ts';
import { stillCalling } from './still-calling.ts';
import type { WaitingLimit } from './waiting-limit.ts';

export interface ControlServerOptions {
  /** The path of the API; begins with `/`. */
  path: string;
  authenticator: Authenticator;
  /**
   * The names in `Host` that are accepted beside addresses and `localhost`: those of the certificate, which may be
   * renewed, and of `--ctlname`. Called for each request.
   */
  allowedHosts: () => readonly string[];
  service: SwitchControl;
  /**
   * Decides about a caller without its credentials; undefined: the authenticator decides. Called as soon as the head of
   * a request was read. Must not reject. Default: the authenticator always decides.
   */
  admit?: (request: IncomingMessage) => Promise<Admission> | undefined;
  /**
   * Whether a user may call a method, named without prefix. Default: all users may call all methods.
   * @param user null if no credentials are required
   */
  mayCall?: (user: string | null, method: MethodName) => boolean;
  /** The networks that a user may reach; undefined: all, and the switch itself. Default: all users may reach all. */
  networksOf?: (user: string | null) => AllowedNetworks;
  /** The address of the switch as the client sees it. Default: by the socket and `Host`. */
  siteOf?: (request: IncomingMessage) => Site;
  /** Makes one-time logins to the console. Default: there is no console. */
  logins?: OneTimeLogins;
  /** The client's address. Default: that of the socket. */
  addressOf?: (request: IncomingMessage) => string;
  /** Called when the caller of a request has the right to be answered. Default: nothing. */
  proven?: (request: IncomingMessage) => void;
  /** Counts refusals. Default: counters of its own. */
  counters?: EndpointCounters;
  logger: Logger;
  /** Counts the bodies among the buffered octets of the process. */
  budget?: BodyBudget;
  /** The tables for `observe`, which all servers of a switch share. Default: of its own. */
  live?: LiveSource;
  /** Bounds what waits in all WebSockets of a switch together. Default: in those of this server. */
  waiting?: WaitingLimit;
  /** The timeout for a whole body. Default 10 000. */
  bodyTimeoutMs?: number;
}

const BODY_BYTES = 1024 * 1024;
const BODY_TIMEOUT_MS = 10_000;
/** The most requests that are read or run at the same time. Bounds the memory of their bodies. */
const MOST_REQUESTS = 64;
/** Those of one user: a call may wait for a minute, as `ping` does, and others must be answered meanwhile. */
const MOST_OF_A_USER = 48;

const HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * The control API as a handler of an HTTP listener. It owns no socket and needs no
 * closing. The body of every refusal is a JSON-RPC error, so that JSON clients can show the reason.
 */
export class ControlServer {
  readonly path: string;
  readonly #authenticator: Authenticator;
  readonly #allowedHosts: () => readonly string[];
  readonly #service: SwitchControl;
  readonly #logins: OneTimeLogins | undefined;
  readonly #siteOf: ControlServerOptions['siteOf'];
  readonly #callers: CallerCheck;
  readonly #addressOf: ControlServerOptions['addressOf'];
  readonly #proven: ControlServerOptions['proven'];
  readonly #rights: UserRights;
  readonly #counters: EndpointCounters;
  readonly #logger: Logger;
  readonly #bodyTimeoutMs: number;
  readonly #budget: BodyBudget | undefined;
  readonly #events: EventConnections;
  /** the users of the requests that are read or run; null where none was required */
  readonly #running: (string | null)[] = [];

  constructor(options: ControlServerOptions) {
    this.path = options.path;
    this.#authenticator = options.authenticator;
    this.#allowedHosts = options.allowedHosts;
    this.#service = options.service;
    this.#logins = options.logins;
    this.#siteOf = options.siteOf;
    this.#addressOf = options.addressOf;
    this.#proven = options.proven;
    this.#rights = options;
    this.#counters = options.counters ?? new EndpointCounters();
    this.#callers = new CallerCheck({ ...options, counters: this.#counters });
    this.#events = new EventConnections({
      service: options.service,
      mayCall: options.mayCall,
      networksOf: options.networksOf,
      logger: options.logger,
      budget: options.budget,
      logins: options.logins,
      waiting: options.waiting,
      live: options.live ?? new LiveSource(options.service, options.logger),
    });
    this.#logger = options.logger;
    this.#budget = options.budget;
    this.#bodyTimeoutMs = options.bodyTimeoutMs ?? BODY_TIMEOUT_MS;
  }

  /** Handles one request. Never throws. From now on the request and the response belong to the server. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    this.#handle(request, response).catch((error: unknown) => {
      this.#logger.error({ err: error }, 'a control request failed unexpectedly');
      response.destroy();
    });
  }

  /** Accepts or refuses the opening handshake of a WebSocket, and owns its socket from now on. Never throws. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      this.#logger.error({ err: error }, 'a control connection failed unexpectedly');
      socket.destroy();
    });
  }

  /** Ends the WebSockets; requests end with the listener. */
  close(): void {
    this.#events.close();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const unwanted =
      this.#refusePath(request) ??
      refuseOrigin(request, this.#allowedHosts(), this.#siteOf?.(request)) ??
      this.#events.refusal;
    const caller = unwanted ?? (await this.#callers.check(request));
    const refusal = 'status' in caller ? caller : this.#events.refusalFor(caller);
    if (refusal === undefined) this.#events.accept(request, socket, head, caller as Caller);
    else this.#refuseUpgrade(request, socket, refusal);
  }

  #refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    const { status } = refusal;
    const text = this.#logRefusal(request, refusal);
    const headers = {
      ...HEADERS,
      ...(status === 401 ? { 'WWW-Authenticate': this.#authenticator.challenge } : {}),
      ...(status === 503 || status === 429 ? { 'Retry-After': '1' } : {}),
    };
    refuseUpgrade(socket, { status, headers, text });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const unwanted = this.#refusePath(request) ?? refuseRequest(request, this.#allowedHosts(), this.#siteOf?.(request));
    if (unwanted !== undefined) return this.#refuse(request, response, unwanted);
    const caller = await this.#callers.check(request);
    if ('status' in caller) return this.#refuse(request, response, caller);
    const { user } = caller;
    const overload = this.#refuseOverload(user);
    if (overload !== undefined) return this.#refuse(request, response, overload);
    this.#running.push(user);
    this.#proven?.(request);
    try {
      await this.#serve(request, response, this.#methodsFor(caller, response));
    } finally {
      this.#running.splice(this.#running.indexOf(user), 1);
    }
  }

  #methodsFor(caller: Caller, response: ServerResponse): MethodMap {
    const createLogin = (): LoginEntry => this.#logins?.create(caller) ?? refuseLogin();
    const methods = controlMethods(this.#service, { ...NO_STREAM, createLogin });
    return methodsOf(
      methods,
      caller.user,
      this.#rights,
      stillCalling(caller, () => !response.destroyed),
    );
  }

  /** Runs an authorized request. It counts towards MOST_REQUESTS; refused ones do not. */
  async #serve(request: IncomingMessage, response: ServerResponse, methods: MethodMap): Promise<void> {
    const body = await readBody(request, BODY_BYTES, this.#bodyTimeoutMs, this.#budget);
    if (body === 'aborted') return;
    if (body === 'tooLong') return this.#refuse(request, response, TOO_LONG);
    if (body === 'noRoom') return this.#refuse(request, response, NO_ROOM);
    if (body === 'tooSlow') {
      this.#counters.handshakeTimeouts++;
      return this.#refuse(request, response, TOO_SLOW);
    }

    const text = await answer(body, methods, (error, method) => {
      this.#logger.error({ err: error, method }, 'a control method failed unexpectedly');
    });
    if (text === undefined) response.writeHead(204, { 'Cache-Control': 'no-store' }).end();
    else response.writeHead(200, { ...HEADERS, 'Content-Length': Buffer.byteLength(text) }).end(text);
  }

  #refuseOverload(user: string | null): Refusal | undefined {
    const isFull = this.#running.length >= MOST_REQUESTS;
    const own = user === null ? 0 : this.#running.filter((other) => other === user).length;
    if (!isFull && own < MOST_OF_A_USER) return undefined;
    const message = isFull
      ? `${MOST_REQUESTS} control requests are being served already`
      : `${MOST_OF_A_USER} control requests of this user are being served already`;
    return { status: 503, code: 'REQUEST_REFUSED', message, hint: 'Try again in a moment' };
  }

  #refusePath(request: IncomingMessage): Refusal | undefined {
    if (request.url?.split('?', 1)[0] === this.path) return undefined;
    const message = 'The control API is not served at this path';
    return { status: 404, code: 'REQUEST_REFUSED', message, hint: 'It is where --ctlpath says, by default /ctl' };
  }

  /** Sends the refusal, reads the rest of the body, and closes the connection. */
  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status } = refusal;
    const text = this.#logRefusal(request, refusal);
    if (status === 401) response.setHeader('WWW-Authenticate', this.#authenticator.challenge);
    if (status === 405) response.setHeader('Allow', 'POST');
    if (status === 503 || status === 429) response.setHeader('Retry-After', '1');
    refuseBody(request, response, { status, headers: HEADERS, text });
  }

  /** @returns the body of the response */
  #logRefusal(request: IncomingMessage, { status, code, message, hint }: Refusal): string {
    const remoteAddress = this.#addressOf?.(request) ?? request.socket.remoteAddress;
    this.#logger.info({ remoteAddress, status, reason: message }, 'control request refused');
    return errorBody(INVALID_REQUEST, `${code}: ${message}. ${hint}`);
  }
}

const TOO_LONG: Refusal = {
  status: 413,
  code: 'REQUEST_REFUSED',
  message: `The body is longer than ${BODY_BYTES} bytes`,
  hint: 'Send fewer calls at once',
};
const TOO_SLOW: Refusal = {
  status: 408,
  code: 'REQUEST_REFUSED',
  message: 'The body did not arrive in time',
  hint: 'Check Content-Length and the network',
};
const NO_ROOM: Refusal = {
  status: 503,
  code: 'REQUEST_REFUSED',
  message: 'The buffers of this switch are full',
  hint: 'Try again in a moment; --max-buffers is their bound',
};
