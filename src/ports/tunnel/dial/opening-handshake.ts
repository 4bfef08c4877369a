import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { EtherwsError } from '../../../errors.ts';
import { canTakeRecords, TlsRecordTap } from '../../../net/tls/tls-record-tap.ts';
import { RESUME_HEADER } from '../../../wire/tunnel/resume-header.ts';
import { SWITCH_HEADER } from '../../../wire/tunnel/switch-header.ts';
import { WIRE_HEADER, WIRE_VERSION } from '../../../wire/tunnel/tunnel-message.ts';
import type { Wire } from '../../stream/packing.ts';
import { connectTcp, type TcpOptions } from '../connect/connect-tcp.ts';
import { connectTls, type TlsIdentityOptions } from '../connect/connect-tls.ts';
import { DialAttempt } from '../connect/dial-attempt.ts';
import { connectThrough } from '../proxy/connect-through.ts';
import { slowProxy } from '../proxy/proxy-errors.ts';
import type { ProxyServer } from '../proxy/proxy-url.ts';
import type { ResumeTicket } from '../resume/resume-ticket.ts';
import { type Acquaintance, type OwnOffer, type SwitchInstance, switchFieldOf } from '../switch-instance.ts';
import { type UpgradedSocket, UpgradingWebSocket } from '../upgraded-socket.ts';
import { explainDialError, explainLoop, explainResponse, explainTimeout, slowLookup } from './dial-errors.ts';
import type { TunnelUrl } from './tunnel-url.ts';

export interface DialOptions extends TlsIdentityOptions, TcpOptions {
  url: TunnelUrl;
  /** the whole value of `Authorization` */
  authorization?: string | undefined;
  /** further header fields of the opening handshake; a name may occur more than once */
  headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** default: none */
  proxy?: ProxyServer | undefined;
  /** offer the batched wire */
  offersBatchedWire: boolean;
  /** resumes the port of the last tunnel to this server; renewed by the server's response. Needs the batched wire */
  ticket?: ResumeTicket | undefined;
  /** identity of the switch that dials; without it no identity is sent, and a tunnel to the same switch not detected */
  instance?: SwitchInstance | undefined;
  /** whether the tunnel may forward beside others to the same switch; default false */
  isParallelAllowed?: boolean | undefined;
  /** time limit from the look-up of the name to the server's response */
  timeoutMs: number;
  /** aborts the attempt; the promise then rejects with the reason */
  signal?: AbortSignal | undefined;
}

/** A connection after its opening handshake, and what was agreed in it. */
export interface DialledTunnel extends UpgradedSocket {
  readonly wire: Wire;
  /** The identity that the server sent; undefined without one. */
  readonly acquaintance: Acquaintance | undefined;
}

/**
 * Dials a WebSocket server (RFC 6455, 4.1) and returns the paused connection
 * after the opening handshake.
 *
 *   1. TCP to the host, or through a proxy
 *   2. TLS to the host, for wss://
 *   3. the opening handshake, made by ws
 *
 * @throws EtherwsError TUNNEL_TO_SELF, AUTH_FAILED, TUNNEL_FORBIDDEN, HANDSHAKE_REJECTED,
 *   NOT_WEBSOCKET, HANDSHAKE_TIMEOUT, CONNECTION_REFUSED, HOST_UNREACHABLE,
 *   NAME_UNRESOLVED, TLS_FAILED, CERTIFICATE_…, PROXY_…; no socket is left behind
 */
