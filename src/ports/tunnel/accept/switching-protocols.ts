import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from '../../../net/web-socket-library.ts';
import { type UpgradedSocket, UpgradingWebSocket } from '../upgraded-socket.ts';

/**
 * Answers opening handshakes with 101 Switching Protocols by the library `ws` (RFC 6455, 4.2.2), and takes the sockets over
 * from it. No subprotocol and no extension is selected.
 */
export class SwitchingProtocols {
  readonly #handshakes: WebSocketServer;
  /** The etherws header fields of each pending response. */
  readonly #fields = new WeakMap<IncomingMessage, readonly string[]>();

  constructor() {
    this.#handshakes = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // No offered subprotocol is selected: the raw wire of 1.x has no subprotocol name.
      handleProtocols: () => false,
      WebSocket: UpgradingWebSocket,
    });
    this.#handshakes.on('headers', (headers, request) => {
      headers.push(...(this.#fields.get(request) ?? []));
    });
  }

  /**
   * @param request checked by `faultOfHandshake`
   * @param fields further header fields of the answer
   * @param done called with the socket in the same turn, when the answer is written
   */
  answer(
    { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
    fields: readonly string[],
    done: (upgraded: UpgradedSocket) => void,
  ): void {
    this.#fields.set(request, fields);
    // ws requires the single value `websocket`; that the list contains it was checked before.
    request.headers.upgrade = 'websocket';
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const { upgraded } = webSocket as UpgradingWebSocket;
      if (upgraded === undefined) throw new TypeError('ws did not hand the socket over');
      done(upgraded);
    });
  }
}
