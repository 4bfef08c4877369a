import http from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { describeError, EtherwsError } from '../errors.ts';
import { refuseUpgrade } from './http-refusal.ts';
import { peerUserOf } from './peer-user.ts';
import { wantsWebSocket } from './request-head.ts';
import type { Route } from './route-table.ts';
import { unixPath } from './unix-endpoint.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const NOT_SERVED = { status: 404, text: 'Nothing is served under this path.\n' };

/**
 * A Unix socket for tunnels between processes of one service. Only processes of the same user are served, since any user of
 * the host can connect to an abstract name.
 */
export class UnixListener {
  readonly #acceptor: Server;
  readonly #http = http.createServer();
  readonly #connections = new Set<Socket>();
  readonly #timeoutMs: number;

  private constructor(route: Required<Pick<Route, 'handleUpgrade'>>, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#acceptor = createServer((socket) => this.#accept(socket));
    this.#http.on('request', (_request, response) => response.writeHead(NOT_SERVED.status).end(NOT_SERVED.text));
    // Without a listener Node's HTTP server would cut the connection at once.
    this.#http.on('timeout', (socket) => this.#silent(socket));
    this.#http.on('upgrade', (request, socket, head) => {
      request.socket.setTimeout(0);
      this.#connections.delete(request.socket);
      socket.on('error', () => undefined);
      if (wantsWebSocket(request)) route.handleUpgrade(request, socket, head);
      else refuseUpgrade(socket, NOT_SERVED);
    });
  }

  /**
   * @param socket `@NAME` for an abstract name, or a path that does not exist
   * @param route gets all upgrades to WebSocket, of any path
   * @param timeoutMs how long a connection may be silent before its upgrade
   * @throws EtherwsError LISTEN_FAILED
   */
  static async listen(
    socket: string,
    route: Required<Pick<Route, 'handleUpgrade'>>,
    timeoutMs: number = HANDSHAKE_TIMEOUT_MS,
  ): Promise<UnixListener> {
    const listener = new UnixListener(route, timeoutMs);
    await new Promise<void>((resolve, reject) => {
      listener.#acceptor.once('error', (error) => {
        const message = `Cannot listen on the Unix socket ${socket}: ${describeError(error)}`;
        reject(new EtherwsError('LISTEN_FAILED', message, { cause: error }));
      });
      listener.#acceptor.listen({ path: unixPath(socket) }, resolve);
    });
    listener.#acceptor.removeAllListeners('error');
    // An error after this is a failed accept, without free descriptors; the listener continues.
    listener.#acceptor.on('error', () => undefined);
    return listener;
  }

  /** Stops listening, and cuts unfinished handshakes. Tunnels stay: they belong to their ports. */
  async close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#acceptor.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await stopped;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    if (peerUserOf(socket) !== process.geteuid?.()) {
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    socket.setTimeout(this.#timeoutMs);
    this.#http.emit('connection', socket);
  }

  /** Cuts a connection, but gives the loop one turn to read first: after the loop was blocked, octets may lie in the socket. */
  #silent(socket: Socket): void {
    const { bytesRead } = socket;
    setImmediate(() => {
      if (this.#connections.has(socket) && socket.bytesRead === bytesRead) socket.destroy();
    });
  }
}
