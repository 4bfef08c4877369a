import type { CloseReason } from '../../bridge/port.ts';
import { describeError } from '../../errors.ts';
import type { AcceptedConnection } from '../../net/accepted-connection.ts';
import type { Logger } from '../../observability/logger.ts';
import type { PlaceCounts } from '../../ports/tunnel/resume/tunnel-places.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';
import { type WorkerEvents, WorkerProcess } from './worker-process.ts';

/** A worker that has ended is started again after this time, which doubles with each end soon after a start. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** A worker that was ready for this time has shown that it works. */
const STEADY_MS = 60_000;
/** The time for all workers to end their tunnels; then they are killed. */
const STOP_PATIENCE_MS = 5000;

export interface WorkerPoolOptions {
  /** How many workers there are beside the first process. */
  readonly count: number;
  /** Makes the task of a worker at its start. */
  readonly taskOf: (number: number) => WorkerTask;
  /** Makes its present task, for a reload. */
  readonly changeOf: (number: number) => WorkerTask;
  /** What the first process has: its tunnels, handshakes and connections before these. */
  readonly ownTaken: () => number;
  readonly log: (number: number, record: Extract<FromWorker, { type: 'log' }>) => void;
  /** Called when a worker is started, before it is ready. */
  readonly started?: (worker: WorkerProcess) => void;
  /** Called when a worker takes connections, and when it has ended. @param reason undefined: it is ready */
  readonly changed: (number: number, reason: string | undefined) => void;
  readonly placesChanged: (number: number, changes: PlaceCounts) => void;
  readonly logger: Logger;
}

/**
 * The workers of a service: it starts them again when they end, and hands each connection to the one that has the fewest.
 * Long-lived tunnels are few, so what counts is that they are spread evenly: a kernel that chooses by hash (SO_REUSEPORT)
 * or by which process wakes first gave one of two workers up to all of 2 to 8 tunnels.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #pauses = new Map<number, number>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #isClosing = false;
  #hasStarted = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Starts all workers; resolves when they take connections. @throws EtherwsError the reason why one cannot */
  async start(): Promise<void> {
    for (let number = 2; number < 2 + this.#options.count; number++) this.#start(number);
    await Promise.all([...this.#workers.values()].map(({ ready }) => ready));
    this.#hasStarted = true;
  }

  /** Those that take connections. */
  get workers(): readonly WorkerProcess[] {
    return [...this.#workers.values()].filter(({ isReady }) => isReady);
  }

  /** Hands a connection to a worker. @returns false if the first process has the fewest, and serves it */
  offer(connection: AcceptedConnection): boolean {
    if (this.#isClosing) return false;
    let chosen: WorkerProcess | undefined;
    let fewest = this.#options.ownTaken();
    for (const worker of this.#workers.values()) {
      if (!worker.isReady || worker.taken >= fewest) continue;
      chosen = worker;
      fewest = worker.taken;
    }
    chosen?.hand(connection);
    return chosen !== undefined;
  }

  /** Has all workers, or one of them, apply the present configuration. @returns the reasons of failures. Never rejects */
  async reload(only?: number): Promise<readonly string[]> {
    const meant = this.workers.filter(({ number }) => only === undefined || number === only);
    const all = meant.map(async (worker) => {
      const failures = await worker.reload(this.#options.changeOf(worker.number));
      return failures.map((reason) => `worker ${worker.number}: ${reason}`);
    });
    return (await Promise.all(all)).flat();
  }

  tellAll(messageFor: (worker: WorkerProcess) => Extract<ToWorker, { type: 'levels' | 'places' }>): void {
    for (const worker of this.workers) worker.tell(messageFor(worker));
  }

  /** Ends all workers at once, in order: tunnels end with a close code. Resolves when no process is left. */
  async close(reason: CloseReason): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.tell({ type: 'stop', reason });
    const timer = setTimeout(() => {
      for (const worker of workers) worker.kill();
    }, STOP_PATIENCE_MS);
    await Promise.all(workers.map(({ ended }) => ended));
    clearTimeout(timer);
  }

  #start(number: number): void {
    const { taskOf, log, logger, started, changed, placesChanged } = this.#options;
    const events: WorkerEvents = {
      log: (record) => log(number, record),
      placesChanged: (changes) => placesChanged(number, changes),
      ended: (reason) => this.#ended(number, reason, readyMs),
    };
    let readyMs: number | undefined;
    const worker = new WorkerProcess(taskOf(number), events);
    this.#workers.set(number, worker);
    started?.(worker);
    worker.ready.then(
      () => {
        readyMs = performance.now();
        logger.info({ worker: number, pid: worker.pid }, 'worker ready');
        changed(number, undefined);
      },
      (error: unknown) => {
        if (this.#hasStarted && !this.#isClosing)
          logger.error({ worker: number, reason: describeError(error) }, 'a worker cannot be started');
      },
    );
  }

  #ended(number: number, reason: string, readyMs: number | undefined): void {
    this.#workers.delete(number);
    if (this.#isClosing) return;
    this.#options.changed(number, reason);
    const wasSteady = readyMs !== undefined && performance.now() - readyMs >= STEADY_MS;
    const pauseMs = wasSteady ? FIRST_PAUSE_MS : (this.#pauses.get(number) ?? FIRST_PAUSE_MS);
    this.#pauses.set(number, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    // A worker that fails at the start of the service ends the service.
    if (!this.#hasStarted) return;
    this.#options.logger.error({ worker: number, reason, pauseMs }, 'a worker has ended, and is started again');
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      if (!this.#isClosing) this.#start(number);
    }, pauseMs);
    this.#restarts.add(timer);
  }
}
