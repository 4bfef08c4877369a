import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { pollNow } from '../native/addon.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { Descriptors, type DescriptorUse } from '../runtime/descriptors.ts';
import { FairTaskQueue } from '../runtime/fair-task-queue.ts';
import { type AcceptedConnection, offerConnections, socketOf } from './accepted-connection.ts';
import { AnnouncedCallers } from './announced-callers.ts';
import { boundAnswer } from './answer-deadline.ts';
import type { Caller } from './caller.ts';
import { type CallerOrigin, CallerOrigins } from './caller-origin.ts';
import { badRequest, FULL, headersOf, type Refusal, refuseUpgrade } from './http-refusal.ts';
import { listenError, passedError } from './listen-error.ts';
import type { ListenerOptions } from './listener-options.ts';
import { PendingConnections, type PendingLimits } from './pending-connections.ts';
import { PlainRequests } from './plain-requests.ts';
import type { ProxyHeader } from './proxy-protocol.ts';
import { faultOfHead, faultOfUpgrade, useAbsoluteTarget, wantsWebSocket } from './request-head.ts';
import { type Route, RouteTable, type RouteUse } from './route-table.ts';
import { type Site, siteOfProxied, siteOfSocket } from './site.ts';
import { takeProxyHeader } from './take-proxy-header.ts';
import { endWhenBroken } from './tls/end-when-broken.ts';
import { canTakeRecords, copyEndpoints, onServerKeylog, TlsRecordTap } from './tls/tls-record-tap.ts';
import { TLS_PARAMETERS } from './tls-parameters.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** The longest head of a request. A tunnel's opening handshake is well below 2 KiB. */
const MAX_HEAD_BYTES = 16_384;

const NOTHING_SERVED = 'Nothing is served under this path.\n';
const NO_TUNNELS: Refusal = { status: 404, text: 'No tunnel is accepted under this path.\n' };
const HEAD_TOO_LONG: Refusal = {
  status: 431,
  text: `The head of the request is longer than ${MAX_HEAD_BYTES} octets.\n`,
};

/**
 * A listening TCP port, plain or TLS, that routes requests by path to services: the
 * tunnels, the control API, or both if they share host and port.
 *
 *   1. the acceptor accepts a connection; `PendingConnections` keeps or destroys it, by its limits
 *   2. from a trusted proxy it may begin with a PROXY header, which is removed
 *   3. the connection is passed to Node's HTTP server, which does not listen itself
 *   4. requests and upgrades go to the routes of their paths; an upgrade to a protocol but WebSocket is a request
 *
 * Clients can cause any number of these steps in one turn of the event loop. So each is a task of a `FairTaskQueue`,
 * and frames are forwarded before each (`pollNow`).
 */
