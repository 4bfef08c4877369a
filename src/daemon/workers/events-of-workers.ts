import type { WatchedEvent } from '../../control/event-stream.ts';
import type { NodeStream, OpenNodeStream } from '../../control/nodes/node-stream.ts';
import type { EventKind } from '../../events/event.ts';
import type { EventHub } from '../../events/event-hub.ts';
import type { Logger } from '../../observability/logger.ts';
import { SilentWorkers } from './silent-workers.ts';

export interface EventsOfWorkersOptions {
  /** that of the first process, whose subscribers get the events of all */
  readonly hub: EventHub;
  /** the numbers of the workers that answer */
  readonly workers: () => readonly number[];
  readonly open: OpenNodeStream;
  readonly logger: Logger;
}

/** What each process says for itself, although it is about all of them; the first one has said it. */
const SAID_ONCE: ReadonlySet<EventKind> = new Set([
  'network-added',
  'network-removed',
  'root-changed',
  'topology-change',
  'multicast-querier',
  'worker-up',
  'worker-down',
  'node-up',
  'node-down',
  'store-lost',
  'store-found',
  'reload',
]);
/** A worker whose events cannot be had is asked again after this time. */
const AGAIN_MS = 1000;

/** Publishes the events of workers in the first process, so that its subscribers and hooks have those of the whole service. */
export class EventsOfWorkers {
  readonly #options: EventsOfWorkersOptions;
  readonly #streams = new Map<number, NodeStream | 'opening'>();
  readonly #silent: SilentWorkers;
  readonly #stop: () => void;
  #wanted: readonly EventKind[] = [];
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: EventsOfWorkersOptions) {
    this.#options = options;
    this.#silent = new SilentWorkers(options.logger, 'the events');
    this.#stop = options.hub.onWanted(() => this.look());
    this.look();
  }

  /** To be called when a worker is ready, too. */
  look(): void {
    if (this.#isClosed) return;
    const wanted = this.#options.hub.wanted.filter((kind) => !SAID_ONCE.has(kind));
    if (wanted.join() !== this.#wanted.join()) {
      this.#wanted = wanted;
      for (const stream of this.#open) stream.call('subscribe', { events: wanted });
    }
    if (wanted.length === 0) return;
    for (const worker of this.#options.workers()) if (!this.#streams.has(worker)) void this.#follow(worker);
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
    clearTimeout(this.#again);
    for (const stream of this.#open) stream.end();
  }

  get #open(): NodeStream[] {
    return [...this.#streams.values()].filter((stream) => stream !== 'opening');
  }

  /** Never rejects. */
  async #follow(worker: number): Promise<void> {
    this.#streams.set(worker, 'opening');
    const events = this.#wanted;
    const caller = { user: null, networks: null };
    let isOver = false;
    try {
      const stream = await this.#options.open(
        `w${worker}`,
        caller,
        'subscribe',
        { events },
        {
          notified: (method, event) => {
            if (method === 'event') this.#publish(worker, event as WatchedEvent);
          },
          ended: () => {
            isOver = true;
            this.#lost(worker);
          },
        },
      );
      // It may have ended before this is told of its beginning.
      if (isOver) return;
      if (this.#isClosed) return stream.end();
      this.#silent.had(worker);
      this.#streams.set(worker, stream);
      if (events !== this.#wanted) stream.call('subscribe', { events: this.#wanted });
    } catch (error) {
      this.#silent.failed(worker, error);
      this.#lost(worker);
    }
  }

  #lost(worker: number): void {
    this.#streams.delete(worker);
    if (this.#isClosed) return;
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.look();
    }, AGAIN_MS).unref();
  }

  /** Ports of the mesh between the processes are none of the service. */
  #publish(worker: number, { event, sequence: _, ...facts }: WatchedEvent): void {
    const { hub } = this.#options;
    if (event === 'lost') hub.lose(Number(facts['lost']));
    else if (facts['type'] !== 'mesh') hub.publish(event as EventKind, { ...facts, worker });
  }
}
