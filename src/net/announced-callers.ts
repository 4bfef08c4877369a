import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Caller } from './caller.ts';
import { endpointsOf } from './pending-connections.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** The clients of a listener's connections, as the PROXY headers and `X-Forwarded-For` fields of trusted proxies announce them. */
export class AnnouncedCallers {
  readonly #proxies: TrustedProxies;
  /** The connections that began with a PROXY header, by `endpointsOf`; undefined if the header names no client. */
  readonly #announced = new Map<string, Caller | undefined>();

  constructor(proxies: TrustedProxies) {
    this.#proxies = proxies;
  }

  /** The PROXY header of a connection has come. @param source the client that it names */
  note(socket: Socket, source: Caller | undefined): void {
    const ends = endpointsOf(socket);
    this.#announced.set(ends, source);
    socket.once('close', () => this.#announced.delete(ends));
  }

  /** Whether a connection began with a PROXY header. Only while it is open. */
  has(socket: Socket): boolean {
    return this.#announced.has(endpointsOf(socket));
  }

  /**
   * The client that sent a request. A PROXY header has precedence over `X-Forwarded-For`, which is then used only if the
   * header names a trusted proxy: otherwise the client itself wrote it. Only while the connection is open.
   */
  of(request: IncomingMessage): Caller {
    const { socket } = request;
    const own: Caller = { address: socket.remoteAddress ?? '', tcpPort: socket.remotePort };
    const ends = endpointsOf(socket);
    const said = this.#announced.get(ends);
    if (said === undefined && this.#announced.has(ends)) return own;
    const near = said ?? own;
    const address = this.#proxies.addressOf(request, near.address);
    return address === near.address ? near : { address, tcpPort: undefined };
  }
}
