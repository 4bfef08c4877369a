import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Authenticator, Verdict } from '../../../auth/authenticator.ts';
import { credentialsOf } from '../../../auth/request-credentials.ts';
import type { Port } from '../../../bridge/port.ts';
import type { Caller } from '../../../net/caller.ts';
import { EndpointCounters } from '../../../net/endpoint-counters.ts';
import { headersOf, type Refusal, refuseUpgrade } from '../../../net/http-refusal.ts';
import { useAbsoluteTarget } from '../../../net/request-head.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import { SWITCH_HEADER } from '../../../wire/tunnel/switch-header.ts';
import { selectWireVersion, WIRE_HEADER } from '../../../wire/tunnel/tunnel-message.ts';
import type { CongestionChoice } from '../../stream/congestion-control.ts';
import type { Heartbeat } from '../../stream/heartbeat.ts';
import { type TunnelLimits, withDefaults } from '../../stream/limits.ts';
import { openTransport } from '../../stream/open-transport.ts';
import type { Wire, WireChoice } from '../../stream/packing.ts';
import { drained } from '../../stream/tls/handover.ts';
import { createResumeToken, type ResumableTunnel, ResumableTunnels } from '../resume/resumable-tunnels.ts';
import { ServerPort } from '../resume/server-port.ts';
import type { TunnelPlace } from '../resume/tunnel-places.ts';
import { type SwitchInstance, switchFieldOf } from '../switch-instance.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { type UpgradedSocket, UpgradingWebSocket } from '../upgraded-socket.ts';
import { Admission } from './admission.ts';
import type { Admitted, Applicant } from './applicant.ts';
import { onceClockPasses } from './clock-deadline.ts';
import { describePeer, fieldsOf, otherEndOf, pathOf, resumeFieldOf } from './handshake-fields.ts';
import type { OriginRule } from './origin.ts';
import type { TunnelServerOptions } from './server-options.ts';
import {
  FOREIGN_PAGE,
  faultOfHandshake,
  NOT_FOUND,
  refusalOfCredentials,
  refusalOfRequest,
  STOPPING,
  TO_ITSELF,
} from './server-refusals.ts';

/** What the peer, the log and listport are told at the end of a tunnel that was let in for a while. */
const EXPIRED = 'the token has expired';
const DEFAULT_GRACE_MS = 30_000;

