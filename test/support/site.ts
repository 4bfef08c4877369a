import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { Switch } from '../../src/networks/switch.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { ClientPort } from '../../src/ports/tunnel/dial/client-port.ts';
import { type DialTunnelOptions, dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import { ResumeTicket } from '../../src/ports/tunnel/resume/resume-ticket.ts';
import { SwitchInstance } from '../../src/ports/tunnel/switch-instance.ts';
import { PATIENCE_MS } from './waits.ts';
import { listen, stop, TestTunnelServer } from './web-socket-peer.ts';

/** A switch in this process with a station at port 1 and a tunnel server; tunnels have the ports from 2 on. */
export class Site {
  readonly instance: SwitchInstance | undefined;
  readonly ethernet: Switch = new Switch();
  readonly station: MemoryPort = new MemoryPort();
  readonly server: TestTunnelServer;
  /** The frames that the station has received, in hex. */
  readonly heard: string[] = [];

  private constructor(instance: SwitchInstance | undefined) {
    this.instance = instance;
    this.station.onFrames((frames) => this.heard.push(...frames.map((frame) => frame.toString('hex'))));
    this.ethernet.attach(this.station);
    this.server = new TestTunnelServer({
      ...(instance === undefined ? {} : { instance }),
      onTunnel: (port) => void this.ethernet.attach(port),
    });
  }

  /** A site that is closed after the test. @param isNamed whether it sends its identity */
  static async start(t: TestContext, isNamed = true): Promise<Site> {
    const site = new Site(isNamed ? new SwitchInstance() : undefined);
    await site.server.start();
    t.after(async () => {
      await site.ethernet.close();
      await site.server.stop();
    });
    return site;
  }

  /** Dials, and adds the client port when it is connected. @returns its number */
  async dial(url: string, options: Partial<DialTunnelOptions> = {}): Promise<number> {
    const ticket = new ResumeTicket();
    const port = await ClientPort.connected({
      target: url,
      connect: (signal) => dialTunnel({ instance: this.instance, ticket, ...options, url, signal }),
      reconnection: { minMs: 100, maxMs: 200 },
    });
    return this.ethernet.attach(port);
  }

  /** The ports of tunnels, the first one first. */
  get tunnels(): BridgePort[] {
    return [...this.ethernet.ports.values()].filter(({ number }) => number > 1);
  }

  /** The state of each tunnel: `up`, `standby` or the state of its link. */
  get states(): string {
    return this.tunnels
      .map(({ link, standsByFor }) => (standsByFor === undefined ? link : `standby ${standsByFor.number}`))
      .join(', ');
  }

  /** The ids of the tunnels that forward. */
  get forwarding(): string[] {
    return this.tunnels.flatMap(({ isForwarding, port }) =>
      isForwarding ? [port.tunnel?.peer.tunnelId ?? 'unknown'] : [],
    );
  }
}

/** A TCP relay whose connections the test can cut. */
export class LossyRelay {
  readonly #server: Server;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  #to: string;
  port = 0;

  /** @param to the URL of a tunnel server on this host */
  constructor(to: string) {
    this.#to = to;
    this.#server = createServer((near) => {
      const far = connect(Number(new URL(this.#to).port), '127.0.0.1');
      const pair = { near, far };
      this.#pairs.add(pair);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => undefined);
        from.on('data', (octets) => to.write(octets)).on('close', () => this.#pairs.has(pair) && to.destroy());
      }
    });
  }

  async start(t: TestContext): Promise<void> {
    this.port = await listen(this.#server);
    t.after(async () => {
      this.cut();
      if (this.#server.listening) await stop(this.#server);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** Sets the destination of new connections. */
  leadTo(url: string): void {
    this.#to = url;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    this.#pairs.clear();
  }

  /** Cuts one end of all connections; the other end is not notified. */
  cutOneEnd(end: 'near' | 'far', t: TestContext): void {
    for (const pair of this.#pairs) {
      const other = end === 'near' ? pair.far : pair.near;
      this.#pairs.delete(pair);
      t.after(() => other.destroy());
      pair[end].resetAndDestroy();
    }
  }

  /** Stops listening. */
  async stopListening(): Promise<void> {
    this.#server.close().unref();
    await new Promise(setImmediate);
  }
}

/** Waits until a condition holds. @throws Error with `told` at the deadline */
export async function until(holds: () => boolean, told: () => string, timeoutMs = PATIENCE_MS): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${told()}`);
    await delay(5);
  }
}
