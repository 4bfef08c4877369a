import { describeError } from '../errors.ts';
import type { SwitchEvent } from '../events/event.ts';
import type { EventHub } from '../events/event-hub.ts';
import { limitLevel } from '../observability/limited-logger.ts';
import type { Logger } from '../observability/logger.ts';
import { type Hook, requirePrograms } from './hook.ts';
import { HookProcess } from './hook-process.ts';

/** The programs, and how long one may run. */
export interface HookSettings {
  readonly hooks: readonly Hook[];
  readonly timeoutMs: number;
}

export interface HookRunnerOptions extends HookSettings {
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
  readonly #hub: EventHub;
  #timeoutMs = 0;
  #programs: ReadonlyMap<string, readonly string[]> = new Map();
  readonly #info: Logger;
  readonly #warnings: Logger;
  #unsubscribe: () => void = () => undefined;
  readonly #running = new Set<HookProcess>();
  readonly #waiting: Run[] = [];
  #lost = 0;
  #isStarted = false;
  #whenIdle: (() => void) | undefined;

  /** @throws EtherwsError FILE_UNREADABLE for a program that cannot be run */
  constructor(options: HookRunnerOptions) {
    const { hub, logger } = options;
    this.#hub = hub;
    // Programs and peers cause these records, so they are rate-limited.
    this.#info = limitLevel(logger, 'info');
    this.#warnings = limitLevel(logger, 'warn');
    requirePrograms(options.hooks);
    this.change(options);
  }

  /**
   * From now on these programs run on events. Events before the change have the former programs, which may run longer than
   * the new limit.
   */
  change({ hooks, timeoutMs }: HookSettings): void {
    this.#hub.flush();
    this.#unsubscribe();
    const programs = new Map<string, string[]>();
    for (const { event, program } of hooks) programs.set(event, [...(programs.get(event) ?? []), program]);
    this.#programs = programs;
    this.#timeoutMs = timeoutMs;
    const kinds = hooks.map(({ event }) => event);
    this.#unsubscribe = this.#hub.subscribe((events, lost) => this.#take(events, lost), kinds);
  }

  /** Runs the waiting programs. To be called when the process has its final user. */
  start(): void {
    this.#isStarted = true;
    this.#next();
  }

  /** Runs the programs of the last events, waits up to `CLOSING_MS` for all programs, and ends the rest. */
  async close(): Promise<void> {
    this.#hub.flush();
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
    const timeoutMs = this.#timeoutMs;
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
