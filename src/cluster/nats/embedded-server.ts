import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';

export interface EmbeddedOptions {
  /** the directory of its data; undefined: a temporary one, which is removed at the end */
  readonly directory: string | undefined;
  readonly logger: Logger;
  /** default: that of NATS */
  readonly port?: number;
}

export const EMBEDDED_PORT = 4222;
const READY_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 3000;
const MOST_LOG_CHARACTERS = 4000;

/** A nats-server that is started beside the node, for trials. It listens on the loopback only, since it asks for no credentials. */
export class EmbeddedServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #logger: Logger;
  readonly #temporary: string | undefined;
  #log = '';
  /** it has been ready, and `close` was not called */
  #isServing = false;
  #hasEnded = false;

  private constructor({ directory, logger, port = EMBEDDED_PORT }: EmbeddedOptions) {
    const server = programCalled('nats-server');
    if (server === undefined) {
      throw new EtherwsError(
        'PACKAGE_MISSING',
        '--cluster embedded needs the program nats-server, which is not installed',
        {
          hint: 'Install it (apt install nats-server), or name servers that run elsewhere: --cluster nats://HOST',
        },
      );
    }
    this.port = port;
    this.#logger = logger;
    this.#temporary = directory === undefined ? mkdtempSync(join(tmpdir(), 'etherws-nats-')) : undefined;
    const data = directory ?? this.#temporary ?? '';
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const args = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', data];
    // The server must not stay when this process is killed, and must not get the Ctrl-C that is for this process.
    const guard = programCalled('setpriv');
    const [program, ...before] = guard === undefined ? [server] : [guard, '--pdeathsig', 'TERM', server];
    this.#child = spawn(program ?? server, [...before, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    this.#child.once('error', () => this.#ended());
    this.#child.once('exit', () => this.#ended());
  }

  /** @throws EtherwsError PACKAGE_MISSING; CLUSTER_STORE_UNUSABLE with what the server says when it does not start */
  static async start(options: EmbeddedOptions): Promise<EmbeddedServer> {
    const server = new EmbeddedServer(options);
    try {
      await server.#ready();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Ends the server, and removes its data if they are temporary. Idempotent. */
  async close(): Promise<void> {
    this.#isServing = false;
    const untilMs = performance.now() + END_TIMEOUT_MS;
    if (!this.#hasEnded) this.#child.kill('SIGTERM');
    while (!this.#hasEnded && performance.now() < untilMs) await pause();
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const untilMs = performance.now() + READY_TIMEOUT_MS;
    while (!this.#log.includes('Server is ready')) {
      if (this.#hasEnded || performance.now() > untilMs) {
        const said = /\[(?:FTL|ERR)\] (.*)/.exec(this.#log)?.[1] ?? 'it did not become ready';
        throw new EtherwsError(
          'CLUSTER_STORE_UNUSABLE',
          `The nats-server of --cluster embedded did not start: ${said}`,
          {
            hint: `Does one run already? Then use --cluster nats://127.0.0.1:${this.port}`,
          },
        );
      }
      await pause();
    }
    this.#isServing = true;
  }

  #note(text: string): void {
    this.#log = (this.#log + text).slice(-MOST_LOG_CHARACTERS);
    this.#logger.debug({ said: text.trim() }, 'nats-server');
  }

  #ended(): void {
    this.#hasEnded = true;
    if (this.#isServing) this.#logger.error({ port: this.port }, 'the nats-server of --cluster embedded has ended');
  }
}

function programCalled(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  for (const directory of directories) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not there; the next directory may have it
    }
  }
  return undefined;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
