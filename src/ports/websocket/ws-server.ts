import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Authenticator, Verdict } from '../../auth/authenticator.ts';
import { credentialsOf } from '../../auth/request-credentials.ts';
import { type Logger, SILENT } from '../../observability/logger.ts';
import { selectWireVersion, WIRE_HEADER, WIRE_VERSION } from '../../wire/tunnel-message.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type TunnelLimits, withDefaults } from './limits.ts';
import { openTransport } from './open-transport.ts';
import type { OriginRule } from './origin.ts';
import type { Wire, WireChoice } from './packing.ts';
import { headersOf, type Refusal, refuseUpgrade } from './refusal.ts';
import { UpgradingWebSocket } from './upgraded-socket.ts';
import { WebSocketPort } from './ws-port.ts';

export interface TunnelServerOptions {
  /** where tunnels are accepted; begins with `/` */
  path: string;
  authenticator: Authenticator;
  /**
   * Gets each accepted tunnel, to open and to close.
   * @param user who it is, null when nobody was asked
   */
  onTunnel: (port: WebSocketPort, user: string | null) => void;
  /** which web pages may open tunnels; without it all may */
  origins?: OriginRule;
  /** `auto` speaks the batched wire with clients that offer it, `raw` never; default `auto` */
  wire?: WireChoice;
  limits?: Partial<TunnelLimits>;
  /** default: the heartbeat that all tunnels of the process share */
  heartbeat?: Heartbeat;
  logger?: Logger;
}

/** Somebody at the door. */
interface Applicant {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly target: string;
  /** Gives the place among the connections back. */
  readonly leave: () => void;
}

/**
 * Accepts tunnels on an HTTP server that somebody else owns: its `upgrade`
 * event goes to `handleUpgrade`, and requests for the path to `handleRequest`.
 *
 *   1. is it for us and a good handshake?        404, 405, 400, 426
 *   2. may that page open tunnels?               403
 *   3. is there room?                            503
 *   4. who is it?                                401, 503
 *   5. ws answers 101, and the socket is a port
 *
 * No subprotocol and no extension is ever selected.
 */
export class TunnelServer {
  readonly path: string;
  readonly #authenticator: Authenticator;
  readonly #onTunnel: TunnelServerOptions['onTunnel'];
  readonly #limits: TunnelLimits;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #logger: Logger;
  readonly #origins: OriginRule | undefined;
  readonly #wire: WireChoice;
  readonly #handshakes: WebSocketServer;
  /** Handshakes that wait for the authenticator. */
  readonly #pending = new Set<Duplex>();
  #isClosed = false;
  #connections = 0;

