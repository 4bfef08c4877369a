import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../etherws.ts';
import type { Host } from '../namespaces.ts';
import type { Process } from '../process.ts';

const CLIENT_PORT = 4222;
const ROUTE_PORT = 6222;
const MONITOR_PORT = 8222;

/** One nats-server of a cluster, on a host of a laboratory. It keeps its files when it is killed. */
export class NatsServer {
  readonly host: Host;
  readonly name: string;
  readonly address: string;
  readonly #file: string;
  #process: Process | undefined;

  /**
   * @param directory of its configuration and its streams
   * @param addresses of all servers of the cluster
   */
  constructor(host: Host, name: string, address: string, addresses: readonly string[], directory: string) {
    [this.host, this.name, this.address] = [host, name, address];
    const routes = addresses.map((other) => `nats-route://${other}:${ROUTE_PORT}`).join(', ');
    this.#file = join(directory, `${name}.conf`);
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(
      this.#file,
      `server_name: ${name}
listen: "0.0.0.0:${CLIENT_PORT}"
http: "127.0.0.1:${MONITOR_PORT}"
ping_interval: "2s"
ping_max: 2
jetstream { store_dir: "${join(directory, name)}", max_memory_store: 16M, max_file_store: 64M }
cluster { name: lab, listen: "0.0.0.0:${ROUTE_PORT}", routes: [${routes}] }
`,
    );
  }

  get url(): string {
    return `nats://${this.address}:${CLIENT_PORT}`;
  }

  start(): void {
    this.#process = this.host.spawn(['nats-server', '-c', this.#file], { timeoutMs: 600_000 });
  }

  /** Ends it as `kill -9`, or by another signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#process?.signal(signal);
    await this.#process?.exited;
  }

  /** Stops it for a while, and continues it: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  /** Waits until it says that it is healthy: its streams are there, and their groups have leaders. */
  async healthy(timeoutMs = 60_000): Promise<void> {
    const url = `http://127.0.0.1:${MONITOR_PORT}/healthz`;
    await eventually(
      async () => {
        const { stdout, stderr } = await this.host.run(['curl', '-s', '-S', '-m', '5', url]);
        return `${stdout}${stderr}`;
      },
      (said) => /"status":\s*"ok"/.test(said),
      timeoutMs,
    );
  }
}

/** The programs that a host with a NATS server needs. */
export const NATS_TOOLS: readonly string[] = ['nats-server', 'curl'];

/** The URLs of servers as `--cluster` takes them. */
export function urlsOf(servers: readonly NatsServer[]): string {
  return servers.map(({ url }) => url).join(',');
}
