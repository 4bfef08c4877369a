import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { ALLOW_ALL } from '../../src/auth/authenticator.ts';
import type { Port } from '../../src/bridge/port.ts';
import { TunnelServer } from '../../src/ports/tunnel/accept/accept-tunnel.ts';
import type { TunnelServerOptions } from '../../src/ports/tunnel/accept/server-options.ts';
import { once, within } from './waits.ts';

/** Key and certificate of a test's server, in PEM. */
export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
}

/** Starts to listen, by default on a free port. */
export async function listen(server: Server, host = '127.0.0.1', listenPort = 0): Promise<number> {
  server.listen(listenPort, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  if ('closeAllConnections' in server) (server as HttpServer).closeAllConnections();
  await closed;
}

export function webServer(identity?: ServerIdentity): HttpServer {
  return identity === undefined ? createServer() : createHttpsServer({ ...identity, minVersion: 'TLSv1.2' });
}

/** A TunnelServer with a listener of its own. */
export class TestTunnelServer {
  readonly server: HttpServer;
  readonly tunnels: TunnelServer;
  readonly #accepted: Port[] = [];
  readonly #waiting: ((port: Port) => void)[] = [];
  url = '';

  constructor(options: Partial<TunnelServerOptions> = {}, identity?: ServerIdentity) {
    this.server = webServer(identity);
    this.tunnels = new TunnelServer({
      path: '/',
      authenticator: ALLOW_ALL,
      onTunnel: (port) => {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#accepted.push(port);
        else waiting(port);
      },
      ...options,
    });
    this.server.on('request', (request, response) => this.tunnels.handleRequest(request, response));
    this.server.on('upgrade', (request, socket, head) => this.tunnels.handleUpgrade(request, socket, head));
  }

  async start(host = '127.0.0.1'): Promise<void> {
    const scheme = 'cert' in this.server ? 'wss' : 'ws';
    const listenPort = await listen(this.server, host);
    this.url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${listenPort}${this.tunnels.path}`;
  }

  /** Waits for the next accepted tunnel. */
  nextPort(): Promise<Port> {
    const port = this.#accepted.shift();
    if (port !== undefined) return Promise.resolve(port);
    return within(new Promise((resolve) => this.#waiting.push(resolve)), `tunnel at ${this.url}`);
  }

  stop(): Promise<void> {
    return stop(this.server);
  }
}
