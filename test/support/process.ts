import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { PATIENCE_MS } from './waits.ts';

/** The limit of a timer: for programs that run until they are ended. */
export const LONGEST_MS: number = 2 ** 31 - 1;

/** Time limit for nsenter to reap its program; then it is killed. */
const REAP_MS = 5000;

/** How a program ended: its exit status, or the signal that ended it. */
export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The end and the output of a program. */
export interface Outcome extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to standard input, which is then closed; without it standard input is /dev/null. */
  readonly input?: string;
  /** Standard input stays open for `write`. */
  readonly isInteractive?: boolean;
  /** The program is killed after this time. */
  readonly timeoutMs?: number;
}

interface Waiter {
  readonly pattern: RegExp;
  /** The ignored length of standard error; undefined: both streams are searched from the beginning. */
  readonly since: number | undefined;
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A running program whose output can be awaited. It has its own session, so that
 * Ctrl-C at the terminal reaches only the test process, which can then end all
 * programs in order.
 */
export class Process {
  readonly command: readonly string[];
  /** Resolves when the program has ended and all its output was read; never rejects. */
  readonly exited: Promise<Outcome>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #isEntered: boolean;
  #waiters: Waiter[] = [];

  /** @param isEntered the command is `nsenter --pid …`, which stays as the parent of the program itself */
  constructor(command: readonly string[], options: ProcessOptions = {}, isEntered = false) {
    this.command = command;
    this.#isEntered = isEntered;
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, {
      detached: true,
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined && options.isInteractive !== true ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.exited = this.#watch(options);
  }

  /** Waits for the first match of `pattern` in the program's output, past or future, on either stream. */
  output(pattern: RegExp, timeoutMs: number = PATIENCE_MS): Promise<RegExpExecArray> {
    return this.#match(pattern, undefined, timeoutMs);
  }

  /**
   * Waits for the first match in standard error after a position.
   * @param since the position: a length that `stderr` had
   */
  logged(pattern: RegExp, since: number, timeoutMs: number = PATIENCE_MS): Promise<RegExpExecArray> {
    return this.#match(pattern, since, timeoutMs);
  }

  async #match(pattern: RegExp, since: number | undefined, timeoutMs: number): Promise<RegExpExecArray> {
    const found = this.#search(pattern, since);
    if (found !== null) return found;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<RegExpExecArray>((resolve, reject) => {
        this.#waiters.push({ pattern, since, resolve, reject });
        timer = setTimeout(() => reject(new Error(`no ${pattern} within ${timeoutMs} ms in ${this}`)), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Writes to the program's standard input; needs `isInteractive`. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Calls `receiver` for each whole line that the program writes to a stream from now on. */
  onLine(receiver: (line: string) => void, stream: 'stdout' | 'stderr' = 'stdout'): void {
    let rest = '';
    this.#child[stream]?.on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) receiver(line);
    });
  }

  /** Kills the program, and waits until it is gone. Idempotent. */
  async end(): Promise<void> {
    const isEntered = this.#isEntered && this.pid !== undefined;
    this.signal('SIGKILL');
    if (!isEntered) this.#child.kill('SIGKILL');
    // Continues an nsenter that has stopped together with its program, so that it reaps the program. If it were killed,
    // process 1 would have to reap; some do so only once a second, and the process namespace would stay until then.
    else this.#child.kill('SIGCONT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), REAP_MS);
    await this.exited.finally(() => clearTimeout(timer));
  }

  /** Sends a signal to the program itself. Without effect when it has ended. */
  signal(name: NodeJS.Signals): void {
    const pid = this.pid;
    if (pid === undefined) return;
    try {
      process.kill(pid, name);
      // An nsenter stops together with its program, and does not continue by itself.
      if (name === 'SIGCONT') this.#child.kill(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** The program's process id in the namespace of the test; undefined before it runs and after its end. */
  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return undefined;
    return this.#isEntered ? onlyChildOf(pid) : pid;
  }

  toString(): string {
    return `${this.command.join(' ')}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`;
  }

  async #watch(options: ProcessOptions): Promise<Outcome> {
    const child = this.#child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#serve();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#serve();
    });
    // EPIPE from a program that ends without reading its input is no failure.
    child.stdin?.on('error', () => undefined);
    if (options.isInteractive !== true) child.stdin?.end(options.input);
    const timer = setTimeout(() => this.signal('SIGKILL'), options.timeoutMs ?? 120_000);
    let exit: Exit;
    try {
      const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      exit = { status, signal };
    } catch (error) {
      this.stderr += String(error);
      exit = { status: 127, signal: null };
    } finally {
      clearTimeout(timer);
    }
    for (const waiter of this.#waiters) waiter.reject(new Error(`ended before ${waiter.pattern}: ${this}`));
    this.#waiters = [];
    return { ...exit, stdout: this.stdout, stderr: this.stderr };
  }

  #search(pattern: RegExp, since: number | undefined): RegExpExecArray | null {
    if (since !== undefined) return pattern.exec(this.stderr.slice(since));
    return pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
  }

  #serve(): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      const found = this.#search(waiter.pattern, waiter.since);
      if (found === null) return true;
      waiter.resolve(found);
      return false;
    });
  }
}

/** Runs a program to its end. Never rejects: the outcome has the failure. */
export function run(command: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
  return new Process(command, options).exited;
}

/** The process id of the only child of `pid`. */
export function onlyChildOf(pid: number): number | undefined {
  try {
    const child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
    return Number.isNaN(child) ? undefined : child;
  } catch {
    return undefined;
  }
}
