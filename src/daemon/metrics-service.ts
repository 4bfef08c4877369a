import type { IncomingMessage } from 'node:http';
import type { SwConfig } from '../config/sw-config.ts';
import type { ReadAccess } from '../control/read-access.ts';
import { Health } from '../metrics/health.ts';
import { MetricsServer } from '../metrics/metrics-server.ts';
import { familiesOf, type Measured } from '../metrics/switch-families.ts';
import { isAllowedHost } from '../net/allowed-host.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { HttpListener } from '../net/http-listener.ts';
import type { Refusal } from '../net/http-refusal.ts';
import type { Route } from '../net/route-table.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import { BUFFERS } from '../ports/stream/buffer-budget.ts';
import { Descriptors } from '../runtime/descriptors.ts';
import type { LoopDelay } from '../runtime/loop-delay.ts';
import { readVersion } from '../runtime/version.ts';
import { isLoopback } from './control-api.ts';
import type { Service, Services } from './services.ts';

const METRICS_PATH = '/metrics';

/** The pages of metrics and health: beside the control API, and on a separate listener (`--metrics-listen`). */
export class MetricsService {
  readonly health: Health = new Health();
  readonly #families: () => ReturnType<typeof familiesOf>;
  readonly #config: SwConfig;
  readonly #logger: Logger;
  readonly #counters = new EndpointCounters();
  readonly #descriptors = new Descriptors();
  #listener: HttpListener | undefined;

  /** @param logger of services: records of level info are rate-limited */
  constructor(
    config: SwConfig,
    { tunnels, control }: Services,
    parts: {
      readonly etherSwitch: Switch;
      readonly loopDelay: LoopDelay;
      readonly logger: Logger;
      readonly cluster?: Measured['cluster'];
    },
  ) {
    this.#config = config;
    this.#logger = parts.logger;
    const services = [measured('tunnels', tunnels), measured('control', control)];
    if (config.metricsListen !== undefined) {
      services.push({ name: 'metrics', counters: this.#counters, certificateEndsMs: undefined });
    }
    const { limit } = this.#descriptors;
    const process = { version: readVersion(), loopDelay: parts.loopDelay, descriptorLimit: limit };
    const { etherSwitch, cluster } = parts;
    this.#families = () => familiesOf({ etherSwitch, cluster, services, process, buffers: BUFFERS });
  }

  /** The pages beside the control API; metrics need the right to call `listPort`. */
  pagesFor(access: ReadAccess): ReadonlyMap<string, Route> {
    return this.#pages((request) => access.refusalOf(request, 'listPort'));
  }

  /**
   * Opens the listener of `--metrics-listen`, if given.
   * @throws EtherwsError LISTEN_FAILED
   */
  async listen(): Promise<void> {
    const { metricsListen, controlNames } = this.#config;
    if (metricsListen === undefined) return;
    const { host, listenPort } = metricsListen;
    const isLocal = isLoopback(host);
    const [counters, descriptors, logger] = [this.#counters, this.#descriptors, this.#logger];
    const listener = new HttpListener({ host, listenPort, counters, descriptors, logger });
    this.#listener = listener;
    // On another address than the loopback all clients may read it. On the loopback `Host` is checked (DNS rebinding).
    const refusalOf = async (request: IncomingMessage): Promise<Refusal | undefined> =>
      isLocal && !isAllowedHost(request.headers.host, controlNames) ? FOREIGN_HOST : undefined;
    for (const [path, route] of this.#pages(refusalOf)) listener.route(path, route, 'control');
    await listener.listen();
    const { address, port } = listener.address;
    logger.info({ service: 'metrics', address, port, path: METRICS_PATH, tls: false }, 'listening');
    if (!isLocal) {
      logger.warn(
        { host: host ?? 'every address' },
        'metrics are served beyond this host without authentication: every host that reaches it can read names of ports, peers and users; use /metrics of the control API',
      );
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #pages(refusalOf: (request: IncomingMessage) => Promise<Refusal | undefined>): ReadonlyMap<string, Route> {
    const addressOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? 'local socket';
    const metrics = new MetricsServer({ families: this.#families, refusalOf, addressOf, logger: this.#logger });
    return new Map<string, Route>([
      [METRICS_PATH, metrics],
      ['/healthz', this.health.live],
      ['/readyz', this.health.ready],
    ]);
  }
}

const FOREIGN_HOST: Refusal = {
  status: 403,
  text: 'The Host of the request is not a name of this switch. Use an address or localhost, or start it with --ctlname NAME.\n',
};

function measured(name: string, { counters, identity }: Service) {
  return { name, counters, certificateEndsMs: identity === undefined ? undefined : () => identity.notAfterMs };
}
