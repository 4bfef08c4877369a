import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { EtherwsError } from '../../../errors.ts';
import { PeerDeadline } from '../../../net/peer-deadline.ts';
import { canTakeRecords, TlsRecordTap } from '../../../net/tls/tls-record-tap.ts';
import { MESH_ANSWER_HEADER } from '../../../wire/tunnel/mesh-headers.ts';
import { RESUME_HEADER } from '../../../wire/tunnel/resume-header.ts';
import { REDIRECT_HEADER, ROAMING_HEADER } from '../../../wire/tunnel/roaming-headers.ts';
import { SWITCH_HEADER } from '../../../wire/tunnel/switch-header.ts';
import { WIRE_HEADER, WIRE_VERSION } from '../../../wire/tunnel/tunnel-message.ts';
import type { Wire } from '../../stream/packing.ts';
import { connectTcp, type TcpOptions } from '../connect/connect-tcp.ts';
import { connectTls, type TlsIdentityOptions } from '../connect/connect-tls.ts';
import { connectUnix } from '../connect/connect-unix.ts';
import { DialAttempt } from '../connect/dial-attempt.ts';
import { connectThrough } from '../proxy/connect-through.ts';
import { slowProxy } from '../proxy/proxy-errors.ts';
import type { ProxyServer } from '../proxy/proxy-url.ts';
import type { ResumeTicket } from '../resume/resume-ticket.ts';
import { type Acquaintance, type OwnOffer, type SwitchInstance, switchFieldOf } from '../switch-instance.ts';
import { type UpgradedSocket, UpgradingWebSocket } from '../upgraded-socket.ts';
import { explainDialError, explainLoop, explainResponse, explainTimeout, slowLookup } from './dial-errors.ts';
import { Redirected, redirectTarget } from './redirect.ts';
import type { TunnelUrl } from './tunnel-url.ts';

export interface DialOptions extends TlsIdentityOptions, TcpOptions {
  url: TunnelUrl;
  /** the whole value of `Authorization`; a function is called once the connection stands, and what it throws is what `dial` rejects with */
  authorization?: string | (() => string) | undefined;
  /** further header fields of the opening handshake; a name may occur more than once */
  headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** default: none */
  proxy?: ProxyServer | undefined;
  /** a Unix socket to connect to instead of the URL's host: its path, or `@NAME`; default: none */
  unixSocket?: string | undefined;
  /** offer the batched wire */
  offersBatchedWire: boolean;
  /** resumes the port of the last tunnel to this server; renewed by the server's response. Needs the batched wire */
  ticket?: ResumeTicket | undefined;
  /** Say that a redirect (307) is followed, and reject with `Redirected` for one. Default false */
  followsRedirects?: boolean | undefined;
  /**
   * Called with the address of the server before anything is sent to it, and with whether it is one of this host: that of the
   * near end, too. @throws what `dial` then rejects with
   */
  checkAddress?: ((address: string, isOwn: boolean) => void) | undefined;
  /** identity of the switch that dials; without it no identity is sent, and a tunnel to the same switch not detected */
  instance?: SwitchInstance | undefined;
  /** whether the tunnel may forward beside others to the same switch; default false */
  isParallelAllowed?: boolean | undefined;
  /** Called with `Etherws-Mesh-Answer` of an answer 101, before anything more is sent. @throws what `dial` then rejects with */
  checkAnswer?: ((answer: string | undefined) => void) | undefined;
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
 *   1. TCP to the host, or through a proxy; or a Unix socket
 *   2. TLS to the host, for wss://
 *   3. the opening handshake, made by ws
 *
 * @throws EtherwsError TUNNEL_TO_SELF, AUTH_FAILED, TUNNEL_FORBIDDEN, HANDSHAKE_REJECTED,
 *   NOT_WEBSOCKET, HANDSHAKE_TIMEOUT, CONNECTION_REFUSED, HOST_UNREACHABLE,
 *   NAME_UNRESOLVED, TLS_FAILED, CERTIFICATE_…, PROXY_…; no socket is left behind
 */
export function dial(options: DialOptions): Promise<DialledTunnel> {
  return attempted(options, async (attempt) => {
    const socket = await connected(options, attempt, true);
    attempt.stage = 'http';
    return openingHandshake(socket, options, attempt);
  });
}

/** What `connect` needs of the options of a dial. */
export type ConnectOptions = Omit<
  DialOptions,
  'authorization' | 'headers' | 'offersBatchedWire' | 'ticket' | 'followsRedirects' | 'instance' | 'isParallelAllowed'
>;

/**
 * The first two steps of `dial`: a connection to the server of a URL, on which HTTP may begin.
 * @throws EtherwsError as `dial`; no socket is left behind
 */
export function connect(options: ConnectOptions): Promise<Socket> {
  return attempted(options, (attempt) => connected(options, attempt, false));
}

/** Makes an attempt within the time limit, and leaves no socket of one that fails. */
async function attempted<T>(options: ConnectOptions, make: (attempt: DialAttempt) => Promise<T>): Promise<T> {
  const { url, timeoutMs, signal } = options;
  const giveUp = new AbortController();
  const attempt = new DialAttempt(giveUp.signal);
  const deadline = new PeerDeadline(timeoutMs, () => giveUp.abort(overdue(attempt, options)));
  const abort = (): void => giveUp.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    return await make(attempt);
  } catch (error) {
    await attempt.abandon();
    signal?.throwIfAborted();
    throw error instanceof EtherwsError || error instanceof Redirected
      ? error
      : explainDialError(error, url, attempt.stage);
  } finally {
    deadline.cancel();
    signal?.removeEventListener('abort', abort);
  }
}

