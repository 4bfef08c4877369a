import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Authenticator, Verdict } from '../../auth/authenticator.ts';
import type { Caller } from '../../auth/caller.ts';
import { DoorCounters } from '../../auth/door-counters.ts';
import { credentialsOf } from '../../auth/request-credentials.ts';
import { type Logger, SILENT } from '../../observability/logger.ts';
import { selectWireVersion, WIRE_HEADER, WIRE_VERSION } from '../../wire/tunnel-message.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type TunnelLimits, withDefaults } from './limits.ts';
import { openTransport } from './open-transport.ts';
import type { OriginRule } from './origin.ts';
import type { Wire, WireChoice } from './packing.ts';
import { headersOf, type Refusal, refuseUpgrade } from './refusal.ts';
import {
  FORBIDDEN,
  FOREIGN_PAGE,
  FULL,
  faultOfHandshake,
  NOT_FOUND,
  refusalOfRequest,
  refusalOfStranger,
  STOPPING,
  TOO_MANY_OF_ADDRESS,
  TOO_MANY_OF_USER,
} from './server-refusals.ts';
import { type TunnelPlace, TunnelPlaces } from './tunnel-places.ts';
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
  /**
   * How many tunnels a user may have, 0 for one who may have none; without it
   * everybody who is let in may have `maxPerUser`
   * @param user null when nobody was asked
   */
  allowanceOf?: (user: string | null) => number;
  /** whom a request comes from; default: the other end of its socket */
  callerOf?: (request: IncomingMessage) => Caller;
  /** what is refused here is counted there */
  counters?: DoorCounters;
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
  readonly place: TunnelPlace;
}