  /** @throws RangeError for a path that does not begin with `/`, or a limit that is not positive */
  constructor(options: TunnelServerOptions) {
    if (!options.path.startsWith('/')) throw new RangeError(`path "${options.path}" does not begin with /`);
    this.path = options.path;
    this.#authenticator = options.authenticator;
    this.#onTunnel = options.onTunnel;
    this.#limits = withDefaults(options.limits);
    this.#heartbeat = options.heartbeat;
    this.#origins = options.origins;
    this.#logger = options.logger ?? SILENT;
    this.#handshakes = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // A peer that offered subprotocols gets none: the raw wire of 1.x has no name.
      handleProtocols: () => false,
      WebSocket: UpgradingWebSocket,
    });
    this.#wire = options.wire ?? 'auto';
    this.#handshakes.on('headers', (headers, request) => {
      if (this.#wireFor(request) === 'batched') headers.push(`${WIRE_HEADER}: ${WIRE_VERSION}`);
    });
  }

  /** Tunnels and handshakes at the moment. */
  get connections(): number {
    return this.#connections;
  }

  /** Whether a request is for this service. */
  isFor(request: IncomingMessage): boolean {
    return pathOf(request) === this.path;
  }

  /** Answers a request that is no upgrade: a page that says what this is, which also lets a browser accept the certificate. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.isFor(request) ? refusalOfRequest(request) : NOT_FOUND;
    request.resume();
    response.writeHead(refusal.status, headersOf(refusal));
    response.end(request.method === 'HEAD' ? undefined : refusal.text);
  }

  /** Takes an upgrade request to its end, whatever that is. Never throws, and owns the socket from here on. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    const target = describePeer(request.socket);
    const fault = this.isFor(request) ? faultOfHandshake(request) : NOT_FOUND;
    if (fault !== undefined) {
      this.#refuse(socket, fault, target);
    } else if (this.#isClosed) {
      this.#refuse(socket, STOPPING, target);
    } else if (this.#origins?.allows(request) === false) {
      const { origin, host } = request.headers;
      this.#logger.info({ target, origin, host }, 'a page of another origin wanted to join');
      this.#refuse(socket, FOREIGN_PAGE, target);
    } else if (this.#connections >= this.#limits.maxConnections) {
      this.#refuse(socket, FULL, target);
    } else {
      this.#connections++;
      const leave = (): void => void this.#connections--;
      socket.once('close', leave);
      void this.#authenticate({ request, socket, head, target, leave });
    }
  }

  /** Accepts nothing more, and cuts the handshakes that are not finished. Tunnels stay: they are their owner's. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#pending) socket.destroy();
  }

  async #authenticate(applicant: Applicant): Promise<void> {
    const { request, socket, target } = applicant;
    this.#pending.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.handshakeTimeoutMs);
    // Without a reader nobody would notice that the peer has gone; what it sends stays buffered.
    const left = (): Duplex => socket.destroy();
    socket.on('readable', ignore).on('end', left);
    let verdict: Verdict;
    try {
      verdict = await this.#authenticator.authenticate(credentialsOf(request));
    } catch (error) {
      this.#logger.error({ target, error }, 'the authenticator failed');
      verdict = { isAllowed: false, reason: 'busy' };
    }
    clearTimeout(timer);
    this.#pending.delete(socket);
    socket.off('readable', ignore).off('end', left);
    if (socket.destroyed) {
      this.#logger.debug({ target }, 'the peer left during authentication');
    } else if (verdict.isAllowed) {
      this.#accept(applicant, verdict.user);
    } else if (verdict.reason === 'busy') {
      this.#refuse(socket, BUSY, target);
    } else {
      this.#refuse(socket, refusalOfStranger(verdict.reason, this.#authenticator.challenge), target);
    }
  }

  #accept({ request, socket, head, target, leave }: Applicant, user: string | null): void {
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const { upgraded } = webSocket as UpgradingWebSocket;
      if (upgraded === undefined) throw new TypeError('ws did not hand the socket over');
      const wire = this.#wireFor(request);
      // From here on the place is the port's: the socket may go before the connection does.
      socket.off('close', leave);
      const port = new WebSocketPort({
        type: 'server',
        target,
        wire,
        transport: openTransport(upgraded.socket, upgraded.head),
        onGone: leave,
        limits: this.#limits,
        ...(this.#heartbeat === undefined ? {} : { heartbeat: this.#heartbeat }),
      });
      this.#logger.debug({ target, user, wire }, 'tunnel accepted');
      try {
        this.#onTunnel(port, user);
      } catch (error) {
        this.#logger.warn({ target, error }, 'nobody takes the tunnel');
        void port.close('shutdown');
      }
    });
  }

  #wireFor(request: IncomingMessage): Wire {
    const offered = request.headers[WIRE_HEADER.toLowerCase()];
    return this.#wire === 'auto' && typeof offered === 'string' && selectWireVersion(offered) !== undefined
      ? 'batched'
      : 'raw';
  }

  #refuse(socket: Duplex, refusal: Refusal, target: string): void {
    this.#logger.info({ target, status: refusal.status }, `tunnel refused: ${refusal.text.trim()}`);
    refuseUpgrade(socket, refusal);
  }
}

const NOT_FOUND: Refusal = { status: 404, text: 'There is nothing here.\n' };
const FOREIGN_PAGE: Refusal = {
  status: 403,
  text: 'Pages of this origin may not join; who runs the switch can allow them with --origin.\n',
};
const FULL: Refusal = { status: 503, headers: { 'Retry-After': '10' }, text: 'Too many tunnels; try again later.\n' };
const STOPPING: Refusal = { status: 503, headers: { 'Retry-After': '10' }, text: 'The switch is stopping.\n' };
const BUSY: Refusal = { status: 503, headers: { 'Retry-After': '5' }, text: 'Too many logins; try again later.\n' };
const WRONG_METHOD: Refusal = { status: 405, headers: { Allow: 'GET' }, text: 'Only GET is allowed here.\n' };
const UPGRADE_REQUIRED: Refusal = {
  status: 426,
  headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
  text: 'This is an etherws tunnel: connect to it with a WebSocket client. (Its certificate is now accepted here.)\n',
};
const BAD_KEY: Refusal = { status: 400, text: 'Sec-WebSocket-Key is missing, or is not 16 octets in base64.\n' };

function refusalOfRequest(request: IncomingMessage): Refusal {
  return request.method === 'GET' || request.method === 'HEAD' ? UPGRADE_REQUIRED : WRONG_METHOD;
}

/** 401 obliges to say how to do better (RFC 9110, 15.5.2), and to certificates HTTP knows no challenge. */
function refusalOfStranger(reason: 'missing' | 'wrong', challenge: string): Refusal {
  if (challenge === '') return { status: 403, text: 'A client certificate that this switch trusts is needed.\n' };
  const text =
    reason === 'missing' ? 'A user and a password, or a token, are needed.\n' : 'Wrong user, password or token.\n';
  return { status: 401, headers: { 'WWW-Authenticate': challenge }, text };
}

/** What is wrong with the opening handshake (RFC 6455, 4.2.1); undefined when nothing is. */
function faultOfHandshake({ method, headers }: IncomingMessage): Refusal | undefined {
  if (method !== 'GET') return WRONG_METHOD;
  if (headers.upgrade?.toLowerCase() !== 'websocket') return UPGRADE_REQUIRED;
  if (headers['sec-websocket-version'] !== '13') return UPGRADE_REQUIRED;
  return /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') ? undefined : BAD_KEY;
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** `192.0.2.1:5000` or `[2001:db8::1]:5000`; an IPv4 peer of a dual-stack listener is shown as what it is. */
function describePeer(socket: Socket): string {
  const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=[\d.]+$)/, '');
  return `${address.includes(':') ? `[${address}]` : address}:${socket.remotePort ?? 0}`;
}

function ignore(): void {
  // The socket's 'close' follows, and says all we need.
}
