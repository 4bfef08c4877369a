import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { accessTokenOf } from '../auth/access-token.ts';
import { isOpen } from '../config/service-config.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { ConsoleServer } from '../console/console-server.ts';
import type { Admission } from '../control/admission.ts';
import { ControlSocket } from '../control/control-socket.ts';
import { LiveSource } from '../control/live/live-source.ts';
import { LocalCallers } from '../control/local-callers.ts';
import { ReadAccess } from '../control/read-access.ts';
import type { MethodName, SwitchControl } from '../control/schema.ts';
import { ControlServer, type ControlServerOptions } from '../control/server.ts';
import { WaitingLimit } from '../control/waiting-limit.ts';
import type { EndpointCounters } from '../net/endpoint-counters.ts';
import { peerUserOf } from '../net/peer-user.ts';
import type { Route } from '../net/route-table.ts';
import type { Logger } from '../observability/logger.ts';
import { BUFFERS } from '../ports/stream/buffer-budget.ts';
import type { FileOwner } from '../runtime/own-file.ts';
import { openConsole, routeConsole } from './console-service.ts';
import type { IngressPolicies } from './ingress-policies.ts';
import type { Lifetime } from './lifetime.ts';
import { knowsCallers, type Service } from './services.ts';

/** Pages by their paths. Some are only for callers that `access` lets read. */
export type PagesFor = (access: ReadAccess) => ReadonlyMap<string, Route>;

/** The control API of a switch: over TCP, and over a socket for users of this host. */
export class ControlApi {
  readonly #config: SwConfig;
  readonly #lifetime: Lifetime;
  readonly #callers: LocalCallers;
  readonly #options: ControlServerOptions & { readonly counters: EndpointCounters; readonly live: LiveSource };

  /** the server of the console; undefined without one */
  #console: ConsoleServer | undefined;

  /** @param logger as `service` of `openServices` */
  constructor(
    config: SwConfig,
    lifetime: Lifetime,
    { identity, authenticator, counters }: Service,
    parts: { readonly running: SwitchControl; readonly policy: IngressPolicies | undefined; readonly logger: Logger },
  ) {
    this.#config = config;
    this.#lifetime = lifetime;
    this.#callers = new LocalCallers(config.local.group);
    const { running, policy, logger } = parts;
    this.#options = {
      path: config.control.path,
      authenticator,
      allowedHosts: () => [...(identity?.names ?? []), ...config.controlNames],
      service: running,
      live: new LiveSource(running, logger),
      ...(policy === undefined
        ? {}
        : {
            mayCall: (user: string | null, method: MethodName) => policy.mayCall(user, method),
            networksOf: (user: string | null) => policy.controlledBy(user),
          }),
      counters,
      budget: BUFFERS,
      waiting: new WaitingLimit(),
      logger,
    };
  }

  /**
   * Serves the API on the service's listener, if it has one.
   * @param pages further pages; a path that a service already has stays with the service
   */
  serveTcp({ listener, config, identity }: Service, pages: PagesFor): void {
    if (listener === undefined) return;
    const admit = (request: IncomingMessage): Promise<Admission> => this.#callers.admit(listener.originOf(request));
    const options = {
      ...this.#options,
      addressOf: (request: IncomingMessage) => listener.callerOf(request).address,
      siteOf: (request: IncomingMessage) => listener.siteOf(request),
      proven: (request: IncomingMessage) => listener.proven(request),
      ...(knowsCallers(this.#config) ? { admit } : {}),
    };
    const logins = this.#config.hasConsole ? openConsole(this.#config, { listener, identity }, options) : undefined;
    if (logins !== undefined) {
      this.#console = logins;
      this.#lifetime.onClose(() => logins.close());
    }
    const server = new ControlServer({ ...options, ...(logins === undefined ? {} : { logins }) });
    this.#lifetime.onClose(() => server.close());
    listener.route(config.path, server, 'control');
    for (const [path, route] of pages(new ReadAccess(options))) {
      if (!listener.hasRoute(path)) listener.route(path, route, 'control');
    }
    if (logins !== undefined) routeConsole(listener, logins);
  }

  /**
   * Serves the API on the local socket, if the configuration has one.
   * @param owner of the socket's file
   * @param pagesFor further pages
   * @returns its path
   */
  async serveSocket(owner: FileOwner | undefined, pagesFor: PagesFor): Promise<string | undefined> {
    const { socketPath, socketDescriptor } = this.#config.local;
    const at = socketDescriptor === undefined ? socketPath : { descriptor: socketDescriptor };
    if (at === undefined) return undefined;
    const options = {
      ...this.#options,
      ...(this.#console === undefined ? {} : { logins: this.#console }),
      addressOf: () => 'local socket',
      // Credentials have precedence over the caller's user.
      admit: (request: IncomingMessage) =>
        hasCredentials(request) ? undefined : this.#callers.admit({ kind: 'local', uid: peerUserOf(request.socket) }),
    };
    const server = new ControlServer(options);
    const pages = pagesFor(new ReadAccess(options));
    const { path } = this.#options;
    const socket = await ControlSocket.listen({
      at,
      owner,
      gid: this.#callers.gid,
      handle: (request, response) => {
        const page = request.method === 'POST' ? undefined : pages.get(request.url?.split('?', 1)[0] ?? '');
        if (page !== undefined) {
          page.handleRequest(request, response);
          return;
        }
        // On this socket all other paths are those of the control API.
        request.url = path;
        server.handleRequest(request, response);
      },
      handleUpgrade: (request, upgraded, head) => {
        request.url = path;
        server.handleUpgrade(request, upgraded, head);
      },
    });
    this.#lifetime.onClose(() => socket.close());
    this.#lifetime.onClose(() => server.close());
    return socket.path;
  }
}

/**
 * Warns of a control API that asks for no credentials: any caller can reconfigure the switch, and open devices with the
 * rights of its user.
 * @param service must be listening
 */
export function warnOfOpenControl({ control, local }: SwConfig, { listener }: Service, logger: Logger): void {
  if (!isOpen(control.login) || listener === undefined) return;
  const host = control.descriptor === undefined ? control.host : listener.address.address;
  if (!isLoopback(host)) {
    logger.warn(
      { host: host ?? 'every address' },
      'the control API listens beyond this host without authentication: every host that reaches it can reconfigure the switch; use --ctlhtpasswd',
    );
  } else if (local.isForAnybody) {
    logger.warn({}, 'every user of this host can reconfigure the switch (--ctl-anybody); use --ctlgroup');
  }
}

/** Whether the head of a request has credentials. */
function hasCredentials({ headers, url = '' }: IncomingMessage): boolean {
  return headers.authorization !== undefined || accessTokenOf(url) !== undefined;
}

export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
