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
import type { Lead, NodeListener } from './learned-nodes.ts';
import { type DialledTunnel, type DialOptions, dial, isToItself } from './opening-handshake.ts';
import {
  exposing,
  MOST_REDIRECTS,
  mayFollow,
  RedirectBounds,
  Redirected,
  redirectLoop,
  tooManyRedirects,
} from './redirect.ts';
import { parseTunnelUrl, type TunnelUrl } from './tunnel-url.ts';

export interface DialTunnelOptions extends TlsIdentityOptions, TcpOptions {
  /** `ws://` or `wss://`; credentials in it are used, and not shown */
  url: string;
  /** overrides the user of the URL */
  user?: string;
  /** needs a user; may contain colons */
  passwd?: string;
  /** a bearer token (RFC 6750), instead of a user; a function makes one for each opening handshake, when the connection stands */
  token?: string | (() => string) | undefined;
  /** further header fields of the opening handshake; a name may occur more than once */
  headers?: DialOptions['headers'];
  /** the proxy to dial through (parseProxyUrl); default: none */
  proxy?: ProxyServer | undefined;
  /** a Unix socket to connect to instead of the URL's host: its path, or `@NAME` for an abstract name */
  unixSocket?: string | undefined;
  /** the proxy for a server that the first one redirects to; default: `proxy` */
  proxyFor?: ((url: TunnelUrl) => ProxyServer | undefined) | undefined;
  /**
   * Whether to follow redirects to other nodes of a cluster, with the credentials: at most 3, never from `wss://` to `ws://`,
   * not where the certificate is not verified, and as `RedirectBounds` has it. Default true.
   */
  redirect?: boolean | undefined;
  /** A node to dial instead of the server of `url`, as if that had redirected there. Default: none */
  lead?: Lead | undefined;
  /** Hears of other nodes, where redirects are followed; default: their lists are ignored. */
  nodes?: NodeListener | undefined;
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
  /** as `DialOptions` has it */
  checkAnswer?: DialOptions['checkAnswer'];
  /** time limit from the look-up of the name to the end of the opening handshake; default 10 s */
  handshakeTimeoutMs?: number;
  limits?: Partial<TunnelLimits>;
  /** the node of the cluster that is dialled; default: none */
  meshNode?: string;
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
  const first = parseTunnelUrl(options.url);
  const authorization = authorizationOf(options, first);
  if (options.pins !== undefined && !first.isSecure) throw unpinnable(first);
  const logger = options.logger ?? SILENT;
  if (options.isInsecure === true && first.isSecure) {
    logger.warn({ target: first.shown }, 'the certificate of the server is not verified');
  }
  const { url, proxy, dialled } = await dialFollowing(first, authorization, options, logger);
  const { socket, head, wire, acquaintance } = dialled;
  await drained(socket);
  // A record that breaks TLS may have come right behind the answer. A destroyed socket tells nothing of its TLS any more.
  if (socket.destroyed) {
    throw explainDialError(socket.errored ?? new Error('the server closed the connection at once'), url, 'http');
  }
  const ends = endsOf(socket);
  const isOwn = proxy === undefined && isToItself(socket);
  const transport = openTransport(socket, head, { congestion: options.congestion });
  logger.debug(
    { target: url.shown, address: socket.remoteAddress, wire, transport: transport.kind },
    'tunnel connected',
  );
  const mayLead = options.unixSocket === undefined && mayFollow(url, options);
  const address = proxy === undefined ? socket.remoteAddress : undefined;
  return new TunnelPort({
    type: 'client',
    target: url.shown,
    transport,
    ...ends,
    wire,
    peer: acquaintance === undefined ? undefined : { ...acquaintance, isDialled: true, user: null },
    meshNode: options.meshNode,
    onNodeList: options.nodes?.reached(mayLead ? { url, address, isOwn } : undefined),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
  });
}

