import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth/authenticator.ts';
import { isLocalUserName } from '../auth/local-user.ts';
import { credentialsOf } from '../auth/request-credentials.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import type { Logger } from '../observability/logger.ts';
import type { Admission } from './admission.ts';
import { answer, errorBody, INVALID_REQUEST, type MethodMap } from './json-rpc.ts';
import { controlMethods, methodsOf } from './methods.ts';
import { type BodyBudget, readBody } from './request-body.ts';
import { type Refusal, refuseRequest } from './request-guard.ts';
import type { MethodName, SwitchControl } from './schema.ts';

export interface ControlServerOptions {
  /** Where the API is served; begins with `/`. */
  path: string;
  authenticator: Authenticator;
  /**
   * Names beside addresses and `localhost` under which the switch may be called: of its certificate, which may be
   * renewed, and of `--ctlname`. Asked for with each request.
   */
  allowedHosts: () => readonly string[];
  service: SwitchControl;
  /**
   * What is known of a caller without looking at credentials; undefined: nothing, ask for them. Default: nothing ever.
   * Called as soon as the request is there. Must not reject.
   */
  admit?: (request: IncomingMessage) => Promise<Admission> | undefined;
  /**
   * Whether a user may call a method, named without prefix; default: every admitted caller may call all
   * @param user null when no credentials were asked for
   */
  mayCall?: (user: string | null, method: MethodName) => boolean;
  /** the client of a request; default: the address of its socket */
  addressOf?: (request: IncomingMessage) => string;
  /** what is refused here is counted there */
  counters?: EndpointCounters;
  logger: Logger;
  /** the bound of what the process holds, where bodies count, too */
  budget?: BodyBudget;
  /** How long a body may take to arrive; default 10 000. */
  bodyTimeoutMs?: number;
}

const BODY_BYTES = 1024 * 1024;
const BODY_TIMEOUT_MS = 10_000;
/** Requests that are being read or run; more are turned away, so that their bodies have a bound. */
const MOST_REQUESTS = 64;
/** How much and how long a refused body is swallowed: closing on unread bytes would reset the answer away. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 1000;

const HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * The control API as a handler of an HTTP listener, which may serve other paths
 * as well. It owns no socket and nothing to close. Every refusal is a JSON-RPC
 * error too, so that a JSON client can say why.
 */
export class ControlServer {
  readonly path: string;
  readonly #authenticator: Authenticator;
  readonly #allowedHosts: () => readonly string[];
  readonly #methods: MethodMap;
  readonly #admit: ControlServerOptions['admit'];
  readonly #addressOf: ControlServerOptions['addressOf'];
  readonly #mayCall: ControlServerOptions['mayCall'];
  readonly #counters: EndpointCounters;
  readonly #logger: Logger;
  readonly #bodyTimeoutMs: number;
  readonly #budget: BodyBudget | undefined;
  #requests = 0;

  constructor(options: ControlServerOptions) {
    this.path = options.path;
    this.#authenticator = options.authenticator;
    this.#allowedHosts = options.allowedHosts;
    this.#methods = controlMethods(options.service);
    this.#admit = options.admit;
    this.#addressOf = options.addressOf;
    this.#mayCall = options.mayCall;
    this.#counters = options.counters ?? new EndpointCounters();
    this.#logger = options.logger;
    this.#budget = options.budget;
    this.#bodyTimeoutMs = options.bodyTimeoutMs ?? BODY_TIMEOUT_MS;
  }

