import type { Socket } from 'node:net';
import { WebSocket } from 'ws';

/** A connection that has just left the opening handshake. */
export interface UpgradedSocket {
  readonly socket: Socket;
  /** What the peer sent right behind its half of the handshake. */
  readonly head: Buffer;
}

/**
 * The seam between ws and us: ws makes the opening handshake, on either side,
 * and then gives the socket to `setSocket`, where its own framing would begin.
 * Ours begins there instead, because for a tunnel it is twice as fast.
 *
 * `setSocket` is not part of ws's public API. So its version is pinned, and a
 * test fails if a new one no longer calls it.
 */
export class UpgradingWebSocket extends WebSocket {
  /** The connection, once there is one. */
  upgraded: UpgradedSocket | undefined = undefined;

  /** Called by ws behind a good handshake, on both sides. Emits `upgraded`. */
  setSocket(socket: Socket, head: Buffer, _options: object): void {
    this.upgraded = { socket, head };
    this.emit('upgraded');
  }
}
