import type { IncomingMessage, ServerResponse } from 'node:http';
import { headersOf, type Refusal } from '../net/http-refusal.ts';
import { refusedMethod } from './metrics-server.ts';

/** Whether the switch is starting, serving, handing its clients over to other nodes, or stopping. */
export type Phase = 'starting' | 'ready' | 'draining' | 'stopping';

/**
 * Two pages for supervisors and load balancers. They need no credentials, since they show only this:
 *
 * - `/healthz`: the event loop answers;
 * - `/readyz`: all services listen, the ports of the configuration were opened, the switch is neither draining nor stopping,
 *   and `fault` has no objection.
 */
export class Health {
  phase: Phase = 'starting';
  /** Why the switch is not ready although it is in the phase `ready`, in one line without secrets; undefined: it is. */
  fault: () => string | undefined = () => undefined;

  readonly live: { handleRequest(request: IncomingMessage, response: ServerResponse): void } = page(() => undefined);
  readonly ready: { handleRequest(request: IncomingMessage, response: ServerResponse): void } = page(() => {
    const reason = this.phase === 'ready' ? this.fault() : this.phase;
    return reason === undefined ? undefined : { status: 503, text: `${reason}\n` };
  });
}

function page(fault: () => Refusal | undefined) {
  return {
    handleRequest(request: IncomingMessage, response: ServerResponse): void {
      request.on('error', () => undefined).resume();
      const refusal = refusedMethod(request) ?? fault();
      const { status, text, headers } = refusal ?? { status: 200, text: 'ok\n' };
      // Without `Connection: close`: clients poll these pages by one connection.
      const { Connection, ...fields } = headersOf({ status, text, ...(headers === undefined ? {} : { headers }) });
      response.writeHead(status, { ...fields, 'Cache-Control': 'no-store' }).end(request.method === 'HEAD' ? '' : text);
    },
  };
}