  /** Answers one request, whatever it is. Never throws; the request and the response are its own from now on. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    this.#handle(request, response).catch((error: unknown) => {
      this.#logger.error({ err: error }, 'a control request failed unexpectedly');
      response.destroy();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const unwanted = this.#refusePath(request) ?? refuseRequest(request, this.#allowedHosts());
    if (unwanted !== undefined) return this.#refuse(request, response, unwanted);
    const user = await this.#userOf(request);
    if (typeof user === 'object' && user !== null) return this.#refuse(request, response, user);
    const overload = this.#refuseOverload();
    if (overload !== undefined) return this.#refuse(request, response, overload);
    this.#requests++;
    try {
      await this.#serve(request, response, methodsOf(this.#methods, user, this.#mayCall));
    } finally {
      this.#requests--;
    }
  }

  /** @returns the caller's name, null where none is asked for, or why that is not enough */
  async #userOf(request: IncomingMessage): Promise<string | null | Refusal> {
    const admission = await this.#admit?.(request);
    if (admission !== undefined) {
      if (!('refusal' in admission)) return admission.user;
      this.#counters.forbidden++;
      return admission.refusal;
    }
    const verdict = await this.#authenticator.authenticate(credentialsOf(request, this.#addressOf?.(request)));
    if (!verdict.isAllowed) return this.#refusalOf(verdict.reason);
    return verdict.user !== null && isLocalUserName(verdict.user) ? WRONG_PASSWORD : verdict.user;
  }

  /** Behind all refusals: only callers with rights take one of the places. */
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

  #refuseOverload(): Refusal | undefined {
    if (this.#requests < MOST_REQUESTS) return undefined;
    const message = `${MOST_REQUESTS} control requests are being served already`;
    return { status: 503, code: 'REQUEST_REFUSED', message, hint: 'Try again in a moment' };
  }

  #refusePath(request: IncomingMessage): Refusal | undefined {
    if (request.url?.split('?', 1)[0] === this.path) return undefined;
    const message = 'The control API is not served at this path';
    return { status: 404, code: 'REQUEST_REFUSED', message, hint: 'It is where --ctlpath says, by default /ctl' };
  }

  #refusalOf(reason: 'missing' | 'wrong' | 'busy' | 'throttled'): Refusal {
    if (reason === 'busy') return BUSY;
    if (reason === 'throttled') return THROTTLED;
    // HTTP has no challenge for certificates, and a 401 must have one (RFC 9110, 15.5.2).
    if (this.#authenticator.challenge === '') return NO_CERTIFICATE;
    return reason === 'missing' ? UNKNOWN_USER : WRONG_PASSWORD;
  }

  /** Says why, and ends the connection after what the peer is still sending. */
  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status, code, message, hint } = refusal;
    const remoteAddress = this.#addressOf?.(request) ?? request.socket.remoteAddress;
    this.#logger.info({ remoteAddress, status, reason: message }, 'control request refused');
    const text = errorBody(INVALID_REQUEST, `${code}: ${message}. ${hint}`);
    if (status === 401) response.setHeader('WWW-Authenticate', this.#authenticator.challenge);
    if (status === 405) response.setHeader('Allow', 'POST');
    if (status === 503 || status === 429) response.setHeader('Retry-After', '1');
    response.writeHead(status, { ...HEADERS, 'Content-Length': Buffer.byteLength(text), Connection: 'close' });
    response.write(text);
    swallow(request, () => response.end());
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
const UNKNOWN_USER: Refusal = {
  status: 401,
  code: 'AUTH_FAILED',
  message: 'This control API wants a user and a password, or a token',
  hint: 'Give them with --ctluser and --ctlpasswd',
};
const WRONG_PASSWORD: Refusal = {
  status: 401,
  code: 'AUTH_FAILED',
  message: 'The user, the password or the token is wrong',
  hint: 'Check --ctluser and --ctlpasswd against the htpasswd file of the switch',
};
const BUSY: Refusal = {
  status: 503,
  code: 'AUTH_BUSY',
  message: 'Too many passwords are being checked',
  hint: 'Try again in a moment',
};
const THROTTLED: Refusal = {
  status: 429,
  code: 'AUTH_BUSY',
  message: 'Too many logins from this address have failed',
  hint: 'Wait some seconds, and check the password',
};
const NO_CERTIFICATE: Refusal = {
  status: 403,
  code: 'AUTH_FAILED',
  message: 'This control API wants a client certificate that it trusts',
  hint: 'Show one that an authority of --ctlclient-ca issued and that has not expired',
};

/** Drops what is left of a body, up to the linger limits, then calls `done` once. */
function swallow(request: IncomingMessage, done: () => void): void {
  if (request.complete || request.destroyed) {
    done();
    return;
  }
  let bytes = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('close', finish);
    done();
  };
  const onData = (piece: Uint8Array): void => {
    bytes += piece.byteLength;
    if (bytes > LINGER_BYTES) finish();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('data', onData).on('end', finish).on('close', finish).resume();
}
