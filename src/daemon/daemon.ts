import type { SwConfig } from '../config/sw-config.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { ProcessStatus } from '../control/status-entries.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { HookRunner } from '../hooks/hook-runner.ts';
import type { HttpListener } from '../net/http-listener.ts';
import { Switch } from '../networks/switch.ts';
import { RunningSwitch } from '../networks/switch-control.ts';
import { limitInfo, limitLevel } from '../observability/limited-logger.ts';
import { type LogRoom, type RoomedLogger, roomOf } from '../observability/log-rooms.ts';
import type { Logger } from '../observability/logger.ts';
import { DeviceRegister } from '../ports/device/device-register.ts';
import { createPort } from '../ports/registry.ts';
import { requireCongestionControl } from '../ports/stream/congestion-control.ts';
import { DEFAULT_LIMITS } from '../ports/stream/limits.ts';
import { chooseAes } from '../ports/stream/tls/aes.ts';
import type { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import { DEFAULT_GRACE_MS } from '../ports/tunnel/accept/kept-ports.ts';
import { SwitchInstance } from '../ports/tunnel/switch-instance.ts';
import { LoopDelay } from '../runtime/loop-delay.ts';
import { MemoryRelief } from '../runtime/memory-relief.ts';
import type { FileOwner } from '../runtime/own-file.ts';
import { StateFile } from '../runtime/state-file.ts';
import { VendorTable } from '../runtime/vendors/vendor-table.ts';
import { acceptTunnels } from './accept-tunnels.ts';
import { addressSeed } from './address-seed.ts';
import { limitBuffers, setBufferLimit } from './buffer-limit.ts';
import { ClusterRole } from './cluster-role.ts';
import { Configuration } from './configuration.ts';
import { ConfiguredSwitch } from './configured-switch.ts';
import { ControlApi, warnOfOpenControl } from './control-api.ts';
import { openHooks } from './hooks.ts';
import { BINDINGS, KeptBindings } from './kept-bindings.ts';
import { KeptTunnels } from './kept-tunnels.ts';
import { Lifetime, type Step } from './lifetime.ts';
import { MetricsService } from './metrics-service.ts';
import { openPolicy } from './open-policy.ts';
import { withSecrets } from './port-secrets.ts';
import { processStatus } from './process-status.ts';
import { openServices, type Service, type Services } from './services.ts';
import { StatusLine } from './status-line.ts';
import { SwitchHealth } from './switch-health.ts';
import { LIMITS_OF_TUNNELS } from './tunnel-limits.ts';
import type { LocalNode } from './workers/local-mesh.ts';

/** How long the handing over of clients may take before a node of a cluster stops. */
const MOST_DRAIN_MS = 5000;
const NAME_TAKEN = 'another node of the cluster has the name of this one';

export interface DaemonOptions {
  /** the user that the process will change to; default: its present user */
  readonly owner?: FileOwner | undefined;
  /** Opens the log file again, for each reload before all else; see LogFile.reopen. */
  readonly reopenLog?: () => void;
  /** the configuration file, and the function that reads it again */
  readonly file?: { readonly path: string; read(): Promise<SwConfig> } | undefined;
  /** Port numbers are above this one. Default 0. */
  readonly firstNumber?: number;
  /** This process is a worker: what makes it a node of the mesh of its service. */
  readonly localNode?: LocalNode;
}

/**
 * The composition root: it constructs the objects of all rooms and connects them.
 * They are closed in reverse order.
 */
export class Daemon {
  readonly #config: SwConfig;
  readonly #owner: FileOwner | undefined;
  readonly #logger: Logger & Partial<RoomedLogger>;
  readonly #lifetime: Lifetime;
  readonly #file: DaemonOptions['file'];
  readonly #firstNumber: number;
  readonly #role: ClusterRole;
  #sharedTunnels: Daemon['sharedTunnels'] | undefined;
  #configuration: Configuration | undefined;
  #state: StateFile | undefined;
  #events: EventHub | undefined;
  #hooks: HookRunner | undefined;
  #status: StatusLine | undefined;
  #kept: KeptTunnels | undefined;
  #metrics: MetricsService | undefined;

  private constructor(
    config: SwConfig,
    logger: Logger & Partial<RoomedLogger>,
    { owner, file, reopenLog, firstNumber = 0, localNode }: DaemonOptions,
  ) {
    this.#config = config;
    this.#file = file;
    this.#firstNumber = firstNumber;
    this.#owner = owner;
    this.#logger = logger;
    this.#lifetime = new Lifetime(logger);
    this.#role = new ClusterRole({ config, localNode, lifetime: this.#lifetime, logger });
    if (reopenLog !== undefined) this.#lifetime.onReload(reopenLog);
  }

  /**
   * Starts the switch; resolves when all services listen.
   * @throws EtherwsError if a file, an option or an address cannot be used; everything opened before is then closed
   */
  static async start(
    config: SwConfig,
    logger: Logger & Partial<RoomedLogger>,
    options: DaemonOptions = {},
  ): Promise<Daemon> {
    const daemon = new Daemon(config, logger, options);
    try {
      await daemon.#open();
    } catch (error) {
      await daemon.close();
      throw error;
    }
    return daemon;
  }

  /** Ends tunnels with close code 1001, removes devices, stops listening. Idempotent. */
  close(): Promise<void> {
    return this.#lifetime.close();
  }

  /**
   * Reads the configuration file, certificates, keys and the policy again. Connected clients stay connected. If a
   * file cannot be used, the former contents stay in force, and the error is logged. Users
   * and token keys are followed without a reload. Never rejects.
   * @returns the reasons of failures
   */
  async reload(): Promise<readonly string[]> {
    return await this.#reload([() => this.#configuration?.hangup()], 0);
  }

  /**
   * @param last run after the registered steps
   * @param failedBefore the number of failures so far
   * @returns the reasons of the failures
   */
  async #reload(last: readonly Step[], failedBefore: number): Promise<readonly string[]> {
    const failures = [...(await this.#lifetime.reload(last)), ...((await this.#role.workers?.reload()) ?? [])];
    const all = failures.length + failedBefore;
    this.#events?.publish('reload', { failures: all });
    if (all === 0) this.#logger.info({}, 'reloaded');
    return failures;
  }

  /** Writes the state file as the process's current user. @throws EtherwsError FILE_UNWRITABLE */
  async keepState(): Promise<void> {
    await this.#state?.write();
  }

  /**
   * Starts the workers of the configuration, as the process's current user; resolves when they take connections.
   * @throws EtherwsError the reason why one cannot be started
   */
  async startWorkers(): Promise<void> {
    await this.#role.workers?.start();
  }

  /** What accepts tunnels, for a process that shares them with others. */
  get sharedTunnels(): { readonly server: TunnelServer; readonly listener: HttpListener } {
    if (this.#sharedTunnels === undefined) throw new TypeError('the daemon is not open');
    return this.#sharedTunnels;
  }

  /** Runs programs on events from now on, as the process's current user; also for the events of the start. */
  startHooks(): void {
    this.#hooks?.start();
  }

  /** Calls `tell` with one line of ports, tunnels and addresses of services, now and after each change. */
  followStatus(tell: (line: string) => void): void {
    this.#status?.follow(tell);
  }

  async #open(): Promise<void> {
    const config = this.#config;
    const logger = this.#logger;
    const lifetime = this.#lifetime;
    // Closed last, so that `/readyz` says "stopping" until the end.
    lifetime.onClose(() => this.#metrics?.close());
    requireCongestionControl(config.congestion);
    logger.debug({ by: chooseAes(config.aes) ?? 'Node' }, 'AES-GCM of tunnels');
    limitBuffers(config.limits.buffersBytes, logger);
    lifetime.live.on(['limits.max-buffers'], ({ limits }) => setBufferLimit(limits.buffersBytes));
    // Clients can cause log records of these levels, so these are rate-limited.
    const limited = (room: LogRoom): Logger => limitLevel(limitInfo(roomOf(logger, room)), 'warn');
    const serviceLoggers = { own: roomOf(logger, 'services'), service: limited('services') };
    const services = await openServices(config, lifetime, serviceLoggers);

    const { ageingTimeMs, fdbCapacity, forwardReserved } = config;
    const etherSwitch = new Switch({
      ...{ ageingTimeMs, fdbCapacity, forwardReserved },
      addressSeed: addressSeed(config),
      logger: roomOf(logger, 'switch'),
    });
    if (logger.rooms !== undefined) {
      logger.rooms.onChange = () => {
        etherSwitch.logLevelChanged();
        this.#role.workers?.levelsChanged();
      };
    }
    lifetime.live.on(['ageout', 'fdb-size'], (changed) => etherSwitch.setFdbLimits(changed));
    this.#events = etherSwitch.events;
    // Registered before the switch, and so closed after it: the ends of tunnels are events, too.
    this.#hooks = openHooks(config, etherSwitch.events, lifetime, logger);
    // Other nodes of a cluster take its clients; a service with workers ends as a whole.
    const isSoonBack = (): boolean => this.#state !== undefined || config.cluster !== undefined;
    lifetime.onClose(() => etherSwitch.close(isSoonBack() ? 'restart' : 'shutdown'));
    const loopDelay = new LoopDelay();
    lifetime.onClose(() => loopDelay.close());
    const relief = new MemoryRelief();
    lifetime.onClose(() => relief.close());

    const instance = new SwitchInstance();
    const { policy, shared } = await openPolicy(config, etherSwitch, lifetime, logger);
    const { server, attach } = acceptTunnels({
      ...{ config, lifetime, service: services.tunnels, etherSwitch, instance, policy },
      roaming: () => this.#role.roaming,
      accepted: (port, number) => this.#kept?.note(port, number),
      logger: limited('tunnels'),
    });
    this.#sharedTunnels = { server, listener: services.tunnels.listener };
    let { limits } = config;
    lifetime.live.on(LIMITS_OF_TUNNELS, (changed) => {
      limits = changed.limits;
    });
    const role = this.#role;
    await role.join(services, {
      ...{ etherSwitch, server, loopDelay },
      mostTunnels: () => limits.maxTunnels ?? DEFAULT_LIMITS.maxConnections,
      logger: limited('tunnels'),
    });
    const cluster = role.service;
    const tellStatus = processStatus({
      ...(cluster && { cluster: () => ({ ...cluster.status(), revision: role.revision }) }),
      config,
      services,
      limits: () => limits,
      tunnels: () => server.connections,
      eventLoop: () => loopDelay.recent(),
      configuration: () => ({ file: this.#file?.path ?? null, deviations: this.#configuration?.deviations() ?? [] }),
    });
    const running = this.#control(etherSwitch, services, instance, tellStatus);
    const metrics = new MetricsService(config, services, {
      ...{ etherSwitch, loopDelay, logger: limited('control') },
      cluster: cluster === undefined ? undefined : () => cluster.status(),
    });
    metrics.health.fault = () => (cluster?.isNameTaken === true ? NAME_TAKEN : undefined);
    this.#metrics = metrics;
    const configured = await this.#configured(running, services);
    const bindings = this.#state && new KeptBindings(this.#state, etherSwitch);
    etherSwitch.reserveNumbers(Math.max(configured.lastNumber, this.#firstNumber));
    configured.openNetworks(config.networks, config.ports);
    await role.share({ ...{ configured, policies: policy }, source: shared, state: this.#state });
    const draining = await role.roam(configured, metrics, {
      ...{ server, etherSwitch, attach, policy, logger: limited('tunnels') },
      graceMs: () => limits.graceMs ?? DEFAULT_GRACE_MS,
    });
    const keeping = { server, etherSwitch, attach, logger, ports: config.ports, roaming: role.roaming };
    const kept = this.#state && new KeptTunnels({ state: this.#state, ...keeping });
    this.#kept = kept;
    kept?.restore();
    const api = new ControlApi(config, lifetime, services.control, {
      running: configured,
      policy,
      logger: limited('control'),
    });
    api.serveTcp(services.control, (access) => metrics.pagesFor(access));

    for (const listener of new Set([services.tunnels.listener, services.control.listener])) await listener?.listen();
    etherSwitch.controlAddress = services.control.listener?.address.address;
    warnOfOpenControl(config, services.control, logger);
    const socket = await api.serveSocket(this.#owner, (access) => metrics.pagesFor(access));
    await metrics.listen();
    await this.#openPorts(configured);
    await role.start(configured);
    bindings?.started();
    const places = [this.#announce('tunnels', services.tunnels), this.#announce('control', services.control)];
    if (socket !== undefined) logger.info({ service: 'control', socket }, 'listening');
    const status = new StatusLine(etherSwitch, [
      ...places.flat(),
      ...(socket === undefined ? [] : [`control on ${socket}`]),
    ]);
    this.#status = status;
    lifetime.onClose(() => status.close());
    lifetime.onClose(() => kept?.close());
    lifetime.onClose(() => bindings?.close());
    // Closed first: a client that dials again after close code 1012 must reach the new process, and not this one.
    lifetime.onClose(() => {
      if (kept !== undefined) services.tunnels.listener.stopAccepting();
    });
    await role.openWorkers({
      ...{ services, configured, tunnels: this.sharedTunnels, events: etherSwitch.events },
      hasState: this.#state !== undefined,
      applied: () => this.#configuration?.applied ?? config,
    });
    metrics.health.phase = 'ready';
    lifetime.onClose(() => {
      metrics.health.phase = 'stopping';
    });
    // First of all, while this node still accepts clients that it sends on.
    if (draining !== undefined) lifetime.onClose(() => draining.finish(MOST_DRAIN_MS));
  }

  #control(
    etherSwitch: Switch,
    { tunnels, control }: Services,
    instance: SwitchInstance,
    tellStatus: () => ProcessStatus,
  ): RunningSwitch {
    const { wire, congestion, ouiFile } = this.#config;
    const logger = roomOf(this.#logger, 'ports');
    const devices = new DeviceRegister();
    const running = new RunningSwitch(
      etherSwitch,
      (spec, signal) =>
        createPort(spec, {
          ...{ logger, devices, wire, congestion, signal },
          instance: spec.network === undefined ? instance : instance.of(spec.network),
          environment: process.env,
        }),
      { tunnels: tunnels.counters, control: control.counters },
      tellStatus,
      new VendorTable(ouiFile, this.#logger),
    );
    this.#lifetime.onClose(() => running.close());
    return running;
  }

  async #configured(running: RunningSwitch, services: Services): Promise<ConfiguredSwitch> {
    const { stateFile } = this.#config;
    const logger = this.#logger;
    if (stateFile !== undefined) {
      const state = await StateFile.open(stateFile, { owner: this.#owner, logger, spare: [BINDINGS] });
      this.#lifetime.onClose(() => state.close());
      this.#state = state;
    }
    return new ConfiguredSwitch({
      ...{ running, logger, state: this.#state },
      hasFile: this.#file !== undefined,
      logLevels: this.#logger.rooms,
      health: new SwitchHealth(services, () => running.getStatus()),
    });
  }

  async #openPorts(configured: ConfiguredSwitch): Promise<void> {
    const wanted: WantedPort[] = [];
    for (const port of this.#config.ports) wanted.push(await withSecrets(port, this.#logger));
    await configured.open(wanted);
    const { live } = this.#lifetime;
    const rereadOthers = (failed: number): Promise<readonly string[]> => this.#reload([], failed);
    const parts = { config: this.#config, file: this.#file, configured, live, rereadOthers };
    const configuration = new Configuration({ ...parts, logger: this.#logger }, wanted);
    configured.configuration = configuration;
    this.#configuration = configuration;
  }

  /** @returns a phrase such as `tunnels on [::]:443`; none for a service without a listener */
  #announce(service: string, { config: { path, tls }, listener }: Service): string[] {
    if (listener === undefined) return [];
    const { address, port } = listener.address;
    this.#logger.info({ service, address, port, path, tls: tls !== undefined }, 'listening');
    return [`${service} on ${address.includes(':') ? `[${address}]` : address}:${port}`];
  }
}
