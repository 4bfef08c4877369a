import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authenticator, Verdict } from '../../../auth/authenticator.ts';
import { credentialsOf } from '../../../auth/request-credentials.ts';
import type { Port } from '../../../bridge/port.ts';
import type { Caller } from '../../../net/caller.ts';
import { EndpointCounters } from '../../../net/endpoint-counters.ts';
import { headersOf, type Refusal, refuseUpgrade } from '../../../net/http-refusal.ts';
import { PendingUpgrades } from '../../../net/pending-upgrades.ts';
import { useAbsoluteTarget } from '../../../net/request-head.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import { MESH_ANSWER_HEADER } from '../../../wire/tunnel/mesh-headers.ts';
import { SWITCH_HEADER } from '../../../wire/tunnel/switch-header.ts';
import { selectWireVersion, WIRE_HEADER } from '../../../wire/tunnel/tunnel-message.ts';
import type { CongestionChoice } from '../../stream/congestion-control.ts';
import type { Heartbeat } from '../../stream/heartbeat.ts';
import { type TunnelLimits, withDefaults } from '../../stream/limits.ts';
import { openTransport } from '../../stream/open-transport.ts';
import type { Wire, WireChoice } from '../../stream/packing.ts';
import { drained } from '../../stream/tls/handover.ts';
import { createResumeToken, ResumableTunnels } from '../resume/resumable-tunnels.ts';
import type { TunnelPlaces } from '../resume/tunnel-places.ts';
import { type SwitchInstance, switchFieldOf } from '../switch-instance.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { endsOf, type UpgradedSocket } from '../upgraded-socket.ts';
import { Admission } from './admission.ts';
import type { Admitted, Applicant } from './applicant.ts';
import { onceClockPasses } from './clock-deadline.ts';
import {
  describePeer,
  fieldsOf,
  followsRedirects,
  otherEndOf,
  pathOf,
  resumeFieldOf,
  segmentBehind,
} from './handshake-fields.ts';
import { DEFAULT_GRACE_MS, KeptPorts } from './kept-ports.ts';
import type { OriginRule } from './origin.ts';
import type { TunnelFacts, TunnelServerOptions } from './server-options.ts';
import {
  FORBIDDEN_NETWORK,
  FOREIGN_PAGE,
  faultOfHandshake,
  MESH_FULL,
  NETWORKS_FULL,
  NOT_FOUND,
  refusalOfCredentials,
  refusalOfRequest,
  STOPPING,
  TO_ITSELF,
  UNKNOWN_NETWORK,
} from './server-refusals.ts';
import { SwitchingProtocols } from './switching-protocols.ts';
import { ToldNodes } from './told-nodes.ts';

/** The network of a service that has one only. */
const DEFAULT_NETWORK = 'default';
/** The reason given to the peer, the log and listport when the validity of a tunnel's token ends. */
const EXPIRED = 'the token has expired';
const NETWORK_REFUSALS = { unknown: UNKNOWN_NETWORK, forbidden: FORBIDDEN_NETWORK, full: NETWORKS_FULL } as const;

/**
 * Accepts tunnels on an HTTP server of the caller: its `upgrade`
 * event goes to `handleUpgrade`, and requests for the path to `handleRequest`.
 *
 *   1. the path and the opening handshake        404, 405, 400, 426
 *      a tunnel from this switch to itself       508
 *   2. the Origin of a web page                  403
 *      another node of the cluster               307, 503
 *   3. limits of connections                     503, 429
 *   4. the credentials                           401, 403, 429, 503
 *   5. the network of the tunnel                 403, 404, 503
 *   6. limits of the user                        403, 429
 *   7. ws answers 101, and the connection becomes a port, or resumes a waiting port
 *
 * A port that waits for its client still counts towards the limits: no user has
 * more ports than tunnels allowed.
 */
