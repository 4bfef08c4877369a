import type { BridgePort } from '../bridge/bridge-port.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { ProcessStatus } from '../control/status-entries.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { HookRunner } from '../hooks/hook-runner.ts';
import { AutoNetworks } from '../networks/auto-networks.ts';
import { Switch } from '../networks/switch.ts';
import { RunningSwitch } from '../networks/switch-control.ts';
import { limitInfo } from '../observability/limited-logger.ts';
import { type LogRoom, type RoomedLogger, roomOf } from '../observability/log-rooms.ts';
import type { Logger } from '../observability/logger.ts';
import { DeviceRegister } from '../ports/device/device-register.ts';
import { createPort } from '../ports/registry.ts';
import { requireCongestionControl } from '../ports/stream/congestion-control.ts';
import { chooseAes } from '../ports/stream/tls/aes.ts';
import { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import { OriginRule } from '../ports/tunnel/accept/origin.ts';
import { SwitchInstance } from '../ports/tunnel/switch-instance.ts';
import { LoopDelay } from '../runtime/loop-delay.ts';
import { MemoryRelief } from '../runtime/memory-relief.ts';
import type { FileOwner } from '../runtime/own-file.ts';
import { StateFile } from '../runtime/state-file.ts';
import { addressSeed } from './address-seed.ts';
import { limitBuffers, setBufferLimit } from './buffer-limit.ts';
import { Configuration } from './configuration.ts';
import { ConfiguredSwitch } from './configured-switch.ts';
import { ControlApi, warnOfOpenControl } from './control-api.ts';
import { openHooks } from './hooks.ts';
import { IngressPolicies } from './ingress-policies.ts';
import { type AttachTunnel, KeptTunnels } from './kept-tunnels.ts';
import { Lifetime, type Step } from './lifetime.ts';
import { MetricsService } from './metrics-service.ts';
import { NetworkChooser, ownerOf } from './network-choice.ts';
import { withSecrets } from './port-secrets.ts';
import { processStatus } from './process-status.ts';
import { openServices, type Service, type Services } from './services.ts';
import { StatusLine } from './status-line.ts';
import { LIMITS_OF_TUNNELS, tunnelLimits } from './tunnel-limits.ts';

export interface DaemonOptions {
  /** the user that the process will change to; default: its present user */
  readonly owner?: FileOwner | undefined;
  /** Opens the log file again, for each reload before all else; see LogFile.reopen. */
  readonly reopenLog?: () => void;
  /** the configuration file, and the function that reads it again */
  readonly file?: { readonly path: string; read(): Promise<SwConfig> } | undefined;
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
    { owner, file, reopenLog }: DaemonOptions,
  ) {
    this.#config = config;
    this.#file = file;
    this.#owner = owner;
    this.#logger = logger;
    this.#lifetime = new Lifetime(logger);
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
   */
  async reload(): Promise<void> {
    await this.#reload([() => this.#configuration?.hangup()], 0);
  }

  /**
   * @param last run after the registered steps
   * @param failedBefore the number of failures so far
   * @returns the reasons of the failures
   */
  async #reload(last: readonly Step[], failedBefore: number): Promise<readonly string[]> {
    const failures = await this.#lifetime.reload(last);
    const all = failures.length + failedBefore;
    this.#events?.publish('reload', { failures: all });
    if (all === 0) this.#logger.info({}, 'reloaded');
    return failures;
  }

  /** Writes the state file as the process's current user. @throws EtherwsError FILE_UNWRITABLE */
  async keepState(): Promise<void> {
    await this.#state?.write();
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
    // Clients without credentials can cause log records of level info, so these are rate-limited.
    const limited = (room: LogRoom): Logger => limitInfo(roomOf(logger, room));
    const serviceLoggers = { own: roomOf(logger, 'services'), service: limited('services') };
    const services = await openServices(config, lifetime, serviceLoggers);

    const { ageingTimeMs, fdbCapacity, forwardReserved } = config;
    const etherSwitch = new Switch({
      ...{ ageingTimeMs, fdbCapacity, forwardReserved },
      addressSeed: addressSeed(config),
      logger: roomOf(logger, 'switch'),
    });
    if (logger.rooms !== undefined) logger.rooms.onChange = () => etherSwitch.logLevelChanged();
    lifetime.live.on(['ageout', 'fdb-size'], (changed) => etherSwitch.setFdbLimits(changed));
    this.#events = etherSwitch.events;
    // Registered before the switch, and so closed after it: the ends of tunnels are events, too.
    this.#hooks = openHooks(config, etherSwitch.events, lifetime, logger);
    lifetime.onClose(() => etherSwitch.close(this.#state === undefined ? 'shutdown' : 'restart'));
    const loopDelay = new LoopDelay();
    lifetime.onClose(() => loopDelay.close());
    const relief = new MemoryRelief();
    lifetime.onClose(() => relief.close());

    const instance = new SwitchInstance();
    const policy = await this.#policy(etherSwitch);
    const autos = new AutoNetworks(etherSwitch, config.mostAutoNetworks);
    lifetime.live.on(['auto-net'], (changed) => autos.setMost(changed.mostAutoNetworks));
    const attach: AttachTunnel = (port, user, { network, address }, options = {}) => {
      autos.ensure(network, ownerOf(user, address));
      const attached = (bridgePort: BridgePort): void => policy?.apply(bridgePort, user, network);
      const dropped = (bridgePort: BridgePort): void => policy?.forget(bridgePort);
      return etherSwitch.attach(port, { ...options, network, user, attached, dropped });
    };
    const networks = new NetworkChooser(etherSwitch, autos, (user) => policy?.networksOf(user));
    const parts = { attach, networks, instance, policy, logger: limited('tunnels') };
    const server = this.#acceptTunnels(services.tunnels, parts);
    let { limits } = config;
    lifetime.live.on(LIMITS_OF_TUNNELS, (changed) => {
      limits = changed.limits;
    });
    const tellStatus = processStatus({
      config,
      services,
      limits: () => limits,
      tunnels: () => server.connections,
      eventLoop: () => loopDelay.recent(),
      configuration: () => ({ file: this.#file?.path ?? null, deviations: this.#configuration?.deviations() ?? [] }),
    });
    const running = this.#control(etherSwitch, services, instance, tellStatus);
    const metrics = new MetricsService(config, services, { etherSwitch, loopDelay, logger: limited('control') });
    this.#metrics = metrics;
    const configured = await this.#configured(running);
    etherSwitch.reserveNumbers(configured.lastNumber);
    configured.openNetworks(config.networks, config.ports);
    const kept =
      this.#state && new KeptTunnels({ state: this.#state, server, etherSwitch, attach, logger, ports: config.ports });
    this.#kept = kept;
    kept?.restore();
    const api = new ControlApi(config, lifetime, services.control, {
      running: configured,
      policy,
      logger: limited('control'),
    });
    api.serveTcp(services.control, (access) => metrics.pagesFor(access));

    for (const listener of new Set([services.tunnels.listener, services.control.listener])) await listener?.listen();
    warnOfOpenControl(config, services.control, logger);
    const socket = await api.serveSocket(this.#owner, (access) => metrics.pagesFor(access));
    await metrics.listen();
    await this.#openPorts(configured);
    const places = [this.#announce('tunnels', services.tunnels), this.#announce('control', services.control)];
    if (socket !== undefined) logger.info({ service: 'control', socket }, 'listening');
    const status = new StatusLine(etherSwitch, [
      ...places.flat(),
      ...(socket === undefined ? [] : [`control on ${socket}`]),
    ]);
    this.#status = status;
    lifetime.onClose(() => status.close());
    // Closed first: a client that dials again after close code 1012 must reach the new process, and not this one.
    lifetime.onClose(async () => {
      if (kept !== undefined) services.tunnels.listener.stopAccepting();
      await kept?.close();
    });
    metrics.health.phase = 'ready';
    lifetime.onClose(() => {
      metrics.health.phase = 'stopping';
    });
  }

  #acceptTunnels(
    { listener, identity, authenticator, counters }: Services['tunnels'],
    parts: {
      readonly attach: AttachTunnel;
      readonly networks: NetworkChooser;
      readonly instance: SwitchInstance;
      readonly policy: IngressPolicies | undefined;
      readonly logger: Logger;
    },
  ): TunnelServer {
    const { attach, networks, instance, policy, logger } = parts;
    const { wire, congestion, origins, limits, tunnels } = this.#config;
    const server = new TunnelServer({
      path: tunnels.path,
      instance,
      authenticator,
      origins: new OriginRule({ allowed: origins, names: () => identity?.names ?? [] }),
      wire,
      congestion,
      chooseNetwork: (asked, applicant) => networks.choose(asked, applicant),
      onTunnel: (port, user, facts) => {
        const number = attach(port, user, facts);
        this.#kept?.note(port, number);
      },
      ...(policy === undefined ? {} : { allowanceOf: (user) => policy.allowanceOf(user) }),
      callerOf: (request) => listener.callerOf(request),
      limits: tunnelLimits(limits),
      ...(limits.graceMs === undefined ? {} : { graceMs: limits.graceMs }),
      counters,
      logger,
    });
    this.#lifetime.live.on(LIMITS_OF_TUNNELS, (changed) =>
      server.setLimits(tunnelLimits(changed.limits), changed.limits.graceMs),
    );
    this.#lifetime.onClose(() => server.close());
    listener.route(tunnels.path, server);
    listener.routeBelow(tunnels.path, server);
    return server;
  }

  #control(
    etherSwitch: Switch,
    { tunnels, control }: Services,
    instance: SwitchInstance,
    tellStatus: () => ProcessStatus,
  ): RunningSwitch {
    const { wire, congestion } = this.#config;
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
    );
    this.#lifetime.onClose(() => running.close());
    return running;
  }

  async #configured(running: RunningSwitch): Promise<ConfiguredSwitch> {
    const { stateFile } = this.#config;
    const logger = this.#logger;
    if (stateFile !== undefined) {
      const state = await StateFile.open(stateFile, { owner: this.#owner, logger });
      this.#lifetime.onClose(() => state.close());
      this.#state = state;
    }
    return new ConfiguredSwitch({
      ...{ running, logger, state: this.#state },
      hasFile: this.#file !== undefined,
      logLevels: this.#logger.rooms,
    });
  }

  async #openPorts(configured: ConfiguredSwitch): Promise<void> {
    const wanted: WantedPort[] = [];
    for (const port of this.#config.ports) wanted.push(await withSecrets(port, this.#logger));
    await configured.open(wanted);
    const { live } = this.#lifetime;
    const rereadOthers = (failed: number): Promise<readonly string[]> => this.#reload([], failed);
    const parts = { config: this.#config, file: this.#file, ports: configured, live, rereadOthers };
    const configuration = new Configuration({ ...parts, logger: this.#logger }, wanted);
    configured.configuration = configuration;
    this.#configuration = configuration;
  }

  async #policy(etherSwitch: Switch): Promise<IngressPolicies | undefined> {
    const { policyFile } = this.#config;
    if (policyFile === undefined) return undefined;
    const policy = await IngressPolicies.open(policyFile, this.#logger, ({ number }) => {
      etherSwitch
        .detach(number)
        .catch((error: unknown) => this.#logger.error({ error }, 'a tunnel could not be closed'));
    });
    this.#lifetime.onClose(() => policy.close());
    this.#lifetime.onReload(() => policy.reload());
    return policy;
  }

  /** @returns a phrase such as `tunnels on [::]:443`; none for a service without a listener */
  #announce(service: string, { config: { path, tls }, listener }: Service): string[] {
    if (listener === undefined) return [];
    const { address, port } = listener.address;
    this.#logger.info({ service, address, port, path, tls: tls !== undefined }, 'listening');
    return [`${service} on ${address.includes(':') ? `[${address}]` : address}:${port}`];
  }
}
