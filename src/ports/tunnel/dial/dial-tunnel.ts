import { EtherwsError } from '../../../errors.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import type { CongestionChoice } from '../../stream/congestion-control.ts';
import type { Heartbeat } from '../../stream/heartbeat.ts';
import { type TunnelLimits, withDefaults } from '../../stream/limits.ts';
import { openTransport } from '../../stream/open-transport.ts';
import type { WireChoice } from '../../stream/packing.ts';
import { drained } from '../../stream/tls/handover.ts';
import type { TcpOptions } from '../connect/connect-tcp.ts';
import type { TlsIdentityOptions } from '../connect/connect-tls.ts';
import type { ProxyServer } from '../proxy/proxy-url.ts';
import type { ResumeTicket } from '../resume/resume-ticket.ts';
import type { SwitchInstance } from '../switch-instance.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { endsOf } from '../upgraded-socket.ts';
import { explainDialError } from './dial-errors.ts';
import { type DialOptions, dial } from './opening-handshake.ts';
import { parseTunnelUrl, type TunnelUrl } from './tunnel-url.ts';

export interface DialTunnelOptions extends TlsIdentityOptions, TcpOptions {
  /** `ws://` or `wss://`; credentials in it are used, and not shown */
  url: string;
  /** overrides the user of the URL */
  user?: string;
  /** needs a user; may contain colons */
  passwd?: string;
  /** a bearer token (RFC 6750), instead of a user */
  token?: string | undefined;
  /** further header fields of the opening handshake; a name may occur more than once */
  headers?: DialOptions['headers'];
  /** the proxy to dial through (parseProxyUrl); default: none */
  proxy?: ProxyServer | undefined;
  /** `auto` offers the batched wire to the server, `raw` does not; default `auto` */
  wire?: WireChoice;
  /** the congestion control of its TCP; default `auto` */
  congestion?: CongestionChoice | undefined;
  /**
   * Resumes the port that the last tunnel to this URL had at the server, if the
   * server keeps ports for their clients; one ticket for all tunnels to one URL.
   * Without it the server keeps no port.
   */
  ticket?: ResumeTicket | undefined;
  /**
   * The identity of the switch that dials. A tunnel to itself is then refused, and
   * a second tunnel to the same switch is on standby (Switch). Default: not sent.
   */
  instance?: SwitchInstance | undefined;
  /** Lets the tunnel forward beside others to the same switch, where STP or the like breaks the loop. Default false. */
  isParallelAllowed?: boolean | undefined;
  /** time limit from the look-up of the name to the end of the opening handshake; default 10 s */
  handshakeTimeoutMs?: number;
  limits?: Partial<TunnelLimits>;
  /** default: the one that all tunnels of the process share */
  heartbeat?: Heartbeat;
  logger?: Logger;
  signal?: AbortSignal;
}

/**
 * Dials a WebSocket server and makes the connection a port.
 * @throws EtherwsError ARGUMENT_INVALID for an invalid URL or invalid credentials,
 *   and what `dial` throws; no socket is left open
 */
export async function dialTunnel(options: DialTunnelOptions): Promise<TunnelPort> {
  const url = parseTunnelUrl(options.url);
  const authorization = authorizationOf(options, url);
  if (options.pins !== undefined && !url.isSecure) throw unpinnable(url);
  const logger = options.logger ?? SILENT;
  if (options.isInsecure === true && url.isSecure) {
    logger.warn({ target: url.shown }, 'the certificate of the server is not verified');
  }
  const { bindAddress, bindDevice, fwmark, lookup, cacerts, isInsecure, pins, servername, clientCertificate } = options;
  const { socket, head, wire, acquaintance } = await dial({
    url,
    authorization,
    headers: options.headers,
    proxy: options.proxy,
    bindAddress,
    bindDevice,
    fwmark,
    lookup,
    cacerts,
    isInsecure,
    pins,
    servername,
    clientCertificate,
    offersBatchedWire: options.wire !== 'raw',
    ticket: options.ticket,
    instance: options.instance,
    isParallelAllowed: options.isParallelAllowed,
    timeoutMs: options.handshakeTimeoutMs ?? withDefaults(options.limits).handshakeTimeoutMs,
    signal: options.signal,
  });
  await drained(socket);
  // A record that breaks TLS may have come right behind the answer. A destroyed socket tells nothing of its TLS any more.
  if (socket.destroyed) {
    throw explainDialError(socket.errored ?? new Error('the server closed the connection at once'), url, 'http');
  }
  const ends = endsOf(socket);
  const transport = openTransport(socket, head, { congestion: options.congestion });
  logger.debug(
    { target: url.shown, address: socket.remoteAddress, wire, transport: transport.kind },
    'tunnel connected',
  );
  return new TunnelPort({
    type: 'client',
    target: url.shown,
    transport,
    ...ends,
    wire,
    peer: acquaintance === undefined ? undefined : { ...acquaintance, isDialled: true, user: null },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
  });
}

/** A pinned key needs TLS: without it the server has no key that could be compared. */
export function unpinnable(url: TunnelUrl): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', `${url.shown} has no TLS, and so no key that could be pinned`, {
    hint: 'Dial wss://, or give no --pin',
  });
}

/** The value of `Authorization`, if any: a bearer token, or a user and a password. */
function authorizationOf(options: DialTunnelOptions, url: TunnelUrl): string | undefined {
  const user = options.user ?? url.user;
  const passwd = options.passwd ?? (options.user === undefined ? url.passwd : undefined);
  if (options.token !== undefined) {
    if (user === undefined && passwd === undefined) return `Bearer ${options.token}`;
    throw new EtherwsError('ARGUMENT_INVALID', 'A user and a token exclude each other', { hint: 'Give one of them' });
  }
  if (user === undefined) {
    if (passwd === undefined) return undefined;
    throw new EtherwsError('ARGUMENT_INVALID', 'A password was given without a user', { hint: 'Give --user too' });
  }
  if (user.includes(':')) {
    throw new EtherwsError('ARGUMENT_INVALID', `The user ${user} contains a colon, which Basic auth cannot carry`, {
      hint: 'A password may contain colons, a user may not (RFC 7617)',
    });
  }
  // RFC 7617, with the charset that it recommends.
  return `Basic ${Buffer.from(`${user}:${passwd ?? ''}`, 'utf8').toString('base64')}`;
}