/** @param isTakenOver whether the records of TLS are taken over from Node later */
async function connected(options: ConnectOptions, attempt: DialAttempt, isTakenOver: boolean): Promise<Socket> {
  const { url } = options;
  const socket = await connectFor(options, attempt);
  if (options.proxy === undefined && options.unixSocket === undefined) attempt.address = socket.remoteAddress;
  attempt.isOwn = isToItself(socket);
  if (attempt.address !== undefined) options.checkAddress?.(attempt.address, attempt.isOwn);
  if (!url.isSecure) return socket;
  attempt.stage = 'tls';
  const carrier = isTakenOver && canTakeRecords(socket) ? new TlsRecordTap(socket, 'client') : socket;
  return connectTls(carrier, url.host, options, attempt);
}

function connectFor(options: ConnectOptions, attempt: DialAttempt): Promise<Socket> {
  const { url, proxy, unixSocket } = options;
  if (unixSocket !== undefined) return connectUnix(unixSocket, attempt);
  return proxy === undefined
    ? connectTcp(url.dialHost, url.listenPort, options, attempt)
    : connectThrough(proxy, url.host, url.listenPort, options, attempt);
}

/** The error for the stage at which the time limit passed. */
function overdue({ stage, name }: DialAttempt, { url, proxy, timeoutMs }: ConnectOptions): EtherwsError {
  if (stage === 'lookup') return slowLookup(name, timeoutMs);
  if (stage === 'connect' && proxy !== undefined) return slowProxy(proxy, timeoutMs);
  return explainTimeout(url, stage, timeoutMs);
}

function openingHandshake(socket: Socket, options: DialOptions, attempt: DialAttempt): Promise<DialledTunnel> {
  const { signal } = attempt;
  const { url, offersBatchedWire, ticket, instance } = options;
  const authorization = typeof options.authorization === 'function' ? options.authorization() : options.authorization;
  const offer = instance?.offer(options.isParallelAllowed === true);
  return new Promise((resolve, reject) => {
    const webSocket = new UpgradingWebSocket(url.href, {
      perMessageDeflate: false,
      origin: url.origin,
      headers: headersOf({ ...options, authorization }, offer),
      createConnection: () => socket,
    });
    let wire: Wire = 'raw';
    let resumeField: string | undefined;
    let isRoaming = false;
    let switchField: ReturnType<typeof switchFieldOf>;
    let meshAnswer: string | undefined;
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', abort);
      reject(error);
      webSocket.terminate();
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    webSocket.on('error', fail);
    webSocket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
      // Only a node says so in its redirect: a web server beside it, with an open redirect, gets no credentials sent away.
      const isOfNode = fieldOf(response.headers, REDIRECT_HEADER) === '1';
      if (options.followsRedirects === true && response.statusCode === TEMPORARY_REDIRECT && isOfNode) {
        fail(redirectOf(url, response, attempt));
        return;
      }
      const isLoop = response.statusCode === LOOP_DETECTED && offer !== undefined;
      fail(isLoop ? explainLoop(url) : explainResponse(response, url, authorization !== undefined));
    });
    webSocket.on('upgrade', ({ headers }: IncomingMessage) => {
      meshAnswer = fieldOf(headers, MESH_ANSWER_HEADER);
      switchField = switchFieldOf(headers[SWITCH_HEADER.toLowerCase()]);
      const answer = fieldOf(headers, WIRE_HEADER);
      if (!offersBatchedWire || answer !== WIRE_VERSION) return;
      wire = 'batched';
      resumeField = fieldOf(headers, RESUME_HEADER);
      isRoaming = fieldOf(headers, ROAMING_HEADER) === '1';
    });
    webSocket.on('upgraded', () => {
      signal.removeEventListener('abort', abort);
      if (webSocket.upgraded === undefined) return;
      // The server refuses its own field, too. But a proxy may have removed ours from the request.
      if (instance?.isOwn(switchField) === true) {
        reject(explainLoop(url)); // The attempt then destroys the connection, which ws has released.
        return;
      }
      try {
        options.checkAnswer?.(meshAnswer);
      } catch (error) {
        reject(error);
        return;
      }
      ticket?.renew(resumeField, isRoaming);
      const acquaintance = offer === undefined ? undefined : instance?.accepted(offer, switchField);
      resolve({ ...webSocket.upgraded, wire, acquaintance });
    });
  });
}

/** Whether both ends of a connection have the same address, so that it does not leave the host. */
export function isToItself({ remoteAddress, localAddress }: Socket): boolean {
  return remoteAddress !== undefined && remoteAddress === localAddress;
}

function fieldOf(headers: IncomingMessage['headers'], name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : undefined;
}

/** @returns the redirect, or why it is not followed */
function redirectOf(url: TunnelUrl, { headers }: IncomingMessage, { address, isOwn }: DialAttempt): unknown {
  try {
    return new Redirected(redirectTarget(url, headers.location), address, isOwn);
  } catch (error) {
    return error;
  }
}

/** 307 Temporary Redirect (RFC 9110, 15.4.8). */
const TEMPORARY_REDIRECT = 307;

/** 508 Loop Detected (RFC 5842, 7.2). */
const LOOP_DETECTED = 508;

function headersOf(
  options: DialOptions & { readonly authorization: string | undefined },
  offer: OwnOffer | undefined,
): Record<string, string | string[]> {
  const { authorization, headers = [], offersBatchedWire, ticket, followsRedirects } = options;
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
    ...(followsRedirects === true ? { [REDIRECT_HEADER]: '1' } : {}),
  };
}
