import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** The most characters of a program's output that are kept: its end, which says why it failed. */
const KEPT_OUTPUT_CHARS = 4 * 1024 * 1024;

/** A program failed, or did not end in time. The message has the end of its output. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** A running program. */
export class Command {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #argv: readonly string[];
  readonly #ended: Promise<number>;
  #output = '';
  #errors = '';

  /** Starts the program. If it does not exist, the first method that waits throws. */
  constructor(argv: readonly string[]) {
    const [program = '', ...args] = argv;
    this.#argv = argv;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT_CHARS);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-KEPT_OUTPUT_CHARS);
    });
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#errors += error.message;
        resolve(127);
      });
      this.#child.on('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    });
  }

  /** Waits until the output contains `text`. @throws CommandError if the program ends first, or after `timeoutMs` */
  async printed(text: string, timeoutMs = 10_000): Promise<void> {
    const held = (): boolean => this.#output.includes(text) || this.#errors.includes(text);
    await this.#within(timeoutMs, `did not print "${text}"`, async (signal) => {
      while (!held() && !signal.aborted) {
        const next = new Promise<void>((resolve) => {
          this.#child.stdout.once('data', () => resolve());
          this.#child.stderr.once('data', () => resolve());
        });
        const ended = await Promise.race([next.then(() => undefined), this.#ended]);
        if (ended !== undefined && !held()) throw this.#failure(`ended with status ${ended}`);
      }
    });
  }

  /** Writes a line to the program. @returns its next line */
  async ask(line: string, timeoutMs = 5_000): Promise<string> {
    const before = this.#output.length;
    this.#child.stdin.write(`${line}\n`);
    await this.#within(timeoutMs, 'did not answer', async (signal) => {
      while (!this.#output.slice(before).includes('\n') && !signal.aborted) {
        await Promise.race([new Promise((resolve) => this.#child.stdout.once('data', resolve)), this.#ended]);
      }
    });
    return this.#output.slice(before).trim();
  }

  /** Ends standard input and waits for status 0. @returns the output. @throws CommandError for another status, or after `timeoutMs` */
  async finish(timeoutMs: number): Promise<string> {
    this.#child.stdin.end();
    const status = await this.#within(timeoutMs, 'did not end', () => this.#ended);
    if (status !== 0) throw this.#failure(`ended with status ${status}`);
    return this.#output;
  }

  async #within<T>(timeoutMs: number, fault: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#child.kill('SIGKILL');
        reject(this.#failure(`${fault} within ${timeoutMs / 1000} s`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([work(abort.signal), late]);
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  #failure(fault: string): CommandError {
    const said = (this.#errors.trim() || this.#output.trim()).split('\n').slice(-5).join(' | ');
    return new CommandError(`${this.#argv.join(' ')}: ${fault}${said === '' ? '' : `: ${said}`}`);
  }
}

/** The last line of a program's output as JSON. */
export function lastLineAsJson(output: string): unknown {
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
}

/** Runs a program to its end. @returns its standard output. @throws CommandError if it fails */
export function run(argv: readonly string[], timeoutMs = 20_000): Promise<string> {
  return new Command(argv).finish(timeoutMs);
}
