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

/** Others wait meanwhile, and for them a login has its time. */
const LONGEST_REST_MS = 50;
/** An idle thread holds some 10 MiB; starting one again takes some 50 ms of a login. */
const KEEP_IDLE_MS = 10_000;

/** `busy`: nothing was verified, and trying again later may succeed. */
export type HashVerdict = 'match' | 'mismatch' | 'busy';

export interface PasswordVerifier {
  /**
   * Never rejects.
   * @param owner of the question, such as an address: a full queue gives each owner a fair share
   */
  verify(password: string, hash: PasswordHash, owner?: string): Promise<HashVerdict>;
  /** Everything that waits is `busy`, and so is every later question. */
  close(): Promise<void>;
}

export interface HashVerifierOptions {
  readonly logger?: Logger;
  /** How many questions may wait behind the one that is being computed; one more is `busy`. Bounds memory and time. */
  readonly maxWaiting?: number;
  /** After the worker died, how long every question is `busy` before it is started again. Stops a loop of crashes. */
  readonly restartDelayMs?: number;
  /** How long the thread rests behind a password that was wrong, by how long it computed; default: as long, but 50 ms at most. */
  readonly restMs?: (computedMs: number) => number;
  /** How long the thread is kept behind its last question; default 10 s. */
  readonly keepIdleMs?: number;
  /** The worker's program; tests put in others. */
  readonly workerUrl?: URL;
}

interface Waiting {
  readonly question: HashQuestion;
  answer(verdict: HashVerdict): void;
}

/**
 * Verifies passwords one after another in one worker thread, so that a login
 * costs the frames no time. Behind a wrong one it rests, so that guessing leaves
 * part of that processor to others. The worker starts with a question, keeps the process alive
 * only while there is one, and ends when it has been idle for `keepIdleMs`.
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
  /** Runs while the worker rests. */
  #rest: NodeJS.Timeout | undefined;
  /** Runs while the worker has nothing to do; its end ends the worker. */
  #idle: NodeJS.Timeout | undefined;
  #worker: Worker | undefined;
  #restartAtMs = 0;
  #isClosed = false;

  constructor(options: HashVerifierOptions = {}) {
    this.#logger = options.logger ?? SILENT;
    this.#waiting = new LoginQueue(options.maxWaiting ?? 64);
    this.#restartDelayMs = options.restartDelayMs ?? 1000;
    this.#restMs = options.restMs ?? ((computedMs) => Math.min(computedMs, LONGEST_REST_MS));
    this.#keepIdleMs = options.keepIdleMs ?? KEEP_IDLE_MS;
    // The compiled neighbour: the build rewrites import specifiers, but not this one.
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
    const worker = this.#dismiss();
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
        this.#idle ??= setTimeout(() => void this.#dismiss()?.terminate(), this.#keepIdleMs).unref();
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
      // It needs neither the flags nor the environment of the daemon, which may hold a password.
      worker = new Worker(this.#workerUrl, {
        name: 'etherws-hash',
        execArgv: [],
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
      });
    } catch (error) {
      // ERR_WORKER_INIT_FAILED: the system has no thread left for this user or service.
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

  /** Takes the worker out of office: what it reports from now on does not count. */
  #dismiss(): Worker | undefined {
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

  /** Error and exit both end here; only the first one of the worker in office counts. */
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

  #giveUp(): void {
    const abandoned = this.#waiting.drain();
    if (this.#current !== undefined) abandoned.unshift(this.#current);
    this.#current = undefined;
    for (const { answer } of abandoned) answer('busy');
  }
}