export class TunnelServer {
  readonly path: string;
  /** the ports of clients that can resume them */
  readonly kept: KeptPorts;
  readonly #authenticator: Authenticator;
  readonly #onTunnel: TunnelServerOptions['onTunnel'];
  /** The same object as in `#admission`; a tunnel has a copy. */
  readonly #limits: TunnelLimits;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #logger: Logger;
  readonly #origins: OriginRule | undefined;
  readonly #wire: WireChoice;
  readonly #congestion: CongestionChoice | undefined;
  readonly #switching = new SwitchingProtocols();
  readonly #callerOf: (request: IncomingMessage) => Caller;
  readonly #counters: EndpointCounters;
  readonly #admission: Admission;
  readonly #instance: SwitchInstance | undefined;
  readonly #chooseNetwork: TunnelServerOptions['chooseNetwork'];
  #elsewhere: TunnelServerOptions['elsewhere'];
  #divert: TunnelServerOptions['divert'];
  #toldNodes: ToldNodes | undefined;
  readonly #isMesh: boolean;
  /** Handshakes that wait for the authenticator, and answers that are leaving. */
  readonly #pending: PendingUpgrades;
  #isClosed = false;

  /** @throws RangeError for a path that does not begin with `/`, a limit that is not positive, or a grace below 0 */
  constructor(options: TunnelServerOptions) {
    if (!options.path.startsWith('/')) throw new RangeError(`path "${options.path}" does not begin with /`);
    this.path = options.path;
    this.#authenticator = options.authenticator;
    this.#onTunnel = options.onTunnel;
    this.#limits = withDefaults(options.limits);
    this.#isMesh = options.isMesh ?? false;
    this.#heartbeat = options.heartbeat;
    this.#origins = options.origins;
    this.#instance = options.instance;
    this.#chooseNetwork = options.chooseNetwork;
    this.#callerOf = options.callerOf ?? otherEndOf;
    this.#counters = options.counters ?? new EndpointCounters();
    this.#pending = new PendingUpgrades({
      most: () => this.#limits.maxHandshakes,
      timeoutMs: () => this.#limits.handshakeTimeoutMs,
      onDisplaced: () => {
        this.#counters.displaced++;
      },
      onOverdue: () => {
        this.#counters.handshakeTimeouts++;
      },
    });
    const tunnels = new ResumableTunnels();
    const elsewhere = () => this.#elsewhere;
    this.#admission = new Admission({
      limits: this.#limits,
      counters: this.#counters,
      resumable: tunnels,
      allowanceOf: options.allowanceOf,
      elsewhere,
    });
    const { graceMs } = options;
    this.kept = new KeptPorts({ tunnels, admission: this.#admission, counters: this.#counters, graceMs, elsewhere });
    this.join(options);
    this.#logger = options.logger ?? SILENT;
    this.#wire = options.wire ?? 'auto';
    this.#congestion = options.congestion;
  }

  /** Changes the limits for new tunnels; absent ones have their defaults. @throws RangeError as the constructor */
  setLimits(limits: Partial<TunnelLimits>, graceMs: number = DEFAULT_GRACE_MS): void {
    Object.assign(this.#limits, withDefaults(limits));
    this.kept.graceMs = graceMs;
  }

  /** Makes the server one of several nodes; see TunnelServerOptions. To be called before it accepts anything. */
  join({ elsewhere, divert, nodesFor }: Pick<TunnelServerOptions, 'elsewhere' | 'divert' | 'nodesFor'>): void {
    this.#elsewhere = elsewhere;
    this.#divert = divert;
    this.#toldNodes = nodesFor === undefined ? undefined : new ToldNodes(nodesFor);
  }

  /** What `nodesFor` answers has changed. */
  nodesChanged(): void {
    this.#toldNodes?.changed();
  }

  /** The current number of tunnels, handshakes, and ports that wait for their client. */
  get connections(): number {
    return this.#admission.taken;
  }

  /** The places of tunnels, for processes that share limits. */
  get places(): TunnelPlaces {
    return this.#admission.places;
  }

  /** Whether a request is for this service: for its path or, with networks, for one further segment. */
  isFor(request: IncomingMessage): boolean {
    useAbsoluteTarget(request);
    return pathOf(request) === this.path || this.#askedBy(request) !== undefined;
  }

  #askedBy(request: IncomingMessage): string | undefined {
    return this.#chooseNetwork === undefined ? undefined : segmentBehind(this.path, pathOf(request));
  }

  /**
   * Answers a request that is no upgrade with a page that describes the service. The page also lets the user of a
   * browser accept a self-signed certificate.
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    useAbsoluteTarget(request);
    const refusal = pathOf(request) === this.path ? refusalOfRequest(request) : NOT_FOUND;
    request.resume();
    response.writeHead(refusal.status, headersOf(refusal));
    response.end(request.method === 'HEAD' ? undefined : refusal.text);
  }

  /** Accepts or refuses an upgrade request. Never throws; the socket belongs to the server from here on. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    const caller = this.#callerOf(request);
    const target = describePeer(caller);
    const says = this.#instance === undefined ? undefined : switchFieldOf(request.headers[SWITCH_HEADER.toLowerCase()]);
    const fault = this.isFor(request) ? faultOfHandshake(request) : NOT_FOUND;
    if (fault !== undefined) {
      if (fault.status === 400) this.#counters.badRequests++;
      this.#refuse(socket, fault, target);
    } else if (this.#instanceOf(this.#askedBy(request))?.isOwn(says) === true) {
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
      const resume = this.kept.graceMs > 0 && wire === 'batched' ? resumeFieldOf(request) : undefined;
      const asked = this.#askedBy(request);
      this.#enter({ request, socket, head, target, wire, resume, says, asked }, caller.address);
    }
  }

  #enter(applicant: Omit<Applicant, 'place'>, address: string): void {
    const { socket, target, resume, request, asked } = applicant;
    const isReturning = this.#admission.isReturning(resume?.token);
    const elsewhere = this.#divert?.({ asked, follows: followsRedirects(request), isReturning });
    if (elsewhere !== undefined) {
      this.#refuse(socket, elsewhere, target);
      return;
    }
    const place = this.#admission.enter(address, isReturning);
    if ('status' in place) {
      this.#refuse(socket, place, target);
      return;
    }
    socket.once('close', place.leave);
    void this.#authenticate({ ...applicant, place }, address);
  }

  /** Accepts nothing more, and cuts unfinished handshakes. Tunnels stay open: they belong to the receiver of `onTunnel`. */
  close(): void {
    this.#isClosed = true;
    this.#pending.close();
  }

  async #authenticate(applicant: Applicant, address: string): Promise<void> {
    const { request, socket, target, resume } = applicant;
    const decided = this.#pending.add(socket);
    let verdict: Verdict;
    try {
      verdict = await this.#authenticator.authenticate(credentialsOf(request, address));
    } catch (error) {
      this.#logger.error({ target, error }, 'the authenticator failed');
      verdict = { isAllowed: false, reason: 'busy' };
    }
    decided();
    if (socket.destroyed) {
      this.#logger.debug({ target }, 'the peer left during authentication');
    } else if (!verdict.isAllowed) {
      this.#refuse(socket, refusalOfCredentials(verdict.reason, this.#authenticator.challenge), target);
    } else {
      const { user, untilMs, answer } = verdict;
      const network = this.#networkFor(applicant, verdict);
      if (typeof network !== 'string') {
        this.#refuse(socket, network, target);
        return;
      }
      const resumed = this.kept.find(resume?.token, user, network, applicant.place.beyond === undefined);
      const refusal = this.#admission.refusalOf(applicant.place, user, resumed);
      if (refusal === undefined) this.#accept(applicant, { user, untilMs, answer, network, resumed });
      else this.#refuse(socket, refusal, target);
    }
  }

  /** The network that an authenticated client joins, or why it joins none. */
  #networkFor(
    { asked, place: { address }, says }: Applicant,
    { user, networks }: Extract<Verdict, { isAllowed: true }>,
  ): string | Refusal {
    // The limits of the user refuse a user that may have no tunnel.
    if (this.#chooseNetwork === undefined || this.#admission.isForbidden(user)) return DEFAULT_NETWORK;
    const { network, refused } = this.#chooseNetwork(asked, { user, networks, address });
    if (refused === 'forbidden') this.#counters.forbidden++;
    if (refused === 'full' && this.#isMesh) return MESH_FULL;
    if (refused !== undefined) return NETWORK_REFUSALS[refused];
    return this.#instanceOf(network)?.isOwn(says) === true ? TO_ITSELF : network;
  }

  #instanceOf(network: string = DEFAULT_NETWORK): SwitchInstance | undefined {
    return this.#instance?.of(network);
  }

  #accept(applicant: Applicant, admitted: Omit<Admitted, 'token' | 'acquaintance'>): void {
    const { wire, resume, says } = applicant;
    const token = resume === undefined ? undefined : createResumeToken();
    const known = this.#instanceOf(admitted.network)?.accept(says);
    const fields = fieldsOf(wire, token, known?.answer, this.#elsewhere !== undefined);
    if (admitted.answer !== undefined) fields.push(`${MESH_ANSWER_HEADER}: ${admitted.answer}`);
    this.#switching.answer(applicant, fields, (upgraded) => {
      void this.#open(applicant, upgraded, { ...admitted, token, acquaintance: known?.acquaintance });
    });
  }

  async #open(applicant: Applicant, upgraded: UpgradedSocket, admitted: Admitted): Promise<void> {
    const { socket, target, wire, resume, place } = applicant;
    const { user, untilMs, network, token, resumed, acquaintance } = admitted;
    // Node's TLS must have sent the whole answer before the connection can be taken over.
    const left = this.#pending.hold(socket);
    await drained(upgraded.socket);
    left();
    // The resumed port may have closed meanwhile; the client will dial again.
    if (resumed?.port.isOver === true) socket.destroy();
    if (socket.destroyed) {
      this.#logger.debug({ target }, 'the tunnel ended with its opening handshake');
      return;
    }
    // From here on the port holds the place: after a take-over the socket closes before the connection.
    socket.off('close', place.leave);
    const ends = endsOf(upgraded.socket);
    const transport = openTransport(upgraded.socket, upgraded.head, { congestion: this.#congestion });
    const callOff = untilMs === undefined ? undefined : onceClockPasses(untilMs, () => tunnel.expel(EXPIRED));
    const tunnel: TunnelPort = new TunnelPort({
      type: 'server',
      ...(this.#isMesh ? { meshNode: user ?? '' } : {}),
      target,
      wire,
      transport,
      peer: acquaintance === undefined ? undefined : { ...acquaintance, isDialled: false, user },
      ...ends,
      onGone: () => {
        callOff?.();
        this.#toldNodes?.remove(tunnel);
        if (token === undefined) place.leave();
      },
      limits: { ...this.#limits },
      ...(this.#heartbeat === undefined ? {} : { heartbeat: this.#heartbeat }),
    });
    const { kind } = transport;
    this.#logger.debug({ target, user, wire, transport: kind, isResumed: resumed !== undefined }, 'tunnel accepted');
    // As for redirects: browsers and earlier versions hear nothing of other nodes.
    const isRoaming = token !== undefined && this.#elsewhere !== undefined;
    if (isRoaming && followsRedirects(applicant.request)) this.#toldNodes?.add(tunnel, applicant.asked);
    const facts = { network, address: place.address };
    if (token === undefined) this.#handOver(tunnel, user, facts);
    else if (resumed === undefined)
      this.#handOver(this.kept.begin(tunnel, { user, network }, place, token), user, facts);
    else this.kept.resume(resumed, tunnel, place, token, resume?.token);
  }

  #handOver(port: Port, user: string | null, facts: TunnelFacts): void {
    try {
      this.#onTunnel(port, user, facts);
    } catch (error) {
      this.#logger.warn({ target: port.target, error }, 'the tunnel was not taken');
      void port.close('shutdown');
    }
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
  // 'close' follows and is handled.
}
