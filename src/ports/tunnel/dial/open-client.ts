import { readCaCerts } from '../../../auth/certificate-file.ts';
import { parsePins } from '../../../auth/parse-pins.ts';
import { loadServerIdentity } from '../../../auth/tls.ts';
import { codeOf, EtherwsError } from '../../../errors.ts';
import { RetryLaterError, requestedWaitMs } from '../../../net/retry-after.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { DialOptions } from '../../../schema/dial-options.ts';
import type { CongestionChoice } from '../../stream/congestion-control.ts';
import type { TlsIdentityOptions } from '../connect/connect-tls.ts';
import { type Environment, proxyFromEnvironment } from '../proxy/proxy-environment.ts';
import { type ProxyServer, parseProxyUrl } from '../proxy/proxy-url.ts';
import { ResumeTicket, RoamingToken } from '../resume/resume-ticket.ts';
import type { SwitchInstance } from '../switch-instance.ts';
import type { TunnelPort } from '../tunnel-port.ts';
import { ClientPort, type ClientPortOptions } from './client-port.ts';
import { isLastingFailure } from './dial-errors.ts';
import { type DialTunnelOptions, dialTunnel, unpinnable } from './dial-tunnel.ts';
import { type Lead, LearnedNodes } from './learned-nodes.ts';
import { DEFAULT_MAX_WAIT_MS } from './reconnection.ts';
import { parseTunnelUrl, type TunnelUrl } from './tunnel-url.ts';

export interface ClientContext {
  readonly logger: Logger;
  readonly watchNetwork?: ClientPortOptions['watchNetwork'];
  /** The congestion control of TCP on the tunnels; default `auto`. */
  readonly congestion?: CongestionChoice | undefined;
  /** The identity of the switch that dials; default: not sent. */
  readonly instance?: SwitchInstance | undefined;
  /** The variables among which HTTPS_PROXY and the like are looked up; default: none. */
  readonly environment?: Environment;
  /** aborts the attempt that `openClient` waits for */
  readonly signal?: AbortSignal;
}

/**
 * Makes a client port. It is connected, unless the options say `wait: false`.
 * @throws EtherwsError ARGUMENT_INVALID, and the codes of unusable files; unless
 *   `wait: false`, also the failure of the attempt to dial
 */
export async function openClient(target: string, options: DialOptions, context: ClientContext): Promise<ClientPort> {
  const { logger, watchNetwork, congestion, instance, signal } = context;
  const destinations = destinationsOf([target, ...(options.alternatives ?? [])], options, context.environment ?? {});
  const [first] = destinations;
  await readFiles(options, logger); // an unusable file fails the call, instead of each later attempt in the log
  const maxWaitMs = (options.reconnectMax ?? DEFAULT_MAX_WAIT_MS / 1000) * 1000;
  const nodes = new LearnedNodes(
    destinations.map(({ url }) => url),
    logger,
  );
  const connect = async (
    to: readonly Destination[],
    leads: readonly Lead[],
    signal: AbortSignal,
  ): Promise<TunnelPort> => {
    const tunnel = await connectOrLead(to, leads, options, { logger, congestion, instance, signal, maxWaitMs, nodes });
    for (const each of destinations) each.wasLast = each.tunnels.has(tunnel) && each.url.shown === tunnel.target;
    return tunnel;
  };
  const portOptions: ClientPortOptions = {
    target: first?.url.shown ?? target,
    connect: (signal) => connect(othersFirst(destinations), nodes.leads(performance.now()), signal),
    ...(first === undefined || options.preferFirst === undefined
      ? {}
      : {
          failback: {
            intervalMs: options.preferFirst * 1000,
            connect: (signal) => connect([first], [], signal),
            isPreferred: (tunnel) => first.tunnels.has(tunnel),
          },
        }),
    reconnection: {
      ...(options.reconnect === undefined ? {} : { isEnabled: options.reconnect }),
      ...(options.reconnectMin === undefined ? {} : { minMs: options.reconnectMin * 1000 }),
      ...(options.reconnectMax === undefined ? {} : { maxMs: options.reconnectMax * 1000 }),
    },
    ...(watchNetwork === undefined ? {} : { watchNetwork }),
    logger,
  };
  return options.wait === false ? new ClientPort(portOptions) : ClientPort.connected(portOptions, signal);
}

