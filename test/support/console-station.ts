import type { TestContext } from 'node:test';
import type { SwitchProcess } from './switch-process.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { once } from './waits.ts';

/** A tunnel whose far end is the test, for pages that show what stations do. */
export interface FarEnd {
  /** @param frames in hexadecimal */
  send(...frames: readonly string[]): void;
}

/** Opens a tunnel to the switch, which is closed after the test. The ports are numbered from 1 in this order. */
export async function openFarEnd(t: TestContext, sw: SwitchProcess): Promise<FarEnd> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${sw.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  const send: FarEnd['send'] = (...frames) => {
    for (const frame of frames) tunnel.send(Buffer.from(frame, 'hex'));
  };
  return { send };
}
