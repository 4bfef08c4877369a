import type { SwConfig } from '../config/sw-config.ts';
import type { RoomedLogger } from '../observability/log-rooms.ts';
import type { Logger } from '../observability/logger.ts';
import type { StateFile } from '../runtime/state-file.ts';
import type { ClusterService } from './cluster-service.ts';
import type { ConfiguredSwitch } from './configured-switch.ts';
import type { Draining } from './draining.ts';
import type { IngressPolicies } from './ingress-policies.ts';
import type { Lifetime } from './lifetime.ts';
import type { MetricsService } from './metrics-service.ts';
import type { JoinParts } from './open-cluster.ts';
import type { RoamingParts } from './open-roaming.ts';
import type { Roaming } from './roaming.ts';
import type { Services } from './services.ts';
import type { SharedPolicySource } from './shared-policy.ts';
import type { SharedService } from './shared-service.ts';
import type { LocalNode } from './workers/local-mesh.ts';
import type { ServiceMesh } from './workers/service-mesh.ts';
import type { WorkersOptions, WorkersService } from './workers/workers-service.ts';

export interface ClusterRoleOptions {
  readonly config: SwConfig;
  /** This process is a worker: what makes it a node of the mesh of its service. */
  readonly localNode: LocalNode | undefined;
  readonly lifetime: Lifetime;
  readonly logger: Logger & Partial<RoomedLogger>;
}

type JoinedParts = Omit<JoinParts, 'config' | 'opened' | 'tunnels'>;

export interface SharedParts {
  readonly configured: ConfiguredSwitch;
  readonly policies: IngressPolicies | undefined;
  /** the policy of the cluster; undefined beside a policy of this process */
  readonly source: SharedPolicySource | undefined;
  readonly state: StateFile | undefined;
}

export interface WorkersParts extends Pick<WorkersOptions, 'applied' | 'tunnels' | 'events' | 'hasState'> {
  readonly services: Services;
  readonly configured: ConfiguredSwitch;
}

/**
 * What a process has beyond a single switch, as a node of a cluster, a worker, or the first process of a service with workers.
 * Each method does nothing in a single switch, which loads none of these files.
 */
export class ClusterRole {
  readonly #options: ClusterRoleOptions;
  #mesh: ServiceMesh | undefined;
  #service: ClusterService | undefined;
  #roaming: Roaming | undefined;
  #shared: SharedService | undefined;
  #workers: WorkersService | undefined;

  constructor(options: ClusterRoleOptions) {
    this.#options = options;
  }

  /** Undefined in a single switch. */
  get service(): ClusterService | undefined {
    return this.#service;
  }

  get roaming(): Roaming | undefined {
    return this.#roaming;
  }

  /** The revision of the configuration of the cluster; 0 without one. */
  get revision(): number {
    return this.#shared?.state.revision ?? 0;
  }

  get workers(): WorkersService | undefined {
    return this.#workers;
  }

  /** @throws EtherwsError CLUSTER_STORE_UNUSABLE if the servers of the store refuse */
  async join(services: Services, parts: JoinedParts): Promise<void> {
    const { config, lifetime } = this.#options;
    const { cluster } = config;
    const local = this.#options.localNode ?? (await this.#ownLocalNode());
    if (local !== undefined) {
      this.#service = await this.#joinLocalMesh(local, services, parts);
    } else if (cluster !== undefined) {
      // Loaded on use: the libraries for NATS take 70 ms and some 10 MiB.
      const { joinCluster, openStore } = await import('./open-cluster.ts');
      const opened = await openStore(cluster, config.stateFile, lifetime, parts.logger);
      this.#service = await joinCluster(cluster, { ...parts, config, opened, tunnels: services.tunnels });
    }
    const service = this.#service;
    if (service !== undefined) lifetime.onClose(() => service.close());
  }

  /** Has the networks and the policy of the cluster from now on: before anything of a client is admitted. */
  async share(parts: SharedParts): Promise<void> {
    const { config, lifetime, logger } = this.#options;
    const service = this.#service;
    if (service === undefined) return;
    const { SharedService } = await import('./shared-service.ts');
    const { store, node, streams } = service;
    const shared = new SharedService({
      ...{ ...parts, store, node, streams, logger },
      nodes: () => service.nodes(),
      isOneService: config.cluster === undefined,
      onChange: (listener) => service.onChange(listener),
    });
    lifetime.onClose(() => shared.close());
    await shared.ready();
    this.#shared = shared;
  }

  /** In a cluster clients come from other nodes and go there. */
  async roam(
    configured: ConfiguredSwitch,
    metrics: MetricsService,
    parts: Omit<RoamingParts, 'cluster' | 'redirects' | 'onDraining' | 'lifetime'>,
  ): Promise<Draining | undefined> {
    const { config, lifetime } = this.#options;
    const cluster = this.#service;
    if (cluster === undefined) return undefined;
    const { openRoaming } = await import('./open-roaming.ts');
    const { roaming, draining } = openRoaming({
      ...{ ...parts, cluster, lifetime },
      // Workers have one address, and new clients are spread over them before they say anything.
      redirects: config.cluster !== undefined && config.cluster.redirects !== false,
      onDraining: (isDraining) => {
        metrics.health.phase = isDraining ? 'draining' : 'ready';
      },
    });
    this.#roaming = roaming;
    configured.draining = draining;
    return draining;
  }

  /** Announces this node, once its ports are open. */
  async start(configured: ConfiguredSwitch): Promise<void> {
    const { localNode } = this.#options;
    if (localNode !== undefined) (await import('./workers/local-mesh.ts')).answerCalls(localNode, configured);
    await this.#service?.start();
  }

  /** Prepares the workers of the configuration; they are started by `workers.start()`. */
  async openWorkers({ services, configured, ...parts }: WorkersParts): Promise<void> {
    const { config, lifetime, logger } = this.#options;
    const mesh = this.#mesh;
    const service = this.#service;
    const count = config.workers - 1;
    if (mesh === undefined || service === undefined || count === 0) return;
    // Loaded on use: most switches have no workers.
    const { WorkersService } = await import('./workers/workers-service.ts');
    const workers = new WorkersService(count, {
      ...{ ...parts, config, mesh, logger, own: configured, open: service.streams.openStream },
      networks: () => configured.networks.networks().map(({ name, settings }) => ({ name, settings, place: '' })),
      identity: services.tunnels.identity,
    });
    // Clients of workers dial again at once, and must not reach a process that is about to end, too.
    lifetime.onClose(async () => {
      services.tunnels.listener.stopAccepting();
      await workers.close();
    });
    this.#workers = workers;
    configured.processes = workers.calls;
  }

  /** This process as the first node of the mesh with its workers; undefined without workers. */
  async #ownLocalNode(): Promise<LocalNode | undefined> {
    const { workers, cluster } = this.#options.config;
    if (workers === 1 || cluster !== undefined) return undefined;
    const { ServiceMesh } = await import('./workers/service-mesh.ts');
    this.#mesh = new ServiceMesh();
    return this.#mesh.own();
  }

  async #joinLocalMesh(
    local: LocalNode,
    { tunnels }: Services,
    { etherSwitch, server, loopDelay, mostTunnels, logger }: JoinedParts,
  ): Promise<ClusterService> {
    const { joinLocalMesh } = await import('./workers/local-mesh.ts');
    const { loadOf } = await import('./open-cluster.ts');
    const load = loadOf({ server, loopDelay, mostTunnels });
    return joinLocalMesh(local, { etherSwitch, load, counters: tunnels.counters, logger }, this.#options.lifetime);
  }
}
