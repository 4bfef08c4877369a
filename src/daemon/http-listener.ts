import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import type { DoorCounters } from '../auth/door-counters.ts';
import { EtherwsError } from '../errors.ts';
import { type VisitorLimits, Visitors } from './visitors.ts';

/** What answers under one path. Neither function throws. */
export interface Route {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface ListenerOptions {
  /** A name or an address; undefined: every address, IPv6 and IPv4. */
  host: string | undefined;
  listenPort: number;
  /** Present: the listener speaks TLS, 1.2 or later. */
  tls?: TlsOptions;
  limits?: VisitorLimits;
  /** whether a connection stands for many clients, and no share of an address applies to it */
  isProxy?: (socket: Socket) => boolean;
  /** what is refused here is counted there */
  counters?: DoorCounters;
}

/** Nobody needs longer heads: a tunnel's opening handshake is well below 2 KiB. */
const MAX_HEAD_BYTES = 16_384;

/**
 * One listening TCP port, plain or TLS, whose paths lead to services: the
 * tunnels, the control API, or both where they share host and port.
 *
 *   1. the acceptor takes a connection, and `Visitors` whether it may stay
 *   2. Node's HTTP server, which does not listen itself, is given the connection
 *   3. its requests and upgrades go where their paths lead
 */
export class HttpListener {
  readonly #acceptor: Server = createServer((socket) => this.#accept(socket));
  readonly #server: http.Server | https.Server;
  readonly #visitors: Visitors;
  readonly #routes = new Map<string, Route>();
  readonly #options: ListenerOptions;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#visitors = new Visitors(options.limits, options.counters);
    const common = { maxHeaderSize: MAX_HEAD_BYTES };
    this.#server =
      options.tls === undefined
        ? http.createServer(common)
        : https.createServer({ ...common, ...options.tls, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] });
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Adds what answers under `path`; the query string does not count. */
  route(path: string, route: Route): void {
    this.#routes.set(path, route);
  }

  /** @throws EtherwsError LISTEN_FAILED with what stands in the way */
  async listen(): Promise<void> {
    const { host, listenPort } = this.#options;
    const acceptor = this.#acceptor;
    await new Promise<void>((resolve, reject) => {
      acceptor.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, listenPort)));
      acceptor.listen({ port: listenPort, ...(host === undefined ? {} : { host }) }, resolve);
    });
    acceptor.removeAllListeners('error');
    // Accepting can fail later, too (descriptors used up); the listener stays.
    acceptor.on('error', () => undefined);
  }

  /** The address and port that it really listens on; only after `listen`. */
  get address(): AddressInfo {
    return this.#acceptor.address() as AddressInfo;
  }

  /** Stops listening and ends what is under way. Tunnels are not its business any more. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#acceptor.close(() => resolve());
      this.#visitors.destroyAll();
    });
  }

  /** New connections see these from now on; those that stand are not touched. Only for a listener with TLS. */
  renewTls(tls: TlsOptions): void {
    if (this.#server instanceof https.Server) this.#server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#visitors.enter(socket, this.#options.isProxy?.(socket))) this.#server.emit('connection', socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#visitors.busy(socket);
    response.once('close', () => this.#visitors.idle(socket));
    const route = this.#routes.get(pathOf(request));
    if (route !== undefined) route.handleRequest(request, response);
    else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Nothing is served under this path.\n');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#visitors.depart(request.socket);
    const route = this.#routes.get(pathOf(request));
    if (route?.handleUpgrade !== undefined) {
      route.handleUpgrade(request, socket, head);
      return;
    }
    socket.on('error', () => socket.destroy());
    const text = 'No tunnel is accepted under this path.\n';
    socket.once('finish', () => socket.destroy());
    socket.end(
      `HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
    );
  }
}

function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '/';
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

function listenError(error: NodeJS.ErrnoException, host: string | undefined, listenPort: number): EtherwsError {
  const where = host === undefined ? `port ${listenPort}` : `${host.includes(':') ? `[${host}]` : host}:${listenPort}`;
  const [what, hint] = explain(error, listenPort);
  return new EtherwsError('LISTEN_FAILED', `Cannot listen on ${where}: ${what}`, { cause: error, hint });
}

function explain(error: NodeJS.ErrnoException, listenPort: number): [string, string] {
  switch (error.code) {
    case 'EADDRINUSE':
      return [
        'another program listens there',
        `Stop it, or choose another port (ss -ltnp 'sport = :${listenPort}' shows it)`,
      ];
    case 'EACCES':
      return ['permission denied', 'Ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one'];
    case 'EADDRNOTAVAIL':
      return ['no interface of this host has that address', 'See `ip address` for those that it has'];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['the name cannot be resolved', 'Give an address, or correct the name'];
    default:
      return [error.message, 'Check the host and the port'];
  }
}
