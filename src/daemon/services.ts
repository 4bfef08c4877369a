import type { Authenticator } from '../auth/authenticator.ts';
import { ClientAuthorities } from '../auth/client-authorities.ts';
import { HashVerifier } from '../auth/hash-verifier.ts';
import { isOpen, type ServiceConfig } from '../config/service-config.ts';
import type { SwConfig } from '../config/sw-config.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { HttpListener } from '../net/http-listener.ts';
import type { PendingLimits } from '../net/pending-connections.ts';
import { TrustedProxies } from '../net/trusted-proxies.ts';
import type { Logger } from '../observability/logger.ts';
import { Descriptors } from '../runtime/descriptors.ts';
import { openAuthenticators } from './authenticators.ts';
import type { Lifetime } from './lifetime.ts';
import { ServiceIdentity } from './service-identity.ts';

/** One of the two services, with its listener, its certificate and its credentials. */
export interface Service {
  readonly config: ServiceConfig;
  /** key and certificate of TLS; undefined without TLS */
  readonly identity: ServiceIdentity | undefined;
  readonly authenticator: Authenticator;
  readonly counters: EndpointCounters;
  /** undefined: the control API without TCP (`--no-ctl-tcp`) */
  readonly listener: HttpListener | undefined;
}

export interface Services {
  readonly tunnels: Service & { readonly listener: HttpListener };
  readonly control: Service;
}

/** Whether the control API without credentials admits only certain users of this host. */
export function knowsCallers({ control, local }: SwConfig): boolean {
  return isOpen(control.login) && !local.isForAnybody;
}

/**
 * Whether the listener of the control API finds out which users of this host its connections are of: for admission, and for
 * sessions of the console. For these alone not where tunnels come, too, since it takes time for each of them.
 */
function identifiesUsers(config: SwConfig): boolean {
  return knowsCallers(config) || (config.hasConsole && !config.isShared);
}

/**
 * Opens the certificates, credentials and listeners of both services. Nothing listens yet.
 * @param loggers `service`: records of level info are rate-limited, since clients without credentials can cause them
 * @throws EtherwsError if a file cannot be used
 */
export async function openServices(
  config: SwConfig,
  lifetime: Lifetime,
  loggers: { readonly own: Logger; readonly service: Logger },
): Promise<Services> {
  const { isShared, local } = config;
  const sharedCa = isShared ? (config.tunnels.login.clientCaFile ?? config.control.login.clientCaFile) : undefined;
  const opener = new ServiceOpener(config, lifetime, loggers);
  const tunnelIdentity = await opener.readIdentity(config.tunnels, sharedCa);
  const controlIdentity = isShared ? tunnelIdentity : await opener.readIdentity(config.control);
  const tunnels = await opener.open(config.tunnels, tunnelIdentity);
  const control = await opener.open(config.control, controlIdentity);
  const listener = opener.makeListener(tunnels, isShared && identifiesUsers(config));
  if (!local.hasTcp) return { tunnels: { ...tunnels, listener }, control: { ...control, listener: undefined } };
  const controlListener = isShared ? listener : opener.makeListener(control, identifiesUsers(config));
  return { tunnels: { ...tunnels, listener }, control: { ...control, listener: controlListener } };
}

class ServiceOpener {
  readonly #limits: SwConfig['limits'];
  readonly #lifetime: Lifetime;
  readonly #loggers: { readonly own: Logger; readonly service: Logger };
  readonly #verifier: HashVerifier;
  readonly #proxies: TrustedProxies;
  /** One budget for both services, since descriptors belong to the process. */
  readonly #descriptors = new Descriptors();

  constructor(config: SwConfig, lifetime: Lifetime, loggers: { readonly own: Logger; readonly service: Logger }) {
    this.#limits = config.limits;
    this.#lifetime = lifetime;
    this.#loggers = loggers;
    this.#proxies = new TrustedProxies(config.trustedProxies);
    lifetime.live.on(['limits.trusted-proxies'], ({ trustedProxies }) => this.#proxies.replace(trustedProxies));
    this.#verifier = new HashVerifier({ logger: loggers.own });
    lifetime.onClose(() => this.#verifier.close());
  }

  /** @param sharedCa the client authorities of a listener that two services share */
  async readIdentity({ tls, login }: ServiceConfig, sharedCa?: string): Promise<ServiceIdentity | undefined> {
    if (tls === undefined) return undefined;
    return await ServiceIdentity.read({ ...tls, clientCaFile: sharedCa ?? login.clientCaFile }, this.#loggers.own);
  }

  async open(config: ServiceConfig, identity: ServiceIdentity | undefined): Promise<Omit<Service, 'listener'>> {
    const { loginFailures } = this.#limits;
    const counters = new EndpointCounters();
    const authenticator = await openAuthenticators(config.login, {
      verifier: this.#verifier,
      logger: this.#loggers.service,
      counters,
      authorities: () => identity?.authorities ?? new ClientAuthorities([]),
      ...(loginFailures === undefined ? {} : { loginFailures }),
    });
    this.#lifetime.onClose(() => authenticator.close());
    return { config, identity, authenticator, counters };
  }

  makeListener({ config, identity, counters }: Omit<Service, 'listener'>, identifiesUsers: boolean): HttpListener {
    const listener = new HttpListener({
      counters,
      descriptors: this.#descriptors,
      logger: this.#loggers.service,
      identifiesUsers,
      proxies: this.#proxies,
      limits: pendingLimits(this.#limits),
      host: config.host,
      listenPort: config.listenPort,
      descriptor: config.descriptor,
      handed: config.handed,
      ...(identity === undefined ? {} : { tls: identity.options }),
    });
    this.#lifetime.live.on(
      ['limits.max-unproven', 'limits.max-per-address', 'limits.handshake-timeout'],
      ({ limits }) => listener.setLimits(pendingLimits(limits)),
    );
    this.#lifetime.onClose(() => listener.close());
    if (identity !== undefined) {
      this.#lifetime.onReload(async () => {
        await identity.refresh();
        listener.renewTls(identity.options);
      });
    }
    return listener;
  }
}

/** The limits of connections without credentials; those that are not configured have the default of the listener. */
function pendingLimits({ maxUnproven, maxPerAddress, handshakeTimeoutMs }: SwConfig['limits']): PendingLimits {
  return {
    ...(maxUnproven === undefined ? {} : { maxPending: maxUnproven }),
    ...(maxPerAddress === undefined ? {} : { maxPerAddress }),
    ...(handshakeTimeoutMs === undefined ? {} : { timeoutMs: handshakeTimeoutMs }),
  };
}
