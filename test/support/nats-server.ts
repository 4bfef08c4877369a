import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Process } from './process.ts';
import { pathOf } from './tools.ts';
import { once } from './waits.ts';

export interface NatsServerOptions {
  /** default: on */
  readonly hasJetStream?: boolean;
  /** further lines of nats-server.conf */
  readonly lines?: readonly string[];
  /** default: one that is free */
  readonly port?: number;
}

/** A real nats-server on the loopback, with a directory of its own. */
export class NatsServer {
  readonly port: number;
  readonly #directory: string;
  readonly #hasJetStream: boolean;
  #process: Process;

  private constructor(port: number, directory: string, hasJetStream: boolean) {
    this.port = port;
    this.#directory = directory;
    this.#hasJetStream = hasJetStream;
    this.#process = this.#spawn();
  }

  /** @param options of the server; it needs the program nats-server */
  static async start({ hasJetStream = true, lines = [], port }: NatsServerOptions = {}): Promise<NatsServer> {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-nats-'));
    const listenPort = port ?? (await freePort());
    const jetStream = hasJetStream ? [`jetstream { store_dir: "${directory}/data" }`] : [];
    writeFileSync(
      join(directory, 'nats-server.conf'),
      [`listen: "127.0.0.1:${listenPort}"`, ...jetStream, ...lines, ''].join('\n'),
    );
    const server = new NatsServer(listenPort, directory, hasJetStream);
    await server.ready();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Kills the server; its data stay. */
  async kill(): Promise<void> {
    await this.#process.end();
  }

  /** Starts the server again with its data. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.ready();
  }

  /** Removes the data of a server that was killed. */
  removeData(): void {
    rmSync(join(this.#directory, 'data'), { recursive: true, force: true });
  }

  /** Copies the data of a server that was killed. @returns puts the copy in their place */
  backUp(): () => void {
    const [data, backup] = [join(this.#directory, 'data'), join(this.#directory, 'backup')];
    cpSync(data, backup, { recursive: true });
    return () => {
      this.removeData();
      cpSync(backup, data, { recursive: true });
    };
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Resolves when the server takes connections. */
  async ready(): Promise<void> {
    await this.#process.output(/Server is ready/);
  }

  #spawn(): Process {
    const server = pathOf('nats-server') ?? 'nats-server';
    return new Process([server, '-c', join(this.#directory, 'nats-server.conf')], { timeoutMs: 600_000 });
  }

  toString(): string {
    return `nats-server on ${this.port}, ${this.#hasJetStream ? 'with' : 'without'} JetStream\n${this.#process.stderr}`;
  }
}

/** Starts a cluster of servers; resolves when all take connections. */
export async function startNatsCluster(count = 3): Promise<NatsServer[]> {
  const [ports, routes] = [await freePorts(count), await freePorts(count)];
  return Promise.all(
    ports.map((port, index) =>
      NatsServer.start({
        port,
        lines: [
          `server_name: n${index}`,
          'cluster {',
          '  name: test',
          `  listen: "127.0.0.1:${routes[index]}"`,
          `  routes: [${routes.map((route) => `"nats://127.0.0.1:${route}"`).join(', ')}]`,
          '}',
        ],
      }),
    ),
  );
}

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
