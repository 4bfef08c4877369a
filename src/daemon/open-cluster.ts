import { createSocket } from 'node:dgram';
import { dirname, join } from 'node:path';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import type { ClusterStore } from '../cluster/cluster-store.ts';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import type { AuthenticStore } from '../cluster/secret/authentic-store.ts';
import type { ClusterSecret } from '../cluster/secret/cluster-secret.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { NatsServers } from '../net/nats-url.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import type { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import type { LoopDelay } from '../runtime/loop-delay.ts';
import type { ClusterParts, ClusterService } from './cluster-service.ts';
import type { Lifetime } from './lifetime.ts';
import type { Service } from './services.ts';

/** A start waits so long for the store; a node whose store comes later forwards locally until then. */
const PATIENCE_MS = 3000;

export interface OpenedStore {
  readonly store: ClusterStore;
  /** what the nodes prove themselves by; undefined: a key in the store */
  readonly secret: Pick<ClusterParts, 'keys' | 'refused'> | undefined;
  /** a server of the store, for the address of this node towards it */
  readonly servers: NatsServers;
}

/**
 * Opens the store of a cluster, and waits a while until it can be used. The libraries for NATS are loaded here only.
 * @throws EtherwsError FILE_UNREADABLE, CONFIG_INVALID for the secret; CLUSTER_STORE_UNUSABLE if its servers refuse; if they cannot be reached, the store goes on trying
 */
export async function openStore(
  config: ClusterConfig,
  stateFile: string | undefined,
  lifetime: Lifetime,
  logger: Logger,
): Promise<OpenedStore> {
  const secret = await openSecret(config, lifetime, logger);
  const servers = config.servers ?? (await startEmbedded(config.name, stateFile, lifetime, logger));
  const { openNats } = await import('../cluster/nats/open-nats.ts');
  const nats = openNats(config, servers, logger);
  const authentic = secret === undefined ? undefined : await authenticStore(nats, config.node, secret, logger);
  const store = authentic ?? nats;
  lifetime.onClose(() => store.close());
  const untilMs = performance.now() + PATIENCE_MS;
  while (performance.now() < untilMs && !store.table('sessions').isLoaded) {
    if (nats.fault !== undefined) throw nats.fault;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const proofs =
    secret &&
    authentic &&
    ({ keys: () => secret.mesh, refused: () => authentic.refused } satisfies OpenedStore['secret']);
  return { store, secret: proofs, servers };
}

async function openSecret(
  { secretFile, name }: ClusterConfig,
  lifetime: Lifetime,
  logger: Logger,
): Promise<ClusterSecret | undefined> {
  if (secretFile === undefined) return undefined;
  const { ClusterSecret } = await import('../cluster/secret/cluster-secret.ts');
  const secret = await ClusterSecret.open(secretFile, name, logger);
  lifetime.onReload(() => secret.refresh());
  lifetime.onClose(() => secret.close());
  return secret;
}

async function authenticStore(
  inner: ClusterStore,
  node: string,
  secret: ClusterSecret,
  logger: Logger,
): Promise<AuthenticStore> {
  const { AuthenticStore } = await import('../cluster/secret/authentic-store.ts');
  const store = new AuthenticStore({ inner, node, keys: () => secret.store, logger });
  secret.onChange = () => store.keysChanged();
  return store;
}

async function startEmbedded(
  name: string,
  stateFile: string | undefined,
  lifetime: Lifetime,
  logger: Logger,
): Promise<NatsServers> {
  const { EmbeddedServer } = await import('../cluster/nats/embedded-server.ts');
  const directory = stateFile === undefined ? undefined : join(dirname(stateFile), `nats-${name}`);
  const server = await EmbeddedServer.start({ directory, logger });
  lifetime.onClose(() => server.close());
  const urls = [`nats://127.0.0.1:${server.port}`];
  logger.info({ url: urls[0] }, 'nats-server started; further nodes of this host join it by --cluster URL');
  return { urls, user: undefined, password: undefined };
}

/** The URL of the tunnels of this node for the other nodes: as configured, else by the address towards the store. */
export async function advertisedUrl(
  { advertise }: ClusterConfig,
  { host, tls, path }: SwConfig['tunnels'],
  listener: NonNullable<Service['listener']>,
  servers: NatsServers,
): Promise<string | null> {
  if (advertise !== undefined) return advertise;
  const address = host ?? (await addressTowards(servers));
  const shown = address.includes(':') ? `[${address}]` : address;
  return `ws${tls === undefined ? '' : 's'}://${shown}:${listener.address.port}${path}`;
}

/** The address of this host that its packets to the store have. No packet is sent. */
function addressTowards({ urls: [first = ''] }: NatsServers): Promise<string> {
  const { hostname, port } = new URL(first);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const end = (address: string): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end('127.0.0.1'));
    socket.connect(Number(port), host, () => end(socket.address().address));
  });
}

export interface JoinParts {
  readonly config: SwConfig;
  readonly opened: OpenedStore;
  readonly tunnels: Service;
  readonly etherSwitch: Switch;
  readonly server: TunnelServer;
  readonly loopDelay: LoopDelay;
  readonly mostTunnels: () => number;
  readonly logger: Logger;
}

/** What a node announces of its load. */
export function loadOf({
  server,
  loopDelay,
  mostTunnels,
}: Pick<JoinParts, 'server' | 'loopDelay' | 'mostTunnels'>): () => NodeAnnouncement['load'] {
  return () => ({
    tunnels: server.connections,
    mostTunnels: mostTunnels(),
    loopDelayMs: Math.round((loopDelay.recent()?.meanMs ?? 0) * 10) / 10,
  });
}

/** Makes this switch a node of the cluster; `start` of the result begins it. */
export async function joinCluster(
  cluster: ClusterConfig,
  { config, opened, tunnels, etherSwitch, server, loopDelay, mostTunnels, logger }: JoinParts,
): Promise<ClusterService> {
  const { ClusterService } = await import('./cluster-service.ts');
  const { listener, counters } = tunnels;
  if (listener === undefined) throw new TypeError('tunnels have a listener');
  const { path } = config.tunnels;
  return new ClusterService({
    config: cluster,
    store: opened.store,
    ...opened.secret,
    mostAutoLinks: config.mostAutoMesh,
    url: () => advertisedUrl(cluster, config.tunnels, listener, opened.servers),
    etherSwitch,
    tunnels: { counters, listener, path },
    load: loadOf({ server, loopDelay, mostTunnels }),
    congestion: config.congestion,
    logger,
  });
}
