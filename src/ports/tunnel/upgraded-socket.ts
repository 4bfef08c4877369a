import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertificateDetails, TlsDetails } from '../../bridge/port-details.ts';
import { WebSocket } from '../../net/web-socket-library.ts';

/** A connection after the opening handshake. */
export interface UpgradedSocket {
  readonly socket: Socket;
  /** Octets of the peer that were read together with its part of the handshake. */
  readonly head: Buffer;
}

/**
 * The interface between ws and etherws: ws makes the opening handshake, on either
 * side, and then passes the socket to `setSocket`, where its framing would begin.
 * etherws uses its own framing instead, which is twice as fast for a tunnel.
 *
 * `setSocket` is not part of ws's public API. So its version is pinned, and a
 * test fails if a new one no longer calls it.
 */
export class UpgradingWebSocket extends WebSocket {
  /** The connection; undefined before the handshake is complete. */
  upgraded: UpgradedSocket | undefined = undefined;

  /** Called by ws after a successful handshake, on both sides. Emits `upgraded`. */
  setSocket(socket: Socket, head: Buffer, _options: object): void {
    this.upgraded = { socket, head };
    this.emit('upgraded');
  }
}

/** The addresses of a connection's ends, for listings. To be read before the socket is taken over from Node. */
export function endsOf(socket: Socket): {
  readonly localAddress: string | undefined;
  /** `ADDRESS:PORT` */
  readonly remoteAddress: string | undefined;
  readonly tls: TlsDetails | undefined;
} {
  const { localAddress, remoteAddress, remotePort } = socket;
  const address = remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, '');
  const host = address?.includes(':') === true ? `[${address}]` : address;
  return {
    localAddress,
    remoteAddress: host === undefined ? undefined : `${host}:${remotePort}`,
    tls:
      socket instanceof TLSSocket
        ? {
            protocol: socket.getProtocol() ?? 'TLS',
            cipher: socket.getCipher().name,
            certificate: certificateOf(socket),
          }
        : undefined,
  };
}

function certificateOf(socket: TLSSocket): CertificateDetails | undefined {
  const peer = socket.getPeerX509Certificate();
  const shown = peer ?? socket.getX509Certificate();
  if (shown === undefined) return undefined;
  return { of: peer === undefined ? 'service' : 'peer', expiresMs: Date.parse(shown.validTo) };
}