/** Dials, and follows redirects. @returns the URL that was reached in the end, and the proxy on the way to it */
async function dialFollowing(
  first: TunnelUrl,
  authorization: DialOptions['authorization'],
  options: DialTunnelOptions,
  logger: Logger,
): Promise<{ readonly url: TunnelUrl; readonly proxy: ProxyServer | undefined; readonly dialled: DialledTunnel }> {
  let url = first;
  let { proxy } = options;
  let checkAddress: DialOptions['checkAddress'];
  let isExposing = false;
  const boundsOf = ({ to, from }: Lead): RedirectBounds => {
    const bounds = new RedirectBounds(from.url, from);
    bounds.check(to);
    isExposing = bounds.exposes(to) && hasSecrets(options, authorization, from.url);
    return bounds;
  };
  const follow = (to: TunnelUrl, bounds: RedirectBounds): void => {
    checkAddress = (address, isOwn) => bounds.check(to, address, isOwn);
    url = to;
    proxy = options.proxyFor === undefined ? proxy : options.proxyFor(url);
  };
  if (options.lead !== undefined) {
    const bounds = boundsOf(options.lead);
    if (isExposing) throw exposing(options.lead);
    follow(options.lead.to, bounds);
  }
  const dialled = new Set([url.href]);
  for (let redirects = 0; ; redirects++) {
    const followsRedirects = !isExposing && options.unixSocket === undefined && mayFollow(url, options);
    const attempt = { ...unchanged(options), url, authorization, proxy, followsRedirects, checkAddress };
    try {
      return { url, proxy, dialled: await dial(attempt) };
    } catch (error) {
      if (!(error instanceof Redirected)) throw error;
      const { to } = error;
      if (redirects === MOST_REDIRECTS) throw tooManyRedirects(url);
      const bounds = boundsOf({ to, from: { url, address: error.address, isOwn: error.isOwn } });
      if (isExposing) {
        logger.info(
          { target: url.shown, to: to.shown },
          'a redirect that leaves this host without TLS is not followed',
        );
        continue;
      }
      if (dialled.has(to.href)) throw redirectLoop(url, to);
      dialled.add(to.href);
      logger.debug({ target: url.shown, to: to.shown }, 'redirected to another node');
      follow(to, bounds);
    }
  }
}

/** A query may have a token, and a header field anything. */
function hasSecrets(
  { headers = [] }: DialTunnelOptions,
  authorization: DialOptions['authorization'],
  url: TunnelUrl,
): boolean {
  return authorization !== undefined || headers.length > 0 || url.href.includes('?');
}

/** What is the same for all servers that an attempt is redirected to. */
function unchanged(options: DialTunnelOptions): Omit<DialOptions, 'url'> {
  const { bindAddress, bindDevice, fwmark, lookup, cacerts, isInsecure, pins, servername, clientCertificate } = options;
  return {
    headers: options.headers,
    unixSocket: options.unixSocket,
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
    checkAnswer: options.checkAnswer,
    instance: options.instance,
    isParallelAllowed: options.isParallelAllowed,
    timeoutMs: options.handshakeTimeoutMs ?? withDefaults(options.limits).handshakeTimeoutMs,
    signal: options.signal,
  };
}

/** A pinned key needs TLS: without it the server has no key that could be compared. */
export function unpinnable(url: TunnelUrl): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', `${url.shown} has no TLS, and so no key that could be pinned`, {
    hint: 'Dial wss://, or give no --pin',
  });
}

/** The value of `Authorization`, if any: a bearer token, or a user and a password. */
function authorizationOf(options: DialTunnelOptions, url: TunnelUrl): DialOptions['authorization'] {
  const user = options.user ?? url.user;
  const passwd = options.passwd ?? (options.user === undefined ? url.passwd : undefined);
  const { token } = options;
  if (token !== undefined) {
    if (user === undefined && passwd === undefined) {
      return typeof token === 'string' ? `Bearer ${token}` : () => `Bearer ${token()}`;
    }
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
