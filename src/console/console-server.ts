import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authenticator } from '../auth/authenticator.ts';
import { credentialsOf } from '../auth/request-credentials.ts';
import type { Admission } from '../control/admission.ts';
import { type Caller, CallerCheck } from '../control/caller-check.ts';
import { EventConnections } from '../control/event-connections.ts';
import type { LiveSource } from '../control/live/live-source.ts';
import type { LoginEntry, OneTimeLogins } from '../control/login-entries.ts';
import type { UserRights } from '../control/methods.ts';
import { refuseBody } from '../control/refuse-body.ts';
import { type BodyBudget, readBody } from '../control/request-body.ts';
import { type Refusal, refuseOrigin } from '../control/request-guard.ts';
import { METHODS, type MethodName, type SwitchControl } from '../control/schema.ts';
import type { WaitingLimit } from '../control/waiting-limit.ts';
import { EtherwsError } from '../errors.ts';
import type { EndpointCounters } from '../net/endpoint-counters.ts';
import { refuseUpgrade } from '../net/http-refusal.ts';
import type { Site } from '../net/site.ts';
import type { Logger } from '../observability/logger.ts';
import { refuseChange, refuseReading } from './console-guard.ts';
import { LoginCodes } from './login-codes.ts';
import { type LoginKind, readLogin } from './login-request.ts';
import * as refusals from './refusals.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { presentedId, sessionCookie } from './session-cookie.ts';
import { Sessions } from './sessions.ts';
import { StaticFiles } from './static-files.ts';

export interface ConsoleServerOptions extends UserRights {
  /** Where all paths of the console are; begins and ends with `/`. */
  readonly path: string;
  /** The directory of the built page. */
  readonly directory: string;
  /** What the page says that the switch is. */
  readonly identity: { readonly name: string; readonly version: string };
  /** Where the console is, for one-time logins. */
  readonly place: () => Omit<LoginEntry, 'code' | 'expiresSeconds'>;
  /** The kinds of credentials that `authenticator` asks for; none: it accepts any. */
  readonly kinds: readonly LoginKind[];
  readonly authenticator: Authenticator;
  /** as `ControlServerOptions.allowedHosts` */
  readonly allowedHosts: () => readonly string[];
  readonly service: SwitchControl;
  /** as `ControlServerOptions.live` */
  readonly live: LiveSource;
  /** as `ControlServerOptions.admit` */
  readonly admit?: (request: IncomingMessage) => Promise<Admission> | undefined;
  /** The client's address. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly siteOf: (request: IncomingMessage) => Site;
  /** The user of this host that sends a request; undefined: it is elsewhere, or unknown. Default: unknown. */
  readonly uidOf?: (request: IncomingMessage) => number | undefined;
  readonly counters: EndpointCounters;
  readonly logger: Logger;
  readonly budget?: BodyBudget;
  /** as `ControlServerOptions.waiting` */
  readonly waiting?: WaitingLimit;
  /** The timeout for the body of a login. Default 5000. */
  readonly bodyTimeoutMs?: number;
}

/** Enough for the longest token. */
const LOGIN_BYTES = 16 * 1024;
const BODY_TIMEOUT_MS = 5000;
/** Time limit of a response, after which the connection is cut: a client that does not read must not keep it. */
const RESPONSE_MS = 30_000;

const NO_STORE = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } as const;
/** A scheme that browsers do not know, so that they do not ask for a password by themselves. */
const CHALLENGE = 'Cookie realm="etherws", form-action="login"';

/**
 * The server side of the console: the files of its page, the sessions of browsers, and the WebSocket by which a page calls
 * the control API. A caller is the one of its session; without one, it is found by its connection, as at the control API:
 * a user of this host, or the subject of a client certificate. `Authorization` is ignored: browsers send it by themselves
 * once they have a password for a host, and it may be meant for a proxy.
 */
export class ConsoleServer implements OneTimeLogins {
  readonly #options: ConsoleServerOptions;
  readonly #files: StaticFiles;
  readonly #callers: CallerCheck;
  readonly #sessions: Sessions;
  readonly #codes: LoginCodes;
  readonly #connections: EventConnections;

