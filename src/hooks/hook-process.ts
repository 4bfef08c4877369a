import { type ChildProcess, spawn } from 'node:child_process';
import type { SwitchEvent } from '../events/event.ts';
import { hookEnvironment } from './hook-environment.ts';

/** How a run of a program ended. */
export type HookEnd =
  | { readonly status: number }
  | { readonly signal: NodeJS.Signals; readonly isLate: boolean }
  | { readonly error: Error };

/** Time from SIGTERM to SIGKILL. */
const KILL_AFTER_MS = 3000;
/** Time for the rest of the output after the program has ended. */
const OUTPUT_MS = 500;
/** Limits of the output of a run that is logged. */
const MOST_LINES = 20;
const MOST_LINE_CHARACTERS = 500;

/** One run of a program, in a process group of its own, without a shell. */
export class HookProcess {
  /** Never rejects. */
  readonly ended: Promise<HookEnd>;
  readonly #child: ChildProcess | undefined;
  readonly #tell: (line: string) => void;
  #lines = 0;
  #isLate = false;
  #kill: NodeJS.Timeout | undefined;

  /** @param tell called for each of the first lines of the output, cut to their limit */
  constructor(program: string, event: SwitchEvent, timeoutMs: number, tell: (line: string) => void) {
    this.#tell = tell;
    const env = hookEnvironment(event, process.env);
    try {
      this.#child = spawn(program, [], { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    } catch (error) {
      // For some failures, such as ETXTBSY, `spawn` throws instead of emitting 'error'.
      this.ended = Promise.resolve({ error: error instanceof Error ? error : new Error(String(error)) });
      return;
    }
    const child = this.#child;
    const { stdin, stdout, stderr } = child;
    // EPIPE from a program that does not read its input is no failure.
    stdin?.on('error', () => undefined);
    stdin?.end(`${JSON.stringify(event)}\n`);
    for (const stream of [stdout, stderr]) this.#follow(stream);
    const late = setTimeout(() => {
      this.#isLate = true;
      this.terminate();
    }, timeoutMs);
    this.ended = this.#watch(child).finally(() => {
      clearTimeout(late);
      clearTimeout(this.#kill);
      for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    });
  }

  /** Sends SIGTERM, and SIGKILL after `KILL_AFTER_MS`. */
  terminate(): void {
    this.#signal('SIGTERM');
    this.#kill ??= setTimeout(() => this.#signal('SIGKILL'), KILL_AFTER_MS);
  }

  #watch(child: ChildProcess): Promise<HookEnd> {
    return new Promise((resolve) => {
      child.once('error', (error) => resolve({ error }));
      child.once('exit', (status, signal) => {
        const end: HookEnd = signal === null ? { status: status ?? 0 } : { signal, isLate: this.#isLate };
        // Ends what the program left in its group. Processes outside of it may hold the pipes, so the wait has a limit.
        this.#signal('SIGKILL');
        child.once('close', () => resolve(end));
        setTimeout(() => resolve(end), OUTPUT_MS).unref();
      });
    });
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // ESRCH: no process of the group is left.
    }
  }

  #follow(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('error', () => undefined);
    stream?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(0, MOST_LINE_CHARACTERS);
      for (const line of lines) this.#line(line);
    });
    stream?.on('end', () => this.#line(rest));
  }

  #line(line: string): void {
    if (line !== '' && ++this.#lines <= MOST_LINES) this.#tell(line.slice(0, MOST_LINE_CHARACTERS));
  }
}
