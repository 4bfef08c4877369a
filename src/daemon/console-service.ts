import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { SwConfig } from '../config/sw-config.ts';
import { ConsoleServer, type ConsoleServerOptions } from '../console/console-server.ts';
import type { LoginKind } from '../console/login-request.ts';
import { SECURITY_HEADERS } from '../console/security-headers.ts';
import type { HttpListener } from '../net/http-listener.ts';
import type { Route } from '../net/route-table.ts';
import { readVersion } from '../runtime/version.ts';
import type { Service } from './services.ts';

const PATH = '/console/';
/** Where the build puts the page: `dist/console`, beside `dist/src`. */
const DIRECTORY = fileURLToPath(new URL('../../console', import.meta.url));

/** The console of a switch, for `routeConsole`. @param options those of the control API on the same listener */
export function openConsole(
  config: SwConfig,
  { listener, identity }: { readonly listener: HttpListener; readonly identity: Service['identity'] },
  options: Omit<ConsoleServerOptions, 'uidOf' | 'path' | 'directory' | 'identity' | 'place' | 'kinds'>,
): ConsoleServer {
  const { control } = config;
  return new ConsoleServer({
    ...options,
    path: PATH,
    directory: DIRECTORY,
    identity: { name: hostname(), version: readVersion() },
    kinds: kindsOf(config),
    uidOf: (request) => {
      const origin = listener.originOf(request);
      return origin.kind === 'local' ? origin.uid : undefined;
    },
    place: () => ({ url: urlOf(control.host, listener.address.port, identity?.names), controlPath: control.path }),
  });
}

/** Serves the console, and leads to it from `/` if nothing else is there. */
export function routeConsole(listener: HttpListener, server: ConsoleServer): void {
  listener.routeTree(PATH, server);
  for (const path of ['/', PATH.slice(0, -1)])
    if (!listener.hasRoute(path)) listener.route(path, TO_CONSOLE, 'control');
}

/** The location is relative, so that it is right behind a proxy that serves the switch below another path. */
const TO_CONSOLE: Route = {
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    response.writeHead(isReading ? 302 : 405, {
      ...SECURITY_HEADERS,
      ...(isReading ? { Location: PATH.slice(1) } : { Allow: 'GET, HEAD' }),
      'Content-Length': 0,
    });
    response.end();
  },
};

function kindsOf({ control: { login } }: SwConfig): LoginKind[] {
  return [
    ...(login.htpasswd === undefined ? [] : (['password'] as const)),
    ...(login.tokens === undefined ? [] : (['token'] as const)),
    ...(login.clientCaFile === undefined ? [] : (['certificate'] as const)),
  ];
}

/** The console's address at this host: with a name of the certificate where the listener has more than one address. */
function urlOf(host: string | undefined, tcpPort: number, names: readonly string[] | undefined): string {
  const isOfAll = host === undefined || host === '::' || host === '0.0.0.0';
  const name = names?.find((each) => !each.startsWith('*'));
  const shown = isOfAll ? (name ?? 'localhost') : host.includes(':') ? `[${host}]` : host;
  return `${names === undefined ? 'http' : 'https'}://${shown}:${tcpPort}${PATH}`;
}