export async function dial(options: DialOptions): Promise<DialledTunnel> {
  const { url, proxy, timeoutMs, signal } = options;
  const giveUp = new AbortController();
  const attempt = new DialAttempt(giveUp.signal);
  const timer = setTimeout(() => giveUp.abort(overdue(attempt, options)), timeoutMs);
  const abort = (): void => giveUp.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    let socket: Socket =
      proxy === undefined
        ? await connectTcp(url.dialHost, url.listenPort, options, attempt)
        : await connectThrough(proxy, url.host, url.listenPort, options, attempt);
    if (url.isSecure) {
      attempt.stage = 'tls';
      const carrier = canTakeRecords(socket) ? new TlsRecordTap(socket, 'client') : socket;
      socket = await connectTls(carrier, url.host, options, attempt);
    }
    attempt.stage = 'http';
    return await openingHandshake(socket, options, attempt);
  } catch (error) {
    await attempt.abandon();
    signal?.throwIfAborted();
    throw error instanceof EtherwsError ? error : explainDialError(error, url, attempt.stage);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** The error for the stage at which the time limit passed. */
function overdue({ stage, name }: DialAttempt, { url, proxy, timeoutMs }: DialOptions): EtherwsError {
  if (stage === 'lookup') return slowLookup(name, timeoutMs);
  if (stage === 'connect' && proxy !== undefined) return slowProxy(proxy, timeoutMs);
  return explainTimeout(url, stage, timeoutMs);
}

function openingHandshake(socket: Socket, options: DialOptions, { signal }: DialAttempt): Promise<DialledTunnel> {
  const { url, authorization, offersBatchedWire, ticket, instance } = options;
  const offer = instance?.offer(options.isParallelAllowed === true);
  return new Promise((resolve, reject) => {
    const webSocket = new UpgradingWebSocket(url.href, {
      perMessageDeflate: false,
      origin: url.origin,
      headers: headersOf(options, offer),
      createConnection: () => socket,
    });
    let wire: Wire = 'raw';
    let resumeField: string | undefined;
    let switchField: ReturnType<typeof switchFieldOf>;
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', abort);
      reject(error);
      webSocket.terminate();
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    webSocket.on('error', fail);
    webSocket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
      const isLoop = response.statusCode === LOOP_DETECTED && offer !== undefined;
      fail(isLoop ? explainLoop(url) : explainResponse(response, url, authorization !== undefined));
    });
    webSocket.on('upgrade', ({ headers }: IncomingMessage) => {
      switchField = switchFieldOf(headers[SWITCH_HEADER.toLowerCase()]);
      const answer = fieldOf(headers, WIRE_HEADER);
      if (!offersBatchedWire || answer !== WIRE_VERSION) return;
      wire = 'batched';
      resumeField = fieldOf(headers, RESUME_HEADER);
    });
    webSocket.on('upgraded', () => {
      signal.removeEventListener('abort', abort);
      if (webSocket.upgraded === undefined) return;
      // The server refuses its own field, too. But a proxy may have removed ours from the request.
      if (instance?.isOwn(switchField) === true) {
        reject(explainLoop(url)); // The attempt then destroys the connection, which ws has released.
        return;
      }
      ticket?.renew(resumeField);
      const acquaintance = offer === undefined ? undefined : instance?.accepted(offer, switchField);
      resolve({ ...webSocket.upgraded, wire, acquaintance });
    });
  });
}

function fieldOf(headers: IncomingMessage['headers'], name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : undefined;
}

/** 508 Loop Detected (RFC 5842, 7.2). */
const LOOP_DETECTED = 508;

function headersOf(options: DialOptions, offer: OwnOffer | undefined): Record<string, string | string[]> {
  const { authorization, headers = [], offersBatchedWire, ticket } = options;
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const key = Object.keys(result).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name;
    result[key] = key in result ? [result[key] ?? [], value].flat() : value;
  }
  return {
    ...result,
    ...(authorization === undefined ? {} : { Authorization: authorization }),
    ...(offer === undefined ? {} : { [SWITCH_HEADER]: offer.field }),
    ...(offersBatchedWire ? { [WIRE_HEADER]: WIRE_VERSION } : {}),
    ...(offersBatchedWire && ticket !== undefined ? { [RESUME_HEADER]: ticket.field } : {}),
  };
}