/**
 * Accepts tunnels on an HTTP server that somebody else owns: its `upgrade`
 * event goes to `handleUpgrade`, and requests for the path to `handleRequest`.
 *
 *   1. is it for us and a good handshake?        404, 405, 400, 426
 *   2. may that page open tunnels?               403
 *   3. is there room?                            503, 429
 *   4. who is it?                                401, 403, 429, 503
 *   5. may he have one more?                     403, 429
 *   6. ws answers 101, and the socket is a port
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
  readonly #allowanceOf: ((user: string | null) => number) | undefined;
  readonly #callerOf: (request: IncomingMessage) => Caller;
  readonly #counters: DoorCounters;
  readonly #places: TunnelPlaces;
  /** Handshakes that wait for the authenticator, the oldest first. */
  readonly #pending = new Set<Duplex>();
  #isClosed = false;

  /** @throws RangeError for a path that does not begin with `/`, or a limit that is not positive */
  constructor(options: TunnelServerOptions) {
    if (!options.path.startsWith('/')) throw new RangeError(`path "${options.path}" does not begin with /`);
    this.path = options.path;
    this.#authenticator = options.authenticator;
    this.#onTunnel = options.onTunnel;
    this.#limits = withDefaults(options.limits);
    this.#heartbeat = options.heartbeat;
    this.#origins = options.origins;
    this.#allowanceOf = options.allowanceOf;
    this.#callerOf = options.callerOf ?? otherEndOf;
    this.#counters = options.counters ?? new DoorCounters();
    this.#places = new TunnelPlaces(this.#limits);
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
    return this.#places.taken;
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
    const caller = this.#callerOf(request);
    const target = describePeer(caller);
    const fault = this.isFor(request) ? faultOfHandshake(request) : NOT_FOUND;
    if (fault !== undefined) {
      this.#refuse(socket, fault, target);
    } else if (this.#isClosed) {
      this.#refuse(socket, STOPPING, target);
    } else if (this.#origins?.allows(request) === false) {
      const { origin, host } = request.headers;
      this.#counters.foreignPages++;
      this.#logger.info({ target, origin, host }, 'a page of another origin wanted to join');
      this.#refuse(socket, FOREIGN_PAGE, target);
    } else {
      this.#enter({ request, socket, head, target }, caller.address);
    }
  }

  #enter(applicant: Omit<Applicant, 'place'>, address: string): void {
    const { socket, target } = applicant;
    const place = this.#places.enter(address);
    if (typeof place === 'string') {
      this.#counters[place]++;
      this.#refuse(socket, place === 'full' ? FULL : TOO_MANY_OF_ADDRESS, target);
      return;
    }
    if (this.#pending.size >= this.#limits.maxHandshakes) {
      for (const oldest of this.#pending) {
        this.#pending.delete(oldest);
        oldest.destroy();
        break;
      }
      this.#counters.displaced++;
    }
    socket.once('close', place.leave);
    void this.#authenticate({ ...applicant, place }, address);
  }

  /** Accepts nothing more, and cuts the handshakes that are not finished. Tunnels stay: they are their owner's. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#pending) socket.destroy();
  }

  async #authenticate(applicant: Applicant, address: string): Promise<void> {
    const { request, socket, target } = applicant;
    this.#pending.add(socket);
    socket.once('close', () => this.#pending.delete(socket));
    const timer = setTimeout(() => {
      this.#counters.dawdled++;
      socket.destroy();
    }, this.#limits.handshakeTimeoutMs);
    // Without a reader nobody would notice that the peer has gone; what it sends stays buffered.
    const left = (): Duplex => socket.destroy();
    socket.on('readable', ignore).on('end', left);
    let verdict: Verdict;
    try {
      verdict = await this.#authenticator.authenticate(credentialsOf(request, address));
    } catch (error) {
      this.#logger.error({ target, error }, 'the authenticator failed');
      verdict = { isAllowed: false, reason: 'busy' };
    }
    clearTimeout(timer);
    this.#pending.delete(socket);
    socket.off('readable', ignore).off('end', left);
    if (socket.destroyed) {
      this.#logger.debug({ target }, 'the peer left during authentication');
    } else if (!verdict.isAllowed) {
      this.#refuse(socket, refusalOfStranger(verdict.reason, this.#authenticator.challenge), target);
    } else {
      const refusal = this.#refusalOf(applicant.place, verdict.user);
      if (refusal === undefined) this.#accept(applicant, verdict.user);
      else this.#refuse(socket, refusal, target);
    }
  }

  /** Whether somebody known may have one more tunnel. */
  #refusalOf(place: TunnelPlace, user: string | null): Refusal | undefined {
    const most = this.#allowanceOf?.(user);
    if (most === 0) {
      this.#counters.forbidden++;
      return FORBIDDEN;
    }
    // Without names nobody has a share, unless the policy gives the nameless one.
    if ((user === null && most === undefined) || place.claim(user ?? '', most)) return undefined;
    this.#counters.overUserShare++;
    return TOO_MANY_OF_USER;
  }

  #accept({ request, socket, head, target, place }: Applicant, user: string | null): void {
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const { upgraded } = webSocket as UpgradingWebSocket;
      if (upgraded === undefined) throw new TypeError('ws did not hand the socket over');
      const wire = this.#wireFor(request);
      // From here on the place is the port's: the socket may go before the connection does.
      socket.off('close', place.leave);
      const port = new WebSocketPort({
        type: 'server',
        target,
        wire,
        transport: openTransport(upgraded.socket, upgraded.head),
        onGone: place.leave,
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

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** `192.0.2.1:5000` or `[2001:db8::1]:5000`; an IPv4 peer of a dual-stack listener is shown as what it is. */
function describePeer({ address: from, tcpPort }: Caller): string {
  const address = (from === '' ? 'unknown' : from).replace(/^::ffff:(?=[\d.]+$)/, '');
  if (tcpPort === undefined) return address;
  return `${address.includes(':') ? `[${address}]` : address}:${tcpPort}`;
}

function otherEndOf({ socket }: IncomingMessage): Caller {
  return { address: socket.remoteAddress ?? '', tcpPort: socket.remotePort ?? 0 };
}

function ignore(): void {
  // The socket's 'close' follows, and says all we need.
}
