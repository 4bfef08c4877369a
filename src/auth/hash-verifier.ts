import { Worker } from 'node:worker_threads';
import { type Logger, SILENT } from '../observability/logger.ts';
import { LoginQueue } from './login-queue.ts';
import type { PasswordHash } from './password-hash.ts';

export interface HashQuestion {
  readonly password: string;
  readonly hash: PasswordHash;
}

export interface HashAnswer {
  readonly isMatch: boolean;
}

/** The longest pause after a wrong password: other logins wait during it. */
const MAX_REST_MS = 50;
/** An idle thread takes about 10 MiB; starting it again delays a login by about 50 ms. */
const KEEP_IDLE_MS = 10_000;

/** `busy`: nothing was verified; a later attempt may succeed. */
export type HashVerdict = 'match' | 'mismatch' | 'busy';

export interface PasswordVerifier {
  /**
   * Never rejects.
   * @param owner such as an address: each owner has a fair share of a full queue
   */
  verify(password: string, hash: PasswordHash, owner?: string): Promise<HashVerdict>;
  /** Answers all queued and all later calls of `verify` by `busy`. */
  close(): Promise<void>;
}

export interface HashVerifierOptions {
  readonly logger?: Logger;
  /** The most queued questions; one more is `busy`. Bounds memory and time. Default 64. */
  readonly maxWaiting?: number;
  /** For how long every question is `busy` after the worker failed. Prevents a loop of crashes. Default 1 s. */
  readonly restartDelayMs?: number;
  /** The pause after a wrong password, given the time that it took to compute. Default: the same time, at most 50 ms. */
  readonly restMs?: (computedMs: number) => number;
  /** The worker ends when it was idle for so long. Default 10 s. */
  readonly keepIdleMs?: number;
  /** The worker's program, for tests. */
  readonly workerUrl?: URL;
}

interface Waiting {
  readonly question: HashQuestion;
  answer(verdict: HashVerdict): void;
}

/**
 * Verifies passwords one after another in one worker thread, so that logins
 * do not delay frames. After a wrong password the thread pauses, so that guessing
 * cannot take a whole processor. The worker is started by a question, keeps the process
 * alive only while there is one, and ends when it was idle for `keepIdleMs`.
 */
export class HashVerifier implements PasswordVerifier {
  readonly #logger: Logger;
  readonly #restartDelayMs: number;
  readonly #restMs: (computedMs: number) => number;
  readonly #keepIdleMs: number;
  readonly #workerUrl: URL;
  readonly #waiting: LoginQueue<Waiting>;
  #current: Waiting | undefined;
  #askedAtMs = 0;
  /** The pause after a wrong password. */
  #rest: NodeJS.Timeout | undefined;
  /** Runs while the worker is idle, and then ends it. */
  #idle: NodeJS.Timeout | undefined;
  #worker: Worker | undefined;
  #restartAtMs = 0;
  #isClosed = false;

  constructor(options: HashVerifierOptions = {}) {
    this.#logger = options.logger ?? SILENT;
    this.#waiting = new LoginQueue(options.maxWaiting ?? 64);
    this.#restartDelayMs = options.restartDelayMs ?? 1000;
    this.#restMs = options.restMs ?? ((computedMs) => Math.min(computedMs, MAX_REST_MS));
    this.#keepIdleMs = options.keepIdleMs ?? KEEP_IDLE_MS;
    // `.js`: the build rewrites the extension in imports, but not in this string.
    this.#workerUrl = options.workerUrl ?? new URL('./hash-worker.js', import.meta.url);
  }

  verify(password: string, hash: PasswordHash, owner = ''): Promise<HashVerdict> {
    if (this.#isClosed) return Promise.resolve('busy');
    return new Promise((answer) => {
      const asked: Waiting = { question: { password, hash }, answer };
      if (this.#isIdle() && this.#waiting.length === 0) return this.#ask(asked);
      this.#waiting.push(owner, asked)?.answer('busy');
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#rest);
    clearTimeout(this.#idle);
    const worker = this.#detach();
    this.#giveUp();
    await worker?.terminate();
  }

  #isIdle(): boolean {
    return this.#current === undefined && this.#rest === undefined;
  }

  #next(): void {
    while (this.#isIdle()) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#worker?.unref();
        this.#idle ??= setTimeout(() => void this.#detach()?.terminate(), this.#keepIdleMs).unref();
        return;
      }
      this.#ask(next);
    }
  }

  #ask(asked: Waiting): void {
    const worker = this.#worker ?? this.#start();
    if (worker === undefined) {
      asked.answer('busy');
      return;
    }
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.#current = asked;
    this.#askedAtMs = performance.now();
    worker.ref();
    worker.postMessage(asked.question);
  }

  #start(): Worker | undefined {
    if (performance.now() < this.#restartAtMs) return undefined;
    let worker: Worker;
    try {
      // The worker needs no flags and no environment of the daemon. The environment may contain a password.
      worker = new Worker(this.#workerUrl, {
        name: 'etherws-hash',
        execArgv: [],
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
      });
    } catch (error) {
      // ERR_WORKER_INIT_FAILED: the limit of threads of this user or service is reached.
      this.#restartLater(error as Error);
      return undefined;
    }
    worker.on('message', ({ isMatch }: HashAnswer) => {
      const answered = this.#current;
      this.#current = undefined;
      answered?.answer(isMatch ? 'match' : 'mismatch');
      if (!isMatch) this.#pause();
      this.#next();
    });
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', (exitCode) => this.#died(worker, new Error(`exit code ${exitCode}`)));
    this.#worker = worker;
    return worker;
  }

  /** Detaches the worker, whose later events are then ignored. @returns it, to be terminated */
  #detach(): Worker | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#idle = undefined;
    return worker;
  }

  #pause(): void {
    const restMs = this.#restMs(performance.now() - this.#askedAtMs);
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#next();
    }, restMs);
  }

  /** For 'error' and 'exit'. Only the first event of the current worker counts. */
  #died(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#restartLater(error);
    this.#giveUp();
  }

  #restartLater(error: Error): void {
    this.#restartAtMs = performance.now() + this.#restartDelayMs;
    this.#logger.error(
      { error: error.message },
      'The thread that verifies passwords is not there and will be started again',
    );
  }

  /** Answers the current and all queued questions by `busy`. */
  #giveUp(): void {
    const abandoned = this.#waiting.drain();
    if (this.#current !== undefined) abandoned.unshift(this.#current);
    this.#current = undefined;
    for (const { answer } of abandoned) answer('busy');
  }
}
