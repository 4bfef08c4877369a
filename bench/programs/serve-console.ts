import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { ALLOW_ALL } from '../../src/auth/authenticator.ts';
import { ConsoleServer } from '../../src/console/console-server.ts';
import { LiveSource } from '../../src/control/live/live-source.ts';
import { EndpointCounters } from '../../src/net/endpoint-counters.ts';
import { siteOfSocket } from '../../src/net/site.ts';
import type { RunningSwitch } from '../../src/networks/switch-control.ts';
import { SILENT } from '../../src/observability/logger.ts';

const DIRECTORY = fileURLToPath(new URL('../../console', import.meta.url));

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Serves the console of a switch to this host.
 * @param others answers the requests for paths outside `/console/`
 * @returns its URL, and what ends that
 */
export async function serveConsole(
  service: RunningSwitch,
  others?: Handler,
): Promise<{ url: string; close: () => void }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const origin = `http://127.0.0.1:${port}`;
  const console = new ConsoleServer({
    path: '/console/',
    directory: DIRECTORY,
    identity: { name: 'bench', version: '' },
    place: () => ({ url: `${origin}/console/`, controlPath: '/ctl' }),
    kinds: [],
    authenticator: ALLOW_ALL,
    allowedHosts: () => [],
    addressOf: () => '127.0.0.1',
    siteOf: siteOfSocket,
    service,
    live: new LiveSource(service, SILENT),
    counters: new EndpointCounters(),
    logger: SILENT,
  });
  server.on('request', (request, response) => {
    if (others === undefined || request.url?.startsWith('/console/') === true) console.handleRequest(request, response);
    else others(request, response);
  });
  server.on('upgrade', (request, socket, head) => console.handleUpgrade(request, socket, head));
  return {
    url: `${origin}/console/`,
    close: () => {
      console.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