export class HttpListener {
  readonly #acceptor: Server = createServer((socket) => this.#accept(socket));
  readonly #server: http.Server | https.Server;
  readonly #plainRequests: PlainRequests;
  readonly #pending: PendingConnections;
  readonly #proxies: TrustedProxies;
  readonly #callers: AnnouncedCallers;
  readonly #descriptors: Descriptors;
  readonly #origins: CallerOrigins | undefined;
  readonly #logger: Logger;
  readonly #tasks = new FairTaskQueue({ before: pollNow });
  readonly #routes = new RouteTable();
  readonly #options: ListenerOptions;
  /** Resolves when the acceptor and all its connections are closed. */
  #stopped: Promise<void> | undefined;
  #hasTunnels = false;
  #hasUpgrades = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#logger = options.logger ?? SILENT;
    this.#descriptors = options.descriptors ?? new Descriptors();
    this.#pending = new PendingConnections(options.limits, options.counters);
    this.#origins = options.identifiesUsers === true ? new CallerOrigins() : undefined;
    this.#proxies = options.proxies ?? new TrustedProxies([]);
    this.#callers = new AnnouncedCallers(this.#proxies);
    // `#refusalOf` refuses requests without Host, and counts and logs them, which Node would not.
    const common = {
      maxHeaderSize: MAX_HEAD_BYTES,
      requireHostHeader: false,
      // An option of Node 24.9 and later; `PlainRequests` does the same for older versions.
      shouldUpgradeCallback: (request: IncomingMessage) => this.#hasUpgrades && wantsWebSocket(request),
    };
    this.#server =
      options.tls === undefined
        ? http.createServer(common)
        : https.createServer({ ...common, ...options.tls, ...TLS_PARAMETERS, ALPNProtocols: ['http/1.1'] });
    // Prepended, so that it runs before the HTTP server's own listener.
    this.#server.prependListener('secureConnection', (socket: TLSSocket) => {
      endWhenBroken(socket);
      copyEndpoints(socket);
    });
    const onRequest = this.#request.bind(this);
    const onClientError = this.#clientError.bind(this);
    this.#server.on('request', onRequest).on('clientError', onClientError);
    this.#plainRequests = new PlainRequests(common, onRequest, onClientError);
  }

  /** Whether `path` has handlers. */
  hasRoute(path: string): boolean {
    return this.#routes.has(path);
  }

  /**
   * Adds the handlers of `path`, which has no query string.
   */
  route(path: string, route: Route, use: RouteUse = 'tunnel'): void {
    this.#routes.set(path, route, use);
    if (route.handleUpgrade !== undefined) this.#takeUpgrades(use);
  }

  /**
   * Adds the handlers of all paths that begin with `path`, which ends with `/`. Paths with a route of their own have
   * precedence.
   */
  routeTree(path: string, route: Route): void {
    this.#routes.setTree(path, route);
    if (route.handleUpgrade !== undefined) this.#takeUpgrades('control');
  }

  #takeUpgrades(use: RouteUse): void {
    if (!this.#hasUpgrades) {
      this.#hasUpgrades = true;
      // Added with the first route for upgrades: without this listener Node treats a request with `Upgrade` as a plain one.
      this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    }
    if (use !== 'tunnel' || this.#hasTunnels) return;
    this.#hasTunnels = true;
    // Without this listener Node does not export the traffic secrets.
    this.#server.on('keylog', onServerKeylog);
  }

  /** Serves CONNECT requests (RFC 9110, 9.3.6), which are cut otherwise. @param connect must call `accepted` when it serves one */
  routeConnect(connect: (request: IncomingMessage, socket: Duplex, head: Buffer, accepted: () => void) => void): void {
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      pollNow();
      socket.on('error', () => undefined);
      // Until then it is bounded and timed as a connection without credentials.
      connect(request, socket, head, () => this.#pending.remove(request.socket));
    });
  }

  /**
   * Lets the tunnels of `path` be reached by one further segment, too: `/x/lab` for `/x` and for `/x/`. Paths with a
   * route of their own have precedence, and requests that are no upgrades are not served there.
   */
  routeBelow(path: string, route: Route): void {
    this.#routes.setBelow(path, route);
  }

  /** @throws EtherwsError LISTEN_FAILED with the reason */
  async listen(): Promise<void> {
    const { host, listenPort, descriptor, handed } = this.#options;
    if (handed !== undefined) return;
    const acceptor = this.#acceptor;
    const where = descriptor === undefined ? { port: listenPort, ...(host === undefined ? {} : { host }) } : undefined;
    await new Promise<void>((resolve, reject) => {
      acceptor.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, this.#options)));
      acceptor.listen(where ?? { fd: descriptor }, resolve);
    });
    // For a Unix socket `address` returns no object.
    if (typeof acceptor.address() !== 'object' || acceptor.address() === null) throw passedError();
    acceptor.removeAllListeners('error');
    // An error after this is a failed accept, without free descriptors; the listener continues.
    acceptor.on('error', () => this.#outOfDescriptors());
  }

  /** The number of pending connections. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The bound address and port; only after `listen`. */
  get address(): AddressInfo {
    return this.#options.handed ?? (this.#acceptor.address() as AddressInfo);
  }

  /**
   * Offers each further connection to other processes; only after `listen`.
   * @param offer returns whether it takes the connection; this listener serves all others
   */
  share(offer: (connection: AcceptedConnection) => boolean): void {
    offerConnections(this.#acceptor, (connection) => {
      pollNow();
      return offer(connection);
    });
  }

  /** Serves a connection that another process accepted. */
  take(connection: AcceptedConnection): void {
    if (this.#stopped === undefined) this.#accept(socketOf(connection));
    else connection.close();
  }

  /** The client that sent a request, see `AnnouncedCallers`. Only while the connection is open. */
  callerOf(request: IncomingMessage): Caller {
    return this.#callers.of(request);
  }

  /**
   * The address of this listener as the client sees it. What a proxy says of it is believed if the connection comes from a
   * trusted one. Only while the connection is open.
   */
  siteOf(request: IncomingMessage): Site {
    return this.#proxies.isProxy(request.socket) ? siteOfProxied(request) : siteOfSocket(request);
  }

  /** To be called when the caller of a request has shown its credentials: further connections do not displace it then. */
  proven({ socket }: IncomingMessage): void {
    this.#pending.proven(socket);
  }

  /** Whether a request comes from this host, and its user. Needs `identifiesUsers`, and an open connection. */
  originOf(request: IncomingMessage): CallerOrigin {
    return this.#origins?.of(request, this.#callers.has(request.socket)) ?? { kind: 'local', uid: undefined };
  }

  /** Stops listening; accepted connections are still served. An inherited socket stays open in the service manager. */
  stopAccepting(): void {
    this.#stopped ??= new Promise<void>((resolve) => {
      this.#acceptor.close(() => resolve());
    });
  }

  /** Stops listening and closes the pending connections. Established tunnels stay: they belong to their ports. */
  async close(): Promise<void> {
    this.stopAccepting();
    this.#pending.destroyAll();
    await this.#stopped;
  }

  /** Changes the limits for new connections. */
  setLimits(limits: PendingLimits): void {
    this.#pending.setLimits(limits);
  }

  /** Uses other certificates for new connections. Does nothing for a listener without TLS. */
  renewTls(tls: TlsOptions): void {
    if (this.#server instanceof https.Server) this.#server.setSecureContext({ ...tls, ...TLS_PARAMETERS });
  }

  #accept(socket: Socket): void {
    pollNow();
    socket.on('error', () => undefined);
    if (!this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const isProxy = this.#proxies.isProxy(socket);
    if (!this.#pending.add(socket, isProxy)) return;
    this.#origins?.note(socket);
    this.#tasks.add(() => {
      if (socket.destroyed) return;
      if (isProxy) takeProxyHeader(socket, (header) => this.#receiveProxyHeader(socket, header));
      else this.#serve(socket);
    });
  }

  /** If descriptors are short, closes the pending connection that has been idle longest. @returns false without one */
  #makeRoom(): boolean {
    const use: DescriptorUse = this.#hasTunnels ? 'pending' : 'control';
    if (this.#descriptors.hasRoomFor(use)) return true;
    this.#outOfDescriptors();
    return this.#pending.displaceOldest();
  }

  #outOfDescriptors(): void {
    this.#pending.counters.outOfDescriptors++;
    if (!this.#descriptors.takeMayWarn()) return;
    const { limit } = this.#descriptors;
    this.#logger.warn({ limit }, 'descriptors are used up: tunnels are refused; raise the limit of open files');
  }

  #serve(socket: Socket): void {
    // Only a tunnel's TLS is taken over, so only a listener with tunnels needs the tap.
    const isTapped = this.#options.tls !== undefined && this.#hasTunnels && canTakeRecords(socket);
    this.#server.emit('connection', isTapped ? new TlsRecordTap(socket, 'server') : socket);
  }

  #receiveProxyHeader(socket: Socket, header: ProxyHeader): void {
    if (header.kind === 'malformed') {
      const { remoteAddress } = socket;
      this.#pending.counters.badProxyHeaders++;
      this.#logger.info({ remoteAddress, reason: header.reason }, 'connection cut: its PROXY header cannot be read');
      socket.destroy();
      return;
    }
    if (header.kind === 'present') {
      const { source } = header;
      this.#callers.note(socket, source);
      // The source may be another trusted proxy, which has many clients, too.
      const isClient = source !== undefined && !this.#proxies.includes(source.address);
      if (isClient && !this.#pending.attribute(socket, source.address)) return;
    }
    this.#serve(socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    pollNow();
    const { socket } = request;
    this.#pending.busy(socket);
    response.once('close', () => this.#pending.idle(socket));
    response.on('error', () => undefined);
    boundAnswer(response, socket, this.#options.answers);
    this.#tasks.add(() => {
      if (!response.destroyed) this.#answer(request, response);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusalOf(request) ?? (wantsWebSocket(request) ? NO_TUNNELS : undefined);
    const path = pathOf(request);
    const route = this.#routes.of(path);
    if (refusal === undefined && route !== undefined) {
      route.handleRequest(request, response);
      return;
    }
    request.resume();
    if (refusal === undefined) response.writeHead(404, { 'Content-Type': 'text/plain' }).end(NOTHING_SERVED);
    else response.writeHead(refusal.status, headersOf(refusal)).end(refusal.text);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!wantsWebSocket(request)) {
      this.#plainRequests.serve(request, socket, head);
      return;
    }
    pollNow();
    socket.on('error', () => undefined);
    // The limit of the head ends here: the task may have to wait for others.
    this.#pending.busy(request.socket);
    this.#tasks.add(() => {
      if (!socket.destroyed) this.#routeUpgrade(request, socket, head);
    });
  }

  #routeUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#pending.remove(request.socket);
    const refusal = this.#refusalOf(request);
    const path = pathOf(request);
    const { route, use } = this.#routes.ofUpgrade(path);
    if (refusal !== undefined || route?.handleUpgrade === undefined) {
      refuseUpgrade(socket, refusal ?? NO_TUNNELS);
    } else if (this.#descriptors.hasRoomFor(use)) {
      route.handleUpgrade(request, socket, head);
    } else {
      this.#outOfDescriptors();
      refuseUpgrade(socket, FULL);
    }
  }

  /** Checks a request for violations of HTTP; counts and logs them. Changes a target in absolute form to origin form. */
  #refusalOf(request: IncomingMessage): Refusal | undefined {
    const breach = faultOfHead(request) ?? (wantsWebSocket(request) ? faultOfUpgrade(request) : undefined);
    useAbsoluteTarget(request);
    if (breach === undefined) return undefined;
    this.#refused(this.callerOf(request).address, breach);
    return badRequest(breach);
  }

  /** Answers octets that are not HTTP or not TLS, and a head that is too long. */
  #clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    socket.on('error', () => undefined);
    if (error.code?.startsWith('HPE_') !== true) {
      socket.destroy();
      return;
    }
    const refusal = error.code === 'HPE_HEADER_OVERFLOW' ? HEAD_TOO_LONG : badRequest('This is not HTTP/1.1');
    const { remoteAddress = '', bytesWritten } = socket as Socket;
    this.#refused(remoteAddress, refusal.text.trim());
    // After any octets were written, a response to an earlier request may be incomplete, and must not be mixed with another.
    if (socket.writable && bytesWritten === 0) refuseUpgrade(socket, refusal);
    else socket.destroy();
  }

  #refused(remoteAddress: string, reason: string): void {
    this.#pending.counters.badRequests++;
    this.#logger.info({ remoteAddress, reason }, 'request refused');
  }
}

function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '/';
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
