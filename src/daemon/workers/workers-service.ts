import type { SwConfig } from '../../config/sw-config.ts';
import type { OpenNodeStream } from '../../control/nodes/node-stream.ts';
import type { ProcessCalls } from '../../control/process-calls.ts';
import type { SwitchControl } from '../../control/schema.ts';
import type { EventHub } from '../../events/event-hub.ts';
import type { HttpListener } from '../../net/http-listener.ts';
import { LOG_LEVELS, LOG_ROOMS, type RoomedLogger, roomOf } from '../../observability/log-rooms.ts';
import type { Logger } from '../../observability/logger.ts';
import type { TunnelServer } from '../../ports/tunnel/accept/accept-tunnel.ts';
import type { ServiceIdentity } from '../service-identity.ts';
import { CallsToWorkers, NUMBERS_OF_EACH } from './calls-to-workers.ts';
import { EventsOfWorkers } from './events-of-workers.ts';
import { PlaceLedger } from './place-ledger.ts';
import type { ServiceMesh } from './service-mesh.ts';
import { SharedTunnels } from './shared-tunnels.ts';
import { workerConfig } from './worker-config.ts';
import type { PemTexts, WorkerTask } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

/** How long a change of places may wait until the other processes are told. */
const PLACES_INTERVAL_MS = 50;
const FIRST = 1;

export interface WorkersOptions {
  /** the configuration at the start of the service */
  readonly config: SwConfig;
  /** as last applied; what needs a restart is in it, too */
  readonly applied: () => SwConfig;
  readonly identity: ServiceIdentity | undefined;
  readonly tunnels: { readonly server: TunnelServer; readonly listener: HttpListener };
  readonly events: EventHub;
  /** the present networks, which calls may have changed */
  readonly networks: () => SwConfig['networks'];
  readonly mesh: ServiceMesh;
  /** the switch of this process */
  readonly own: SwitchControl;
  /** Opens streams to the other processes. */
  readonly open: OpenNodeStream;
  readonly hasState: boolean;
  readonly logger: Logger & Partial<RoomedLogger>;
}

/** The workers of a service, as its first process has them: their tasks, their limits, their log and their events. */
export class WorkersService {
  readonly #options: WorkersOptions;
  readonly #pool: WorkerPool;
  readonly #own: SharedTunnels;
  readonly #ledger = new PlaceLedger();
  #ownPlaces: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #events: EventsOfWorkers | undefined;

  /** @param count how many there are beside the first process */
  constructor(count: number, options: WorkersOptions) {
    this.#options = options;
    const { events, logger } = options;
    this.#own = new SharedTunnels(options.tunnels);
    this.#ledger.add(FIRST);
    this.#pool = new WorkerPool({
      count,
      taskOf: (number) => this.#taskOf(number, options.config),
      changeOf: (number) => this.#taskOf(number, options.applied()),
      ownTaken: () => this.#own.taken,
      log: (worker, { level, room, fields, message }) => roomOf(logger, room)[level]({ worker, ...fields }, message),
      started: (worker) => {
        this.#ledger.add(worker.number);
        options.mesh.serve(worker);
      },
      changed: (worker, reason) => {
        if (reason === undefined) {
          events.publish('worker-up', { worker });
          this.#events?.look();
          // What was changed since the start of the service, and does not need a restart of it.
          if (options.applied() !== options.config) void this.#pool.reload(worker);
        } else {
          this.#ledger.remove(worker);
          events.publish('worker-down', { worker, reason });
        }
        this.#tellPlacesSoon();
      },
      placesChanged: (number, changes) => {
        this.#ledger.apply(number, changes);
        this.#tellPlacesSoon();
      },
      logger,
    });
  }

  /** Starts the workers, and hands them connections from then on. @throws EtherwsError the reason why one cannot be started */
  async start(): Promise<void> {
    this.#ownPlaces = this.#own.follow(PLACES_INTERVAL_MS, ({ places }) => {
      this.#ledger.apply(FIRST, places);
      this.#tellPlacesSoon();
    });
    await this.#pool.start();
    const { events: hub, open, logger } = this.#options;
    this.#events = new EventsOfWorkers({ hub, open, logger, workers: () => this.#numbers });
    this.#options.tunnels.listener.share((connection) => this.#pool.offer(connection));
  }

  /** Calls at this process and its workers. */
  get calls(): ProcessCalls {
    const { mesh, own, open, logger } = this.#options;
    return new CallsToWorkers({
      own,
      open,
      workers: () => this.#numbers,
      ask: (worker, method, params) => mesh.ask(worker, { method, params }),
      logger,
    });
  }

  /** Of the workers that take connections. */
  get #numbers(): number[] {
    return this.#pool.workers.map(({ number }) => number);
  }

  reload(): Promise<readonly string[]> {
    return this.#pool.reload();
  }

  levelsChanged(): void {
    const levels = this.#levels();
    this.#pool.tellAll(() => ({ type: 'levels', levels }));
  }

  /** Ends the workers in order. Resolves when no process is left. Never rejects. */
  async close(): Promise<void> {
    this.#events?.close();
    clearInterval(this.#ownPlaces);
    clearTimeout(this.#telling);
    await this.#pool.close(this.#options.hasState ? 'restart' : 'shutdown');
  }

  #tellPlacesSoon(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#own.elsewhere.apply(this.#ledger.takeChangesFor(FIRST));
      this.#pool.tellAll(({ number }) => ({ type: 'places', changes: this.#ledger.takeChangesFor(number) }));
    }, PLACES_INTERVAL_MS).unref();
  }

  #taskOf(number: number, config: SwConfig): WorkerTask {
    const { tunnels, mesh } = this.#options;
    return {
      number,
      config: { ...workerConfig(config, number), networks: this.#options.networks() },
      address: tunnels.listener.address,
      firstNumber: (number - 1) * NUMBERS_OF_EACH,
      mesh: mesh.taskOf(number),
      pems: this.#pems(config),
      levels: this.#levels(),
    };
  }

  #pems(config: SwConfig): PemTexts {
    const { identity } = this.#options;
    const { tls, login } = config.tunnels;
    if (tls === undefined || identity === undefined) return [];
    const { key, cert, ca } = identity.options;
    const pems: [string, string][] = [
      [tls.keyFile, String(key)],
      [tls.certFile, String(cert)],
    ];
    return login.clientCaFile === undefined ? pems : [...pems, [login.clientCaFile, String(ca)]];
  }

  #levels(): WorkerTask['levels'] {
    const { logger } = this.#options;
    return (
      logger.rooms?.levels() ??
      LOG_ROOMS.map((room) => ({ room, level: LOG_LEVELS.find((level) => logger.isLevelEnabled(level)) ?? 'error' }))
    );
  }
}
