import type { StoreChannel } from '../../cluster/ipc-channel.ts';
import { IpcStore } from '../../cluster/ipc-store.ts';
import type { SwConfig } from '../../config/sw-config.ts';
import { describeError, EtherwsError } from '../../errors.ts';
import type { AcceptedConnection } from '../../net/accepted-connection.ts';
import { optimizeEarly } from '../../runtime/early-optimization.ts';
import { keepYoungGenerationSmall } from '../../runtime/young-generation.ts';
import type { Daemon } from '../daemon.ts';
import { SharedTunnels } from './shared-tunnels.ts';
import { configOfTask } from './worker-config.ts';
import { workerLogger } from './worker-logger.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';

/*
 * The program of a worker: a switch that accepts the tunnels which the first process of its service hands over. It is started
 * by WorkerProcess, and ends with the channel to that process.
 */

/** The time for tunnels to end, and for what keeps the process alive by mistake. */
const EXIT_PATIENCE_MS = 4000;
/** How often the load is told, if it has changed. */
const LOAD_INTERVAL_MS = 50;

class Worker {
  readonly #logger = workerLogger((record) => send(record));
  readonly #storeChannel: StoreChannel = {
    send: (text) => send({ type: 'store', text }),
    onText: undefined,
    onGone: undefined,
  };
  readonly #pems = new Map<string, string>();
  #config: SwConfig | undefined;
  #daemon: Daemon | undefined;
  #tunnels: SharedTunnels | undefined;
  #isEnding = false;

  receive(message: ToWorker, connection: AcceptedConnection | undefined): void {
    switch (message.type) {
      case 'start':
        void this.#start(message.task);
        break;
      case 'connection':
        if (connection !== undefined) this.#take(connection);
        break;
      case 'reload':
        void this.#reload(message);
        break;
      case 'levels':
        this.#logger.setLevels(message.levels);
        break;
      case 'places':
        this.#tunnels?.elsewhere.apply(message.changes);
        break;
      case 'store':
        this.#storeChannel.onText?.(message.text);
        break;
      case 'stop':
        void this.end();
        break;
    }
  }

  /** The first process has ended. */
  orphaned(): void {
    this.#storeChannel.onGone?.();
    void this.end();
  }

  /** Ends tunnels with a close code, and then the process. Idempotent. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setTimeout(() => process.exit(1), EXIT_PATIENCE_MS).unref();
    await this.#daemon?.close();
    process.exit(0);
  }

  async #start(task: WorkerTask): Promise<void> {
    try {
      this.#logger.setLevels(task.levels);
      for (const [path, text] of task.pems) this.#pems.set(path, text);
      const configOf = (config: SwConfig): SwConfig =>
        configOfTask({ ...task, config }, (path) => this.#pems.get(path));
      this.#config = configOf(task.config);
      this.#configOf = configOf;
      const store = new IpcStore(this.#storeChannel);
      const { Daemon } = await import('../daemon.ts');
      await store.table('sessions').whenLoaded();
      const daemon = await Daemon.start(this.#config, this.#logger, {
        file: { path: '', read: async () => this.#config as SwConfig },
        firstNumber: task.firstNumber,
        localNode: {
          ...task.mesh,
          key: Buffer.from(task.mesh.key, 'base64url'),
          store,
        },
      });
      this.#daemon = daemon;
      if (this.#isEnding) return await daemon.close();
      await daemon.keepState();
      this.#tunnels = new SharedTunnels(daemon.sharedTunnels);
      this.#tunnels.follow(LOAD_INTERVAL_MS, (load) => send({ type: 'load', load }));
      send({ type: 'ready' });
    } catch (error) {
      const { code, hint } = error instanceof EtherwsError ? error : { code: '', hint: undefined };
      send({ type: 'failed', code, message: describeError(error), hint });
      await this.end();
    }
  }

  #configOf: (config: SwConfig) => SwConfig = (config) => config;

  #take(connection: AcceptedConnection): void {
    if (this.#tunnels === undefined || this.#isEnding) connection.close();
    else this.#tunnels.take(connection);
  }

  async #reload({ config, pems }: Extract<ToWorker, { type: 'reload' }>): Promise<void> {
    this.#pems.clear();
    for (const [path, text] of pems) this.#pems.set(path, text);
    this.#config = this.#configOf(config);
    send({ type: 'reloaded', failures: (await this.#daemon?.reload()) ?? [] });
  }
}

function send(message: FromWorker): void {
  // The callback keeps the error of a channel that has just broken from being thrown.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

// Signals of a terminal and of a service manager go to all processes of a service; the first one ends its workers in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
keepYoungGenerationSmall();
optimizeEarly();
const worker = new Worker();
process.on('message', (message: ToWorker, connection?: AcceptedConnection) => worker.receive(message, connection));
process.on('disconnect', () => worker.orphaned());
