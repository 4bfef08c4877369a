import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { accessTokenOf } from '../auth/access-token.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { ClientAuthorities } from '../auth/client-authorities.ts';
import { HashVerifier } from '../auth/hash-verifier.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import { isOpen, type ServiceConfig } from '../config/service-config.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { Admission } from '../control/admission.ts';
import { ControlSocket } from '../control/control-socket.ts';
import { LocalCallers } from '../control/local-callers.ts';
import type { MethodName } from '../control/schema.ts';
import { ControlServer, type ControlServerOptions } from '../control/server.ts';
import { describeError } from '../errors.ts';
import type { EventHub } from '../events/event-hub.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { HttpListener } from '../net/http-listener.ts';
import { peerUserOf } from '../net/peer-user.ts';
import { TrustedProxies } from '../net/trusted-proxies.ts';
import { Switch } from '../networks/switch.ts';
import { RunningSwitch } from '../networks/switch-control.ts';
import { limitInfo } from '../observability/limited-logger.ts';
import type { Logger } from '../observability/logger.ts';
import { DeviceRegister } from '../ports/device/device-register.ts';
import { createPort } from '../ports/registry.ts';
import { BUFFERS, DEFAULT_BUFFERS_BYTES } from '../ports/stream/buffer-budget.ts';
import { requireCongestionControl } from '../ports/stream/congestion-control.ts';
import { chooseAes } from '../ports/stream/tls/aes.ts';
import { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import { OriginRule } from '../ports/tunnel/accept/origin.ts';
import { SwitchInstance } from '../ports/tunnel/switch-instance.ts';
import { Descriptors } from '../runtime/descriptors.ts';
import { MemoryRelief } from '../runtime/memory-relief.ts';
import type { FileOwner } from '../runtime/own-file.ts';
import { openAuthenticators } from './authenticators.ts';
import { openConfiguredPorts } from './configured-ports.ts';
import { IngressPolicies } from './ingress-policies.ts';
import { ServiceIdentity } from './service-identity.ts';
import { tunnelLimits } from './tunnel-limits.ts';

/** The least time between two warnings about full buffers. */
const WARNING_INTERVAL_MS = 60_000;

type Disposal = () => Promise<void> | void;

interface ServiceContext {
  readonly verifier: HashVerifier;
  readonly counters: EndpointCounters;
  readonly logger: Logger;
}

/**
 * The composition root: it constructs the objects of all rooms and connects them.
 * They are closed in reverse order.
 */
export class Daemon {
  readonly #disposals: Disposal[] = [];
  readonly #config: SwConfig;
  readonly #owner: FileOwner | undefined;
  readonly #logger: Logger;
  readonly #proxies: TrustedProxies;
  readonly #descriptors = new Descriptors();
  readonly #reloads: (() => Promise<void>)[] = [];
  #events: EventHub | undefined;
  #closing: Promise<void> | undefined;

  private constructor(config: SwConfig, logger: Logger, owner: FileOwner | undefined) {
    this.#config = config;
    this.#owner = owner;
    this.#proxies = new TrustedProxies(config.trustedProxies);
    this.#logger = logger;
  }

  /**
   * Starts the switch; resolves when all services listen.
   * @param owner the user that the process will change to; default: its present user
   * @throws EtherwsError if a file, an option or an address cannot be used; everything opened before is then closed
   */
  static async start(config: SwConfig, logger: Logger, owner?: FileOwner): Promise<Daemon> {
    const daemon = new Daemon(config, logger, owner);
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
    this.#closing ??= this.#dispose();
    return this.#closing;
  }

  /**
   * Reads certificates, keys and the policy again. Connected clients stay connected. If a
   * file cannot be used, the former contents stay in force, and the error is logged. Users
   * and token keys are followed without a reload. Never rejects.
   * @param first runs before the rest, with the same handling of errors
   */
  async reload(first?: () => void): Promise<void> {
    let failures = 0;
    for (const reload of [async () => first?.(), ...this.#reloads]) {
      try {
        await reload();
      } catch (error) {
        failures++;
        this.#logger.error({ reason: describeError(error) }, 'Cannot reload; what was read before stays in force');
      }
    }
    this.#events?.publish('reload', { failures });
    if (failures === 0) this.#logger.info({}, 'reloaded');
  }

  async #open(): Promise<void> {
    const { tunnels, control, isShared } = this.#config;
    requireCongestionControl(this.#config.congestion);
    const logger = this.#logger;
    logger.debug({ by: chooseAes(this.#config.aes) ?? 'Node' }, 'AES-GCM of tunnels');
    this.#boundBuffers();
    const sharedCa = tunnels.login.clientCaFile ?? control.login.clientCaFile;
    const tunnelIdentity = await this.#identity(tunnels, isShared ? sharedCa : undefined);
    const controlIdentity = isShared ? tunnelIdentity : await this.#identity(control);
    const verifier = new HashVerifier({ logger });
    this.#disposals.push(() => verifier.close());
    const tunnelCounters = new EndpointCounters();
    const controlCounters = new EndpointCounters();
    // Clients without credentials can cause log records of level info, so these are rate-limited.
    const serviceLogger = limitInfo(logger);
    const tunnelContext: ServiceContext = { verifier, logger: serviceLogger, counters: tunnelCounters };
    const controlContext: ServiceContext = { verifier, logger: serviceLogger, counters: controlCounters };
    const tunnelAuthenticator = await this.#authenticator(tunnels, tunnelIdentity, tunnelContext);
    const controlAuthenticator = await this.#authenticator(control, controlIdentity, controlContext);
    this.#warnOfOpenControl();
    const callers = new LocalCallers(this.#config.local.group);

    const identifiesUsers = isShared && this.#knowsCallers;
    const tunnelListener = this.#listener(tunnels, tunnelIdentity, tunnelContext, identifiesUsers);
    const controlListener = this.#controlListener(tunnelListener, controlIdentity, controlContext);

    const etherSwitch = new Switch({
      ageingTimeMs: this.#config.ageingTimeMs,
      fdbCapacity: this.#config.fdbCapacity,
      forwardReserved: this.#config.forwardReserved,
      logger,
    });
    this.#events = etherSwitch.events;
    this.#disposals.push(() => etherSwitch.close('shutdown'));
    const relief = new MemoryRelief();
    this.#disposals.push(() => relief.close());

    const instance = new SwitchInstance();
    const policy = await this.#policy(etherSwitch);
    const { graceMs } = this.#config.limits;

    const tunnelServer = new TunnelServer({
      path: tunnels.path,
      instance,
      authenticator: tunnelAuthenticator,
      origins: new OriginRule({ allowed: this.#config.origins, names: () => tunnelIdentity?.names ?? [] }),
      wire: this.#config.wire,
      congestion: this.#config.congestion,
      onTunnel: (port, user) => {
        const attached = (bridgePort: BridgePort): void => policy?.apply(bridgePort, user);
        etherSwitch.attach(port, { user, attached, dropped: (bridgePort) => policy?.forget(bridgePort) });
      },
      ...(policy === undefined ? {} : { allowanceOf: (user) => policy.allowanceOf(user) }),
      callerOf: (request) => tunnelListener.callerOf(request),
      limits: tunnelLimits(this.#config.limits),
      ...(graceMs === undefined ? {} : { graceMs }),
      counters: tunnelCounters,
      logger: serviceLogger,
    });
    this.#disposals.push(() => tunnelServer.close());
    tunnelListener.route(tunnels.path, tunnelServer);

    const devices = new DeviceRegister();
    const running = new RunningSwitch(
      etherSwitch,
      (spec, signal) => {
        const { wire, congestion } = this.#config;
        return createPort(spec, { logger, devices, wire, congestion, instance, environment: process.env, signal });
      },
      { tunnels: tunnelCounters, control: controlCounters },
    );
    this.#disposals.push(() => running.close());

    const controlOptions = {
      path: control.path,
      authenticator: controlAuthenticator,
      allowedHosts: () => [...(controlIdentity?.names ?? []), ...this.#config.controlNames],
      service: running,
      ...(policy === undefined
        ? {}
        : { mayCall: (user: string | null, method: MethodName) => policy.mayCall(user, method) }),
      counters: controlCounters,
      budget: BUFFERS,
      logger: serviceLogger,
    };
    if (controlListener !== undefined) {
      const admit = (request: IncomingMessage): Promise<Admission> => callers.admit(controlListener.originOf(request));
      const server = new ControlServer({
        ...controlOptions,
        addressOf: (request) => controlListener.callerOf(request).address,
        ...(this.#knowsCallers ? { admit } : {}),
      });
      this.#disposals.push(() => server.close());
      controlListener.route(control.path, server, 'control');
    }

    for (const listener of new Set([tunnelListener, controlListener])) await listener?.listen();
    const socket = await this.#controlSocket(controlOptions, callers);
    await openConfiguredPorts(this.#config.ports, running, logger);
    this.#announce('tunnels', tunnels, tunnelListener);
    if (controlListener !== undefined) this.#announce('control', control, controlListener);
    if (socket !== undefined) this.#logger.info({ service: 'control', socket }, 'listening');
  }

  /** Whether the control API requires no credentials, and admits only certain users of this host. */
  get #knowsCallers(): boolean {
    const { control, local } = this.#config;
    return isOpen(control.login) && !local.isForAnybody;
  }

  #controlListener(
    tunnelListener: HttpListener,
    identity: ServiceIdentity | undefined,
    context: ServiceContext,
  ): HttpListener | undefined {
    const { control, isShared, local } = this.#config;
    if (!local.hasTcp) return undefined;
    return isShared ? tunnelListener : this.#listener(control, identity, context, this.#knowsCallers);
  }

  /** @returns the path of the socket; undefined without one */
  async #controlSocket(options: ControlServerOptions, callers: LocalCallers): Promise<string | undefined> {
    const { socketPath } = this.#config.local;
    if (socketPath === undefined) return undefined;
    const server = new ControlServer({
      ...options,
      addressOf: () => 'local socket',
      // Credentials have precedence over the caller's user.
      admit: (request) =>
        hasCredentials(request) ? undefined : callers.admit({ kind: 'local', uid: peerUserOf(request.socket) }),
    });
    const socket = await ControlSocket.listen({
      path: socketPath,
      owner: this.#owner,
      gid: callers.gid,
      handle: (request, response) => {
        // On this socket every path is that of the control API.
        request.url = options.path;
        server.handleRequest(request, response);
      },
      handleUpgrade: (request, upgraded, head) => {
        request.url = options.path;
        server.handleUpgrade(request, upgraded, head);
      },
    });
    this.#disposals.push(() => socket.close());
    this.#disposals.push(() => server.close());
    return socketPath;
  }

  /** Sets the limit of buffered octets, which is one for the whole process. */
  #boundBuffers(): void {
    BUFFERS.limitBytes = this.#config.limits.buffersBytes ?? DEFAULT_BUFFERS_BYTES;
    let warnedMs = Number.NEGATIVE_INFINITY;
    BUFFERS.onPressure = (heldBytes) => {
      const nowMs = performance.now();
      if (nowMs - warnedMs < WARNING_INTERVAL_MS) return;
      warnedMs = nowMs;
      const { limitBytes } = BUFFERS;
      const words = 'the buffers are nearly full: the tunnels that hold most lose frames or end (--max-buffers)';
      this.#logger.warn({ heldBytes, limitBytes }, words);
    };
  }

  async #policy(etherSwitch: Switch): Promise<IngressPolicies | undefined> {
    const { policyFile } = this.#config;
    if (policyFile === undefined) return undefined;
    const policy = await IngressPolicies.open(policyFile, this.#logger, ({ number }) => {
      etherSwitch
        .detach(number)
        .catch((error: unknown) => this.#logger.error({ error }, 'a tunnel could not be closed'));
    });
    this.#disposals.push(() => policy.close());
    this.#reloads.push(() => policy.reload());
    return policy;
  }

  /** @param sharedCa the client authorities of a listener that two services share */
  async #identity({ tls, login }: ServiceConfig, sharedCa?: string): Promise<ServiceIdentity | undefined> {
    if (tls === undefined) return undefined;
    return ServiceIdentity.read({ ...tls, clientCaFile: sharedCa ?? login.clientCaFile }, this.#logger);
  }

  #listener(
    service: ServiceConfig,
    identity: ServiceIdentity | undefined,
    { counters, logger }: Pick<ServiceContext, 'counters' | 'logger'>,
    identifiesUsers: boolean,
  ): HttpListener {
    const { maxUnproven, maxPerAddress, handshakeTimeoutMs } = this.#config.limits;
    const listener = new HttpListener({
      counters,
      descriptors: this.#descriptors,
      logger,
      identifiesUsers,
      proxies: this.#proxies,
      limits: {
        ...(maxUnproven === undefined ? {} : { maxPending: maxUnproven }),
        ...(maxPerAddress === undefined ? {} : { maxPerAddress }),
        ...(handshakeTimeoutMs === undefined ? {} : { timeoutMs: handshakeTimeoutMs }),
      },
      host: service.host,
      listenPort: service.listenPort,
      ...(identity === undefined ? {} : { tls: identity.options }),
    });
    this.#disposals.push(() => listener.close());
    if (identity !== undefined) {
      this.#reloads.push(async () => {
        await identity.refresh();
        listener.renewTls(identity.options);
      });
    }
    return listener;
  }

  async #authenticator(
    service: ServiceConfig,
    identity: ServiceIdentity | undefined,
    context: ServiceContext,
  ): Promise<Authenticator> {
    const { loginFailures } = this.#config.limits;
    const authenticator = await openAuthenticators(service.login, {
      ...context,
      authorities: () => identity?.authorities ?? new ClientAuthorities([]),
      ...(loginFailures === undefined ? {} : { loginFailures }),
    });
    this.#disposals.push(() => authenticator.close());
    return authenticator;
  }

  #announce(service: string, { path, tls }: ServiceConfig, listener: HttpListener): void {
    const { address, port } = listener.address;
    this.#logger.info({ service, address, port, path, tls: tls !== undefined }, 'listening');
  }

  /** A caller of an open control API can reconfigure the switch, and open devices with the rights of its user. */
  #warnOfOpenControl(): void {
    const { control, local } = this.#config;
    if (!isOpen(control.login) || !local.hasTcp) return;
    const { host } = control;
    if (!isLoopback(host)) {
      this.#logger.warn(
        { host: host ?? 'every address' },
        'the control API listens beyond this host without authentication: every host that reaches it can reconfigure the switch; use --ctlhtpasswd',
      );
    } else if (local.isForAnybody) {
      this.#logger.warn({}, 'every user of this host can reconfigure the switch (--ctl-anybody); use --ctlgroup');
    }
  }

  async #dispose(): Promise<void> {
    for (const dispose of this.#disposals.reverse()) {
      try {
        await dispose();
      } catch (error) {
        this.#logger.error({ error }, 'closing failed');
      }
    }
  }
}

/** Whether a request has credentials in its head. */
function hasCredentials({ headers, url = '' }: IncomingMessage): boolean {
  return headers.authorization !== undefined || accessTokenOf(url) !== undefined;
}

function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