interface Destination {
  /** the URL as it was given, perhaps with credentials */
  readonly text: string;
  readonly url: TunnelUrl;
  readonly proxy: ProxyServer | undefined;
  /** the proxy for another node that the server redirects to */
  readonly proxyFor: (url: TunnelUrl) => ProxyServer | undefined;
  /** undefined for a port without reconnection */
  readonly ticket: ResumeTicket | undefined;
  /** the tunnels to this destination */
  readonly tunnels: WeakSet<TunnelPort>;
  /** Its server itself has accepted the last tunnel of the port, and not a node that it has redirected to. */
  wasLast: boolean;
  /** The server has asked not to be dialled before, by `Retry-After`; clock: `performance.now`. */
  notBeforeMs: number;
  /** the failure with which it asked for that */
  lastFailure: unknown;
}

/** @throws EtherwsError ARGUMENT_INVALID */
function destinationsOf(texts: readonly string[], options: DialOptions, environment: Environment): Destination[] {
  const { proxy, pin } = options;
  if (pin !== undefined) parsePins(pin);
  const roaming = new RoamingToken();
  return texts.map((text) => {
    const url = parseTunnelUrl(text);
    if (pin !== undefined && !url.isSecure) throw unpinnable(url);
    const ticket = options.reconnect === false ? undefined : new ResumeTicket(roaming);
    return {
      text,
      url,
      proxy: proxyFor(url, proxy, environment),
      proxyFor: (to) => proxyFor(to, proxy, environment),
      ticket,
      tunnels: new WeakSet(),
      wasLast: false,
      notBeforeMs: Number.NEGATIVE_INFINITY,
      lastFailure: undefined,
    };
  });
}

/** @throws EtherwsError ARGUMENT_INVALID */
function proxyFor(url: TunnelUrl, proxy: string | undefined, environment: Environment): ProxyServer | undefined {
  if (proxy === 'direct') return undefined;
  return proxy === undefined ? proxyFromEnvironment(url, environment) : parseProxyUrl(proxy, 'proxy');
}

/**
 * The order in which the destinations are dialled: as given, but a node of a cluster whose tunnel was lost comes last. The
 * others have the port of the client, too, and a node that is stuck takes a whole time limit.
 */
function othersFirst(destinations: readonly Destination[]): readonly Destination[] {
  const last = destinations.find(({ wasLast }) => wasLast);
  if (last?.ticket?.isRoaming !== true) return destinations;
  return [...destinations.filter((destination) => destination !== last), last];
}

type ConnectContext = Pick<ClientContext, 'logger' | 'congestion' | 'instance'> & {
  readonly signal: AbortSignal;
  readonly maxWaitMs: number;
  readonly nodes: LearnedNodes;
};

/** How many other nodes one attempt dials. */
const MOST_LEADS = 4;
/** While there are others to dial, a server that is stuck costs so long, and not a whole time limit. */
const QUICK_MS = 3000;
/** What another node of the cluster would answer, too. */
const ANSWERS_OF_ALL: ReadonlySet<string | undefined> = new Set(['AUTH_FAILED', 'TUNNEL_FORBIDDEN', 'TUNNEL_TO_SELF']);

/** Dials the destinations, and then other nodes of the cluster that the last tunnel was to. */
async function connectOrLead(
  destinations: readonly Destination[],
  leads: readonly Lead[],
  options: DialOptions,
  context: ConnectContext,
): Promise<TunnelPort> {
  const { logger, signal, maxWaitMs, nodes } = context;
  const source = leads.length === 0 ? undefined : destinations.find(({ ticket }) => ticket?.isRoaming === true);
  const common = await commonOf(options, context);
  if (source === undefined) return connectAny(destinations, common, maxWaitMs);
  const quick = { ...common, handshakeTimeoutMs: QUICK_MS };
  const startMs = performance.now();
  try {
    return await connectAny(destinations, quick, maxWaitMs);
  } catch (error) {
    if (signal.aborted || ANSWERS_OF_ALL.has(codeOf(error))) throw error;
    const wasHasty = performance.now() - startMs >= QUICK_MS;
    const { text: url, proxyFor, ticket } = source;
    for (const lead of leads.slice(0, MOST_LEADS)) {
      try {
        return await dialTunnel({ ...quick, url, lead, proxyFor, ticket });
      } catch (failure) {
        if (signal.aborted) throw failure;
        logger.debug({ target: lead.to.shown, error: failure }, 'another node of the cluster was dialled in vain');
        const waitMs = requestedWaitMs(failure);
        if (waitMs !== undefined) nodes.rest(lead, performance.now() + Math.min(waitMs, maxWaitMs));
      }
    }
    if (!wasHasty) throw error;
    return connectAny(destinations, common, maxWaitMs);
  }
}

