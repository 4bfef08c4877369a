import http, { type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Serves requests that offer a protocol which this server does not speak. A server may ignore `Upgrade` and go on in HTTP
 * (RFC 9110, 7.8). Node before 24.9 cannot: with a listener for upgrades it stops reading HTTP at any such request. So what it
 * has read goes back in front of the connection, and a second HTTP server, which has no such listener, reads it again, and
 * the body behind it.
 *
 * The connection is closed behind the response, as a later request may be the opening handshake of a tunnel.
 */
export class PlainRequests {
  readonly #server: http.Server;

  /** @param options as those of the server that has read the requests */
  constructor(
    options: http.ServerOptions,
    onRequest: RequestListener,
    onClientError: (error: NodeJS.ErrnoException, socket: Duplex) => void,
  ) {
    this.#server = http.createServer(options, (request, response) => {
      response.shouldKeepAlive = false;
      onRequest(request, response);
    });
    this.#server.on('clientError', onClientError);
  }

  /**
   * To be called in the turn of the event `upgrade`: nothing else may read the connection before.
   * @param behind what has been read behind the head
   */
  serve(request: IncomingMessage, socket: Duplex, behind: Buffer): void {
    socket.unshift(Buffer.concat([headOf(request), behind]));
    this.#server.emit('connection', socket);
  }
}

/** The head of a request as it came, apart from white space. Node reads heads as Latin-1. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
