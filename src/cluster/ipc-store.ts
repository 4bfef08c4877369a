import { EtherwsError } from '../errors.ts';
import {
  type ClusterStore,
  type ClusterTable,
  TABLE_NAMES,
  type TableChange,
  type TableEntry,
  type TableName,
} from './cluster-store.ts';
import { CopiedTable } from './copied-table.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { StoreChannel, StoreCommand, StoreNotice } from './ipc-channel.ts';
import { type Answer, answerOf, resultOf, storeUnavailable } from './store-errors.ts';
import { TableCopy } from './table-copy.ts';

/** The other end answers with an error of its own at the deadline; this is for one that answers nothing. */
const PATIENCE_MS = 1000;

/**
 * The store of a node whose store is in another process of this machine: that of a worker, whose service has it. The other
 * end is `serveStore`.
 */
export class IpcStore implements ClusterStore {
  readonly #channel: StoreChannel;
  readonly #copies = new Map<TableName, TableCopy>(TABLE_NAMES.map((name) => [name, new TableCopy()]));
  readonly #tables: ReadonlyMap<TableName, ClusterTable>;
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  readonly #subscriptions = new Map<number, (message: unknown, subject: string) => void>();
  readonly #answerers = new Map<number, (message: unknown) => Promise<unknown>>();
  readonly #calls = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #isConnected = false;
  #isClosed = false;

  constructor(channel: StoreChannel) {
    this.#channel = channel;
    this.#tables = new Map(TABLE_NAMES.map((name) => [name, new IpcTable(name, this.#copy(name), this)]));
    channel.onText = (text) => this.#receive(JSON.parse(text) as StoreNotice);
    channel.onGone = () => this.#setConnected(false);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  onConnection(listener: (isConnected: boolean) => void): () => void {
    const own = (isConnected: boolean): void => listener(isConnected);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  publish(subject: string, message: unknown): void {
    if (this.#isConnected) this.#send({ do: 'publish', subject, message });
  }

  async flush(): Promise<void> {
    if (!this.#isConnected) return;
    // The other end has its own bound; a result that is lost with it is no matter.
    await this.call((id) => ({ do: 'flush', id }), 'The messages cannot be sent', 2 * PATIENCE_MS).catch(
      () => undefined,
    );
  }

  subscribe(subject: string, listener: (message: unknown, subject: string) => void): () => void {
    return this.#register('subscribe', subject, this.#subscriptions, listener);
  }

  respond(subject: string, answer: (message: unknown) => Promise<unknown>): () => void {
    return this.#register('respond', subject, this.#answerers, answer);
  }

  request(subject: string, message: unknown, timeoutMs: number): Promise<unknown> {
    return this.call(
      (id) => ({ do: 'request', id, subject, message, timeoutMs }),
      `The request "${subject}" failed`,
      timeoutMs + PATIENCE_MS,
    );
  }

  table(name: TableName): ClusterTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`there is no table ${name}`);
    return table;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#send({ do: 'close' });
    this.#isClosed = true;
    this.#listeners.clear();
    this.#setConnected(false);
  }

  /**
   * Has the other end do something, and waits for the result.
   * @param what the beginning of the sentence of an error
   * @throws EtherwsError CLUSTER_UNAVAILABLE, CLUSTER_TIMEOUT, or that of the other end
   */
  async call(commandOf: (id: number) => StoreCommand, what: string, timeoutMs: number): Promise<unknown> {
    if (!this.#isConnected) throw storeUnavailable(what);
    const id = ++this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        timer = setTimeout(() => reject(tooLate(what, timeoutMs)), timeoutMs);
        this.#calls.set(id, resolve);
        this.#send(commandOf(id));
      });
      return resultOf(answer);
    } finally {
      clearTimeout(timer);
      this.#calls.delete(id);
    }
  }

  #register<T>(kind: 'subscribe' | 'respond', subject: string, all: Map<number, T>, listener: T): () => void {
    const id = ++this.#lastId;
    all.set(id, listener);
    this.#send({ do: kind, id, subject });
    return () => {
      if (all.delete(id)) this.#send({ do: 'stop', id });
    };
  }

  #receive(notice: StoreNotice): void {
    if (this.#isClosed) return;
    switch (notice.tell) {
      case 'connection':
        this.#setConnected(notice.isConnected);
        break;
      case 'entry':
        this.#copy(notice.table).set(deepFreeze({ ...notice.entry, value: notice.entry.value }) as TableEntry);
        break;
      case 'loaded':
        this.#copy(notice.table).setLoaded();
        break;
      case 'message':
        this.#subscriptions.get(notice.id)?.(deepFreeze(notice.message), notice.subject);
        break;
      case 'call':
        void this.#answer(notice.id, notice.call, notice.message);
        break;
      case 'result':
        this.#calls.get(notice.id)?.(notice.answer);
        break;
    }
  }

  async #answer(id: number, call: number, message: unknown): Promise<void> {
    const answer = this.#answerers.get(id);
    if (answer === undefined) return;
    this.#send({ do: 'answer', call, answer: await answerOf(() => answer(message)) });
  }

  #setConnected(isConnected: boolean): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    if (!isConnected) for (const settle of [...this.#calls.values()]) settle(CUT);
    for (const listener of [...this.#listeners]) listener(isConnected);
  }

  #copy(name: TableName): TableCopy {
    return this.#copies.get(name) as TableCopy;
  }

  #send(command: StoreCommand): void {
    if (!this.#isClosed) this.#channel.send(JSON.stringify(command));
  }
}

const CUT: Answer = {
  error: {
    code: 'CLUSTER_UNAVAILABLE',
    message: 'The connection to the store was lost before the answer came',
    hint: 'The change may have been made or not: read it again',
  },
};

class IpcTable extends CopiedTable {
  readonly #name: TableName;
  readonly #store: IpcStore;

  constructor(name: TableName, copy: TableCopy, store: IpcStore) {
    super(copy);
    this.#name = name;
    this.#store = store;
  }

  async put(key: string, value: unknown, change: TableChange = {}): Promise<number> {
    if (value === undefined) throw new TypeError('a value is JSON; remove() removes a key');
    return (await this.#change('put', key, value, change)) as number;
  }

  async remove(key: string, change: TableChange = {}): Promise<void> {
    await this.#change('remove', key, undefined, change);
  }

  async history(key: string): Promise<readonly TableEntry[]> {
    const table = this.#name;
    const what = `The history of "${key}" cannot be read`;
    const entries = await this.#store.call((id) => ({ do: 'history', id, table, key }), what, CHANGE_TIMEOUT_MS);
    // JSON has left out the value of a removal.
    return (entries as TableEntry[]).map((entry) => ({ ...entry, value: entry.value }));
  }

  #change(kind: 'put' | 'remove', key: string, value: unknown, change: TableChange): Promise<unknown> {
    const table = this.#name;
    return this.#store.call(
      (id) => ({ do: kind, id, table, key, value, change }),
      `"${key}" cannot be changed`,
      CHANGE_TIMEOUT_MS,
    );
  }
}

const CHANGE_TIMEOUT_MS = 30_000;

function tooLate(what: string, timeoutMs: number): EtherwsError {
  return new EtherwsError(
    'CLUSTER_TIMEOUT',
    `${what}: the process with the store gave no answer within ${timeoutMs} ms`,
  );
}
