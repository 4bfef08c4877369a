import type { TestContext } from 'node:test';
import type { WebSocket } from 'ws';
import { TunnelSocket } from './tunnel-socket.ts';
import { once } from './waits.ts';

/** A tunnel whose far end sends any frames, one a message (the raw wire). */
export class FrameSource {
  readonly #tunnel: WebSocket;
  /** frames that came from the switch */
  received = 0;

  private constructor(tunnel: WebSocket) {
    this.#tunnel = tunnel;
    tunnel.on('message', () => this.received++);
    tunnel.on('error', () => undefined);
  }

  /** Opens a tunnel to a switch on the loopback, and ends it after the test. @param path of the URL, which may name a network */
  static async open(t: TestContext, port: number, path = '/'): Promise<FrameSource> {
    const tunnel = new TunnelSocket(`ws://127.0.0.1:${port}${path}`);
    t.after(() => tunnel.terminate());
    await once(tunnel, 'open');
    return new FrameSource(tunnel);
  }

  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.#tunnel.send(frame);
  }
}
