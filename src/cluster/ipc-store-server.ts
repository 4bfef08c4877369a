import { type ClusterStore, TABLE_NAMES } from './cluster-store.ts';
import type { StoreChannel, StoreCommand, StoreNotice } from './ipc-channel.ts';
import { type Answer, answerOf, resultOf } from './store-errors.ts';

/**
 * Gives a store to the node at the other end of a channel, which is an `IpcStore` there. The store is that node's own: it is
 * closed with the channel.
 */
export function serveStore(store: ClusterStore, channel: StoreChannel): void {
  const server = new StoreServer(store, channel);
  channel.onText = (text) => server.receive(JSON.parse(text) as StoreCommand);
  channel.onGone = () => server.close();
}

class StoreServer {
  readonly #store: ClusterStore;
  readonly #channel: StoreChannel;
  /** what stops subscriptions and answerers, by the ids of the node */
  readonly #stops = new Map<number, () => void>();
  readonly #calls = new Map<number, (answer: Answer) => void>();
  #lastCall = 0;
  #isClosed = false;

  constructor(store: ClusterStore, channel: StoreChannel) {
    this.#store = store;
    this.#channel = channel;
    this.#tell({ tell: 'connection', isConnected: store.isConnected });
    store.onConnection((isConnected) => this.#tell({ tell: 'connection', isConnected }));
    for (const table of TABLE_NAMES) {
      store.table(table).watch((entry) => this.#tell({ tell: 'entry', table, entry }));
      void store
        .table(table)
        .whenLoaded()
        .then(() => this.#tell({ tell: 'loaded', table }));
    }
  }

  receive(command: StoreCommand): void {
    if (this.#isClosed) return;
    const store = this.#store;
    switch (command.do) {
      case 'publish':
        store.publish(command.subject, command.message);
        break;
      case 'subscribe': {
        const { id } = command;
        const tell = (message: unknown, subject: string): void => this.#tell({ tell: 'message', id, subject, message });
        this.#stops.set(id, store.subscribe(command.subject, tell));
        break;
      }
      case 'respond':
        this.#stops.set(
          command.id,
          store.respond(command.subject, (message) => this.#ask(command.id, message)),
        );
        break;
      case 'stop':
        this.#stops.get(command.id)?.();
        this.#stops.delete(command.id);
        break;
      case 'answer':
        this.#calls.get(command.call)?.(command.answer);
        break;
      case 'close':
        this.close();
        break;
      default:
        void this.#run(command);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const settle of [...this.#calls.values()]) settle(GONE);
    void this.#store.close();
  }

  async #run(
    command: Extract<StoreCommand, { do: 'flush' | 'request' | 'put' | 'remove' | 'history' }>,
  ): Promise<void> {
    const answer = await answerOf(() => this.#resultOf(command));
    this.#tell({ tell: 'result', id: command.id, answer });
  }

  #resultOf(
    command: Extract<StoreCommand, { do: 'flush' | 'request' | 'put' | 'remove' | 'history' }>,
  ): Promise<unknown> {
    const store = this.#store;
    switch (command.do) {
      case 'flush':
        return store.flush();
      case 'request':
        return store.request(command.subject, command.message, command.timeoutMs);
      case 'put':
        return store.table(command.table).put(command.key, command.value, command.change);
      case 'remove':
        return store.table(command.table).remove(command.key, command.change);
      case 'history':
        return store.table(command.table).history(command.key);
    }
  }

  async #ask(id: number, message: unknown): Promise<unknown> {
    const call = ++this.#lastCall;
    try {
      return resultOf(
        await new Promise<Answer>((resolve) => {
          this.#calls.set(call, resolve);
          this.#tell({ tell: 'call', id, call, message });
        }),
      );
    } finally {
      this.#calls.delete(call);
    }
  }

  #tell(notice: StoreNotice): void {
    if (!this.#isClosed) this.#channel.send(JSON.stringify(notice));
  }
}

const GONE: Answer = { error: { code: 'CLUSTER_UNAVAILABLE', message: 'The node that was asked has gone' } };
