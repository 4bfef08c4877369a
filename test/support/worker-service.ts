import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { ETHERWS } from './etherws.ts';
import { type Outcome, Process, run } from './process.ts';
import { PATIENCE_MS, until } from './waits.ts';

interface LogRecord {
  readonly msg: string;
  readonly worker?: number;
  readonly service?: string;
  readonly type?: string;
  readonly port?: number;
  readonly pid?: number;
}

/** `etherws sw --workers N` on free ports of the loopback, with its log. */
export class WorkerService {
  readonly process: Process;
  readonly directory: string;

  private constructor(process: Process, directory: string) {
    this.process = process;
    this.directory = directory;
  }

  /**
   * Starts it, waits until all processes take tunnels, and kills it after the test.
   * @param level of the log. With `--debug`, from which `accepted` counts, no frame takes the fast path
   */
  static async start(
    t: TestContext,
    workers: number | string,
    options: readonly string[] = [],
    program: readonly string[] = ETHERWS,
    level: readonly string[] = ['--debug'],
  ): Promise<WorkerService> {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-workers-'));
    const where = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
    const command = [...program, 'sw', '--foreground', ...level, '--logformat', 'json', ...where];
    const process = new Process([...command, '--workers', String(workers), ...options]);
    t.after(async () => {
      await process.end();
      rmSync(directory, { recursive: true, force: true });
    });
    const service = new WorkerService(process, directory);
    await process.output(/"msg":"ready"/, PATIENCE_MS);
    return service;
  }

  /** The log so far. */
  get log(): readonly LogRecord[] {
    return this.process.stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogRecord);
  }

  get tunnelPort(): number {
    return this.#portOf('tunnels');
  }

  get controlUrl(): string {
    return `http://127.0.0.1:${this.#portOf('control')}/ctl`;
  }

  #portOf(name: string): number {
    return this.log.find(({ msg, service }) => msg === 'listening' && service === name)?.port ?? 0;
  }

  /** The process ids of the workers, by number; of those started again the last ones. */
  get workers(): ReadonlyMap<number, number> {
    const ready = this.log.filter(({ msg }) => msg === 'worker ready');
    return new Map(ready.map(({ worker = 0, pid = 0 }) => [worker, pid]));
  }

  /** How many tunnels each process has accepted since the start; the first one is 1. */
  get accepted(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const { msg, type, worker = 1 } of this.log) {
      if (msg === 'port attached' && type === 'server') counts.set(worker, (counts.get(worker) ?? 0) + 1);
    }
    return counts;
  }

  ctl(...args: readonly string[]): Promise<Outcome> {
    return run([...ETHERWS, 'ctl', '--ctlurl', this.controlUrl, ...args]);
  }

  /** Runs `etherws ctl ARGS`, which must succeed. @returns its standard output */
  async done(...args: readonly string[]): Promise<string> {
    const { stdout, stderr, status } = await this.ctl(...args);
    if (status !== 0) throw new Error(`ctl ${args.join(' ')}: ${stderr}\n${this.process}`);
    return stdout;
  }

  /** The entries of a list. */
  async list(...args: readonly string[]): Promise<unknown[]> {
    return (JSON.parse(await this.done(...args, '--json')) as { entries: unknown[] }).entries;
  }

  async ports(): Promise<PortEntry[]> {
    return (await this.list('listport')) as PortEntry[];
  }

  /** Waits until a process is gone. */
  static async gone(pid: number): Promise<void> {
    await until(() => !isAlive(pid));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
