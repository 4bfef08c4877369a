import { describeError } from '../errors.ts';
import type { SwitchEvent } from '../events/event.ts';
import type { EventHub } from '../events/event-hub.ts';
import { limitLevel } from '../observability/limited-logger.ts';
import type { Logger } from '../observability/logger.ts';
import { type Hook, requireProgram } from './hook.ts';
import { HookProcess } from './hook-process.ts';

export interface HookRunnerOptions {
  readonly hooks: readonly Hook[];
  readonly timeoutMs: number;
  readonly hub: EventHub;
  readonly logger: Logger;
}

/** Limits of the programs that run at the same time, and of those that wait. */
const MOST_RUNNING = 4;
const MOST_WAITING = 256;
/** Time for the programs that run when the switch ends, and for those of its last events. */
const CLOSING_MS = 5000;

interface Run {
  readonly program: string;
  readonly event: SwitchEvent;
}

/**
 * Runs programs on events, in the order of the events. The hub delivers events in a later turn of the event loop, so no
 * frame waits for a program. When `MOST_WAITING` runs wait, further ones are lost, and the log says how many.
 */
export class HookRunner {
  readonly #options: HookRunnerOptions;
  readonly #programs = new Map<string, string[]>();
  readonly #info: Logger;
  readonly #warnings: Logger;
  readonly #unsubscribe: () => void;
  readonly #running = new Set<HookProcess>();
  readonly #waiting: Run[] = [];
  #lost = 0;
  #isStarted = false;
  #whenIdle: (() => void) | undefined;

  /** @throws EtherwsError FILE_UNREADABLE for a program that cannot be run */
  constructor(options: HookRunnerOptions) {
    const { hooks, hub, logger } = options;
    this.#options = options;
    // Programs and peers cause these records, so they are rate-limited.
    this.#info = limitLevel(logger, 'info');
    this.#warnings = limitLevel(logger, 'warn');
    for (const hook of hooks) {
      requireProgram(hook);
      this.#programs.set(hook.event, [...(this.#programs.get(hook.event) ?? []), hook.program]);
    }
    const kinds = hooks.map(({ event }) => event);
    this.#unsubscribe = hub.subscribe((events, lost) => this.#take(events, lost), kinds);
  }

  /** Runs the waiting programs. To be called when the process has its final user. */
  start(): void {
    this.#isStarted = true;
    this.#next();
  }

  /** Runs the programs of the last events, waits up to `CLOSING_MS` for all programs, and ends the rest. */
  async close(): Promise<void> {
    this.#options.hub.flush();
    this.#unsubscribe();
    if (!this.#isStarted) return;
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
    this.#next();
    const late = setTimeout(() => {
      this.#lose(this.#waiting.splice(0).length);
      for (const run of this.#running) run.terminate();
    }, CLOSING_MS);
    await idle;
    clearTimeout(late);
  }

  #take(events: readonly SwitchEvent[], lost: number): void {
    let missing = lost;
    for (const event of events) {
      for (const program of this.#programs.get(event.event) ?? []) {
        if (this.#waiting.length >= MOST_WAITING) missing++;
        else this.#waiting.push({ program, event });
      }
    }
    this.#lose(missing);
    this.#next();
  }

  #lose(count: number): void {
    if (count === 0) return;
    this.#lost += count;
    const facts = { lost: this.#lost, running: this.#running.size, waiting: this.#waiting.length };
    this.#warnings.warn(facts, 'events come faster than their hooks end: some are not run');
  }

  #next(): void {
    while (this.#isStarted && this.#running.size < MOST_RUNNING) {
      const run = this.#waiting.shift();
      if (run === undefined) break;
      void this.#run(run);
    }
    if (this.#running.size === 0 && this.#waiting.length === 0) this.#whenIdle?.();
  }

  async #run({ program, event }: Run): Promise<void> {
    const facts = { hook: program, event: event.event, sequence: event.sequence };
    const tell = (output: string): void => this.#info.info({ ...facts, output }, 'a hook says');
    const { timeoutMs } = this.#options;
    const running = new HookProcess(program, event, timeoutMs, tell);
    this.#running.add(running);
    const end = await running.ended;
    this.#running.delete(running);
    if ('error' in end) {
      this.#warnings.warn({ ...facts, reason: describeError(end.error) }, 'a hook cannot be run');
    } else if ('signal' in end) {
      const why = end.isLate
        ? `a hook was ended, since it ran for more than ${timeoutMs / 1000} s`
        : 'a hook was ended';
      this.#warnings.warn({ ...facts, signal: end.signal }, why);
    } else if (end.status !== 0) this.#warnings.warn({ ...facts, status: end.status }, 'a hook has failed');
    this.#next();
  }
}
