import type { TestContext } from 'node:test';
import type { WebSocket } from 'ws';
import type { SwitchProcess } from './switch-process.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { once } from './waits.ts';

/** A host behind a tunnel of a switch on the loopback: it sends frames one a message, as 1.x. Ends after the test. */
export async function openTunnelHost(
  t: TestContext,
  { tunnelPort }: Pick<SwitchProcess, 'tunnelPort'>,
): Promise<WebSocket> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  return tunnel;
}