async function commonOf(
  options: DialOptions,
  { logger, congestion, instance, signal, nodes }: ConnectContext,
): Promise<Omit<DialTunnelOptions, 'url'> & { readonly signal: AbortSignal }> {
  const { user, passwd, wire, token, servername, bindAddress, bindDevice, fwmark, pin, headers } = options;
  return {
    ...(wire === undefined ? {} : { wire }),
    ...(user === undefined ? {} : { user }),
    ...(passwd === undefined ? {} : { passwd }),
    token,
    servername,
    bindAddress,
    bindDevice,
    fwmark,
    headers: headers?.map(takeHeaderApart),
    pins: pin === undefined ? undefined : parsePins(pin),
    isInsecure: options.insecure,
    ...(await readFiles(options, logger)),
    isParallelAllowed: options.allowParallel,
    redirect: options.redirect,
    nodes,
    congestion,
    instance,
    logger,
    signal,
  };
}

/** Dials one destination after the other, and returns the first tunnel. */
async function connectAny(
  destinations: readonly Destination[],
  common: Awaited<ReturnType<typeof commonOf>>,
  maxWaitMs: number,
): Promise<TunnelPort> {
  const { signal } = common;
  const failures: unknown[] = [];
  for (const destination of destinations) {
    const { text, proxy, proxyFor, ticket } = destination;
    if (performance.now() < destination.notBeforeMs) {
      failures.push(destination.lastFailure);
      continue;
    }
    try {
      const tunnel = await dialTunnel({ ...common, url: text, proxy, proxyFor, ticket });
      destination.tunnels.add(tunnel);
      return tunnel;
    } catch (error) {
      if (signal.aborted) throw error;
      failures.push(error);
      const waitMs = requestedWaitMs(error);
      if (waitMs === undefined || destinations.length === 1) continue;
      destination.notBeforeMs = performance.now() + Math.min(waitMs, maxWaitMs);
      destination.lastFailure = error;
    }
  }
  throw joined(failures, soonestMs(destinations, failures));
}

/** The shortest wait that the servers asked for; undefined unless all of them asked for one. */
function soonestMs(destinations: readonly Destination[], failures: readonly unknown[]): number | undefined {
  if (!failures.every((failure) => requestedWaitMs(failure) !== undefined)) return undefined;
  if (destinations.length === 1) return requestedWaitMs(failures[0]);
  const soonest = Math.min(...destinations.map(({ notBeforeMs }) => notBeforeMs));
  return Math.max(0, soonest - performance.now());
}

/** Files are read for each attempt to dial, so that a renewed certificate is used from the next one on. */
async function readFiles({ cacerts, cert, key }: DialOptions, logger: Logger): Promise<TlsIdentityOptions> {
  if ((cert === undefined) !== (key === undefined)) {
    throw new EtherwsError('ARGUMENT_INVALID', 'A client certificate needs its key, and a key its certificate', {
      hint: 'Give both, --cert and --key',
    });
  }
  return {
    cacerts: cacerts === undefined ? undefined : await readCaCerts(cacerts),
    clientCertificate: cert === undefined || key === undefined ? undefined : await readIdentity(key, cert, logger),
  };
}

async function readIdentity(key: string, cert: string, logger: Logger): Promise<{ key: string; cert: string }> {
  const { options } = await loadServerIdentity(key, cert, logger);
  return { key: String(options.key), cert: String(options.cert) };
}

function takeHeaderApart(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1).trim()];
}

/** One failure for several servers. One that may pass by itself has precedence, since dialling again can help then. */
function joined(failures: readonly unknown[], retryAfterMs: number | undefined): unknown {
  const [first] = failures;
  const main = failures.find((failure) => !isLastingFailure(failure)) ?? first;
  if (failures.length === 1 || !(main instanceof EtherwsError)) return main;
  const message = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ');
  const details = { cause: main, ...(main.hint === undefined ? {} : { hint: main.hint }) };
  return retryAfterMs === undefined
    ? new EtherwsError(main.code, message, details)
    : new RetryLaterError(main.code, message, { ...details, retryAfterMs });
}
