import type { IncomingMessage, ServerResponse } from 'node:http';
import { headersOf, type Refusal } from '../net/http-refusal.ts';
import { refusedMethod } from './metrics-server.ts';

/** What the switch does: it starts, it serves, or it stops. */
export type Phase = 'starting' | 'ready' | 'stopping';

/**
 * Two pages for those who supervise a switch. They need no credentials, since they say nothing but this:
 *
 * - `/healthz`: the event loop answers;
 * - `/readyz`: all services listen, and the ports of the configuration were opened, and the switch does not stop.
 */
export class Health {
  phase: Phase = 'starting';

  readonly live: { handleRequest(request: IncomingMessage, response: ServerResponse): void } = page(() => undefined);
  readonly ready: { handleRequest(request: IncomingMessage, response: ServerResponse): void } = page(() =>
    this.phase === 'ready' ? undefined : { status: 503, text: `${this.phase}\n` },
  );
}

function page(fault: () => Refusal | undefined) {
  return {
    handleRequest(request: IncomingMessage, response: ServerResponse): void {
      request.on('error', () => undefined).resume();
      const refusal = refusedMethod(request) ?? fault();
      const { status, text, headers } = refusal ?? { status: 200, text: 'ok\n' };
      // The connection of a client that asks again and again stays open.
      const { Connection, ...fields } = headersOf({ status, text, ...(headers === undefined ? {} : { headers }) });
      response.writeHead(status, { ...fields, 'Cache-Control': 'no-store' }).end(request.method === 'HEAD' ? '' : text);
    },
  };
}