/**
 * Accepts tunnels on an HTTP server of the caller: its `upgrade`
 * event goes to `handleUpgrade`, and requests for the path to `handleRequest`.
 *
 *   1. is it for us and a good handshake?        404, 405, 400, 426
 *      and not from ourselves?                   508
 *   2. may that page open tunnels?               403
 *   3. is there room?                            503, 429
 *   4. are the credentials valid?                401, 403, 429, 503
 *   5. may the user have one more?               403, 429
 *   6. ws answers 101, and the socket is a port, or that of a port which waits for it
 *
 * A port that waits for its client keeps its place: no user has more ports than
 * it may have tunnels. No subprotocol and no extension is ever selected.
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
  readonly #congestion: CongestionChoice | undefined;
  readonly #handshakes: WebSocketServer;
  readonly #callerOf: (request: IncomingMessage) => Caller;
  readonly #counters: EndpointCounters;
  readonly #admission: Admission;
  readonly #instance: SwitchInstance | undefined;
  readonly #graceMs: number;
  readonly #resumable = new ResumableTunnels();
  /** Header fields of ours for an answer that is being made. */
  readonly #fields = new WeakMap<IncomingMessage, readonly string[]>();
  /** Handshakes that wait for the authenticator, the oldest first. */
  readonly #pending = new Set<Duplex>();
  #isClosed = false;

  /** @throws RangeError for a path that does not begin with `/`, a limit that is not positive, or a grace below 0 */
  constructor(options: TunnelServerOptions) {
    if (!options.path.startsWith('/')) throw new RangeError(`path "${options.path}" does not begin with /`);
    this.path = options.path;
    this.#authenticator = options.authenticator;
    this.#onTunnel = options.onTunnel;
    this.#limits = withDefaults(options.limits);
    this.#graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    if (!(this.#graceMs >= 0)) throw new RangeError(`graceMs is ${this.#graceMs}, not a number from 0 on`);
    this.#heartbeat = options.heartbeat;
    this.#origins = options.origins;
    this.#instance = options.instance;
    this.#callerOf = options.callerOf ?? otherEndOf;
    this.#counters = options.counters ?? new EndpointCounters();
    this.#admission = new Admission({
      limits: this.#limits,
      counters: this.#counters,
      resumable: this.#resumable,
      allowanceOf: options.allowanceOf,
    });
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
    this.#congestion = options.congestion;
    this.#handshakes.on('headers', (headers, request) => {
      headers.push(...(this.#fields.get(request) ?? []));
    });
  }

  /** Tunnels and handshakes at the moment, and ports that wait for their client. */
  get connections(): number {
    return this.#admission.taken;
  }

  /** Whether a request is for this service. */
  isFor(request: IncomingMessage): boolean {
    useAbsoluteTarget(request);
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
    const says = this.#instance === undefined ? undefined : switchFieldOf(request.headers[SWITCH_HEADER.toLowerCase()]);
    const fault = this.isFor(request) ? faultOfHandshake(request) : NOT_FOUND;
    if (fault !== undefined) {
      if (fault.status === 400) this.#counters.badRequests++;
      this.#refuse(socket, fault, target);
    } else if (this.#instance?.isOwn(says) === true) {
      this.#refuse(socket, TO_ITSELF, target);
    } else if (this.#isClosed) {
      this.#refuse(socket, STOPPING, target);
    } else if (this.#origins?.allows(request) === false) {
      const { origin, host } = request.headers;
      this.#counters.foreignPages++;
      this.#logger.info({ target, origin, host }, 'a page of another origin wanted to join');
      this.#refuse(socket, FOREIGN_PAGE, target);
    } else {
      const wire = this.#wireFor(request);
      const resume = this.#graceMs > 0 && wire === 'batched' ? resumeFieldOf(request) : undefined;
      this.#enter({ request, socket, head, target, wire, resume, says }, caller.address);
    }
  }

  #enter(applicant: Omit<Applicant, 'place'>, address: string): void {
    const { socket, target, resume } = applicant;
    const place = this.#admission.enter(address, resume?.token);
    if ('status' in place) {
      this.#refuse(socket, place, target);
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
    const { request, socket, target, resume } = applicant;
    this.#pending.add(socket);
    socket.once('close', () => this.#pending.delete(socket));
    const timer = setTimeout(() => {
      this.#counters.handshakeTimeouts++;
      socket.destroy();
    }, this.#limits.handshakeTimeoutMs);
    // Only a reader notices that the peer has gone; what it sends stays buffered.
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
      this.#refuse(socket, refusalOfCredentials(verdict.reason, this.#authenticator.challenge), target);
    } else {
      const { user, untilMs } = verdict;
      const resumed = resume?.token === undefined ? undefined : this.#resumable.find(resume.token, user);
      const refusal = this.#admission.refusalOf(applicant.place, user, resumed);
      if (refusal === undefined) this.#accept(applicant, { user, untilMs, resumed });
      else this.#refuse(socket, refusal, target);
    }
  }

  #accept(applicant: Applicant, admitted: Omit<Admitted, 'token' | 'acquaintance'>): void {
    const { request, socket, head, wire, resume, says } = applicant;
    const token = resume === undefined ? undefined : createResumeToken();
    const known = this.#instance?.accept(says);
    this.#fields.set(request, fieldsOf(wire, token, known?.answer));
    // ws wants it alone, and we have seen that it is there.
    request.headers.upgrade = 'websocket';
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const { upgraded } = webSocket as UpgradingWebSocket;
      if (upgraded === undefined) throw new TypeError('ws did not hand the socket over');
      void this.#open(applicant, upgraded, { ...admitted, token, acquaintance: known?.acquaintance });
    });
  }

  async #open(applicant: Applicant, upgraded: UpgradedSocket, admitted: Admitted): Promise<void> {
    const { socket, target, wire, resume, place } = applicant;
    const { user, untilMs, token, resumed, acquaintance } = admitted;
    // Node's TLS has to be done with the answer before the connection can be taken from it.
    this.#pending.add(socket);
    await drained(upgraded.socket);
    this.#pending.delete(socket);
    // The port that the client came back to may have gone in that moment; it will come back once more.
    if (resumed?.port.isOver === true) socket.destroy();
    if (socket.destroyed) {
      this.#logger.debug({ target }, 'the tunnel ended with its opening handshake');
      return;
    }
    // From here on the place is the port's: the socket may go before the connection does.
    socket.off('close', place.leave);
    const { localAddress } = upgraded.socket;
    const transport = openTransport(upgraded.socket, upgraded.head, { congestion: this.#congestion });
    const callOff = untilMs === undefined ? undefined : onceClockPasses(untilMs, () => tunnel.expel(EXPIRED));
    const tunnel: TunnelPort = new TunnelPort({
      type: 'server',
      target,
      wire,
      transport,
      peer: acquaintance === undefined ? undefined : { ...acquaintance, isDialled: false, user },
      localAddress,
      onGone: () => {
        callOff?.();
        if (token === undefined) place.leave();
      },
      limits: this.#limits,
      ...(this.#heartbeat === undefined ? {} : { heartbeat: this.#heartbeat }),
    });
    const { kind } = transport;
    this.#logger.debug({ target, user, wire, transport: kind, isResumed: resumed !== undefined }, 'tunnel accepted');
    if (token === undefined) this.#handOver(tunnel, user);
    else if (resumed === undefined) this.#handOver(this.#resumablePort(tunnel, user, place, token), user);
    else this.#resume(resumed, tunnel, place, token, resume?.token);
  }

  #handOver(port: Port, user: string | null): void {
    try {
      this.#onTunnel(port, user);
    } catch (error) {
      this.#logger.warn({ target: port.target, error }, 'the tunnel was not taken');
      void port.close('shutdown');
    }
  }

  #resumablePort(tunnel: TunnelPort, user: string | null, place: TunnelPlace, token: string): ServerPort {
    const onGone = (): void => {
      this.#resumable.remove(resumable);
      resumable.place.leave();
    };
    const port = new ServerPort({ tunnel, graceMs: this.#graceMs, onGone });
    const resumable: ResumableTunnel = { port, user, place };
    this.#resumable.enrol(resumable, token);
    return port;
  }

  #resume(resumed: ResumableTunnel, tunnel: TunnelPort, place: TunnelPlace, token: string, presented = ''): void {
    resumed.place.leave();
    resumed.place = place;
    this.#resumable.enrol(resumed, token, presented);
    this.#counters.resumed++;
    resumed.port.resume(tunnel);
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

function ignore(): void {
  // The socket's 'close' follows, and says all we need.
}