  constructor(options: ConsoleServerOptions) {
    this.#options = options;
    this.#files = new StaticFiles(options.directory);
    this.#callers = new CallerCheck({
      ...options,
      credentialsOf: (request, address) => ({
        ...credentialsOf(request, address),
        authorization: undefined,
        accessToken: undefined,
      }),
    });
    this.#codes = new LoginCodes(options.place);
    const { service, live, mayCall, networksOf, logger, budget, waiting } = options;
    const parts = { service, live, mayCall, networksOf, logger, budget, waiting };
    const connections = new EventConnections({ ...parts, logins: this });
    this.#connections = connections;
    this.#sessions = new Sessions({
      isInUse: (caller) => connections.has(caller),
      onEnd: (caller) => connections.end(caller, 'the session has ended'),
    });
  }

  create(caller: Caller): LoginEntry {
    return this.#codes.create(this.#sessions.loginOf(caller));
  }

  /** Handles one request. Never throws. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const deadline = setTimeout(() => response.destroy(), RESPONSE_MS);
    response.once('close', () => clearTimeout(deadline));
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    this.#handle(request, response).catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'a request to the console failed unexpectedly');
      response.destroy();
    });
  }

  /** Accepts or refuses the opening handshake of a WebSocket, and owns its socket from now on. Never throws. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'a WebSocket of the console failed unexpectedly');
      socket.destroy();
    });
  }

  /** Ends the WebSockets with close code 1001, and the sessions. */
  close(): void {
    this.#connections.close();
    this.#sessions.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (this.#pathOf(request)) {
      case 'login':
        return this.#login(request, response);
      case 'logout':
        return this.#logout(request, response);
      case 'session':
        return this.#tellSession(request, response);
      case 'live':
        return this.#refuse(request, response, refusals.NO_WEBSOCKET);
      default:
        return this.#serveFile(request, response);
    }
  }

  async #serveFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#guard(refuseReading, request);
    if (refusal !== undefined) return this.#refusePage(request, response, refusal);
    request.resume();
    if (await this.#files.serve(this.#pathOf(request), request, response)) return;
    this.#refusePage(request, response, (await this.#files.areThere()) ? refusals.NO_PAGE : refusals.NOT_BUILT);
  }

  async #tellSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#guard(refuseReading, request);
    if (refusal !== undefined) return this.#refuse(request, response, refusal);
    request.resume();
    const found = await this.#callerOf(request);
    if ('status' in found) this.#refuse(request, response, found);
    else this.#sendSession(request, response, found, this.#sessions.knows(found));
  }

  async #login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#guard(refuseChange, request);
    if (refusal !== undefined) return this.#refuse(request, response, refusal);
    const { budget, bodyTimeoutMs = BODY_TIMEOUT_MS, counters } = this.#options;
    const body = await readBody(request, LOGIN_BYTES, bodyTimeoutMs, budget);
    if (body === 'aborted') return;
    if (body === 'tooSlow') counters.handshakeTimeouts++;
    if (typeof body === 'string') return this.#refuse(request, response, refusals.OF_BODY[body]);
    const caller = await this.#authenticate(body, request);
    if ('status' in caller) return this.#refuse(request, response, caller);
    // The connection may have ended during the check, and with it what is known of the client.
    if (response.destroyed) return;
    const { host, scheme } = this.#options.siteOf(request);
    const former = presentedId(request, host);
    if (former !== undefined) this.#sessions.end(former);
    const id = this.#sessions.open(caller, this.#options.uidOf?.(request));
    const remoteAddress = this.#options.addressOf(request);
    this.#options.logger.info({ user: caller.user, remoteAddress }, 'logged in to the console');
    response.setHeader('Set-Cookie', sessionCookie(host, id, scheme === 'https'));
    this.#sendSession(request, response, caller, true);
  }

  async #authenticate(body: Uint8Array, request: IncomingMessage): Promise<Caller | Refusal> {
    const { addressOf, counters, kinds } = this.#options;
    try {
      const login = readLogin(body, kinds);
      if ('authorization' in login) {
        const found = await this.#callers.checkCredentials({ ...login, remoteAddress: addressOf(request) });
        return 'status' in found && found.status === 401 ? refusals.WRONG_LOGIN : found;
      }
      const caller = await this.#codes.redeem(login.code);
      if (caller === undefined) counters.failedLogins++;
      return caller ?? refusals.WRONG_CODE;
    } catch (error) {
      if (!(error instanceof EtherwsError)) throw error;
      return { status: 400, code: error.code, message: error.message, hint: error.hint ?? '' };
    }
  }

  async #logout(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#guard(refuseChange, request);
    if (refusal !== undefined) return this.#refuse(request, response, refusal);
    request.resume();
    const { host, scheme } = this.#options.siteOf(request);
    const id = presentedId(request, host);
    if (id !== undefined) this.#sessions.end(id);
    response.setHeader('Set-Cookie', sessionCookie(host, '', scheme === 'https'));
    response.writeHead(204, { 'Cache-Control': 'no-store' }).end();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const unwanted =
      (this.#pathOf(request) === 'live' ? undefined : refusals.NO_PAGE) ??
      this.#guard(refuseOrigin, request) ??
      this.#connections.refusal;
    const caller = unwanted ?? (await this.#callerOf(request));
    const refusal = 'status' in caller ? caller : this.#connections.refusalFor(caller);
    if (refusal !== undefined) {
      const { status } = refusal;
      refuseUpgrade(socket, { status, headers: headersFor(status), text: this.#describe(request, refusal) });
    } else this.#connections.accept(request, socket, head, caller as Caller);
  }

  /** The caller of a request: that of its session, or that of its connection. */
  async #callerOf(request: IncomingMessage): Promise<Caller | Refusal> {
    const id = presentedId(request, this.#options.siteOf(request).host);
    const found = id === undefined ? undefined : await this.#sessions.callerOf(id, this.#options.uidOf?.(request));
    return found ?? (await this.#callers.check(request));
  }

  #sendSession(request: IncomingMessage, response: ServerResponse, { user }: Caller, isOfSession: boolean): void {
    const { mayCall, identity } = this.#options;
    const methods = (Object.keys(METHODS) as MethodName[]).filter((name) => mayCall?.(user, name) ?? true);
    const text = JSON.stringify({ user, methods, ...identity, canLogOut: isOfSession, wants: [] });
    response.writeHead(200, { ...NO_STORE, 'Content-Length': Buffer.byteLength(text) });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  #guard(check: typeof refuseChange, request: IncomingMessage): Refusal | undefined {
    const { allowedHosts, siteOf } = this.#options;
    return check(request, allowedHosts(), siteOf(request));
  }

  /** Refuses a request of a page. */
  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status } = refusal;
    if (status === 405) response.setHeader('Allow', /^log(in|out)$/.test(this.#pathOf(request)) ? 'POST' : 'GET, HEAD');
    refuseBody(request, response, { status, headers: headersFor(status), text: this.#describe(request, refusal) });
  }

  /** Refuses a request for a file, whose response a person may read. */
  #refusePage(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    this.#describe(request, refusal);
    const { status, message, hint } = refusal;
    if (status === 405) response.setHeader('Allow', 'GET, HEAD');
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
    refuseBody(request, response, { status, headers, text: `${message}. ${hint}.\n` });
  }

  /** Logs a refusal. @returns the body of the response */
  #describe(request: IncomingMessage, { status, code, message, hint }: Refusal): string {
    const { addressOf, kinds, logger } = this.#options;
    logger.info({ remoteAddress: addressOf(request), status, reason: message }, 'console request refused');
    return `${JSON.stringify({ error: message, hint, code, wants: kinds })}\n`;
  }

  /** The path below the console's. */
  #pathOf({ url = '' }: IncomingMessage): string {
    return (url.split('?', 1)[0] ?? '').slice(this.#options.path.length);
  }
}

function headersFor(status: number): Readonly<Record<string, string>> {
  return {
    ...NO_STORE,
    ...(status === 401 ? { 'WWW-Authenticate': CHALLENGE } : {}),
    ...(status === 426 ? { Upgrade: 'websocket' } : {}),
    ...(status === 503 || status === 429 ? { 'Retry-After': '1' } : {}),
  };
}
