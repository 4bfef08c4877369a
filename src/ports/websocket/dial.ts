import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { EtherwsError } from '../../errors.ts';
import { WIRE_HEADER, WIRE_VERSION } from '../../wire/tunnel-message.ts';
import { type DialStage, explainDialError, explainResponse, explainTimeout } from './dial-errors.ts';
import type { Wire } from './packing.ts';
import type { TunnelUrl } from './tunnel-url.ts';
import { type UpgradedSocket, UpgradingWebSocket } from './upgraded-socket.ts';

export interface DialOptions {
  url: TunnelUrl;
  /** overrides what the URL says */
  credentials?: { user: string; passwd: string };
  /** certificates in PEM that replace the default roots */
  cacerts?: string | Buffer;
  /** offer the batched wire */
  offersBatchedWire: boolean;
  /** verify nothing */
  isInsecure?: boolean;
  /** for everything, from the look-up of the name to the server's answer */
  timeoutMs: number;
  /** aborts the dialling; the promise then rejects with the reason */
  signal?: AbortSignal;
}

/** A connection behind its opening handshake, and what was agreed in it. */
export interface DialledTunnel extends UpgradedSocket {
  readonly wire: Wire;
}

/**
 * Dials a WebSocket server (RFC 6455, 4.1) and returns the connection behind
 * the opening handshake, paused.
 * @throws EtherwsError AUTH_FAILED, HANDSHAKE_REJECTED, NOT_WEBSOCKET,
 *   HANDSHAKE_TIMEOUT, CONNECTION_REFUSED, HOST_UNREACHABLE, NAME_UNRESOLVED,
 *   TLS_FAILED, CERTIFICATE_…; no socket is left behind
 */
export function dial(options: DialOptions): Promise<DialledTunnel> {
  return new Promise((resolve, reject) => {
    const { url, credentials, timeoutMs, signal } = options;
    let stage: DialStage = 'connect';
    let socket: Socket | undefined;

    const webSocket = new UpgradingWebSocket(url.shown, {
      perMessageDeflate: false,
      origin: url.origin,
      headers: {
        ...(credentials === undefined ? {} : { Authorization: basic(credentials) }),
        ...(options.offersBatchedWire ? { [WIRE_HEADER]: WIRE_VERSION } : {}),
      },
      createConnection: () => {
        socket = connectTcpOrTls(options, (reached) => {
          stage = reached;
        });
        return socket;
      },
    });

    const timer = setTimeout(() => fail(explainTimeout(url, stage, timeoutMs)), timeoutMs);
    const abort = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();

    function settle(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
    function fail(error: EtherwsError | unknown): void {
      settle();
      reject(error);
      socket?.destroy();
      webSocket.terminate();
    }

    webSocket.on('error', (error) => fail(explainDialError(error, url, stage)));
    webSocket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
      fail(explainResponse(response, url, credentials !== undefined));
    });
    let wire: Wire = 'raw';
    webSocket.on('upgrade', ({ headers }: IncomingMessage) => {
      const answer = headers[WIRE_HEADER.toLowerCase()];
      if (options.offersBatchedWire && answer === WIRE_VERSION) wire = 'batched';
    });
    webSocket.on('upgraded', () => {
      settle();
      if (webSocket.upgraded !== undefined) resolve({ ...webSocket.upgraded, wire });
    });
  });
}

function connectTcpOrTls(options: DialOptions, reached: (stage: DialStage) => void): Socket {
  const { url, cacerts } = options;
  const endpoint = { host: url.host, port: url.listenPort };
  if (!url.isSecure) return connectTcp(endpoint).on('connect', () => reached('http'));
  return connectTls({
    ...endpoint,
    servername: isIP(url.host) === 0 ? url.host : '',
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: options.isInsecure !== true,
    // To Node an empty text means the default roots; here it means nobody.
    ...(cacerts === undefined ? {} : { ca: cacerts.length === 0 ? [] : cacerts }),
  })
    .on('connect', () => reached('tls'))
    .on('secureConnect', () => reached('http'));
}

/** RFC 7617, with the charset that it recommends. */
function basic({ user, passwd }: { user: string; passwd: string }): string {
  return `Basic ${Buffer.from(`${user}:${passwd}`, 'utf8').toString('base64')}`;
}
