import type { ClusterStore, ClusterTable, TableChange, TableEntry, TableName } from './cluster-store.ts';
import { TABLE_NAMES } from './cluster-store.ts';
import { CopiedTable } from './copied-table.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { HubMember, MemoryHub } from './memory-hub.ts';
import { type Answer, answerOf, noAnswer, resultOf, storeConflict, storeUnavailable } from './store-errors.ts';
import { TableCopy } from './table-copy.ts';

export { MemoryHub, type MemoryHubOptions, type Schedule } from './memory-hub.ts';

interface Request {
  readonly message: unknown;
  /** set by the first node that takes the request */
  isTaken: boolean;
  reply(answer: Answer): void;
}

/**
 * A node's store at a hub in the same process: for tests, simulations, and the workers of one machine. Values become JSON and
 * are frozen, so that it behaves like a store that is elsewhere.
 */
export class MemoryStore implements ClusterStore, HubMember {
  readonly #hub: MemoryHub;
  readonly #copies = new Map<TableName, TableCopy>();
  readonly #tables = new Map<TableName, MemoryTable>();
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  readonly #unsubscribes = new Set<() => void>();
  #isConnected = true;
  #isClosed = false;

  constructor(hub: MemoryHub) {
    this.#hub = hub;
    hub.members.add(this);
    for (const name of TABLE_NAMES) {
      const copy = new TableCopy();
      this.#copies.set(name, copy);
      this.#tables.set(name, new MemoryTable(name, hub, this, copy));
    }
    this.#load();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Cuts the node off, or joins it again. It then gets the changes of tables that it has missed, but no messages. */
  setConnected(isConnected: boolean): void {
    if (isConnected === this.#isConnected || this.#isClosed) return;
    this.#isConnected = isConnected;
    if (isConnected) this.#load();
    for (const listener of [...this.#listeners]) listener(isConnected);
  }

  onConnection(listener: (isConnected: boolean) => void): () => void {
    const own = (isConnected: boolean): void => listener(isConnected);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  publish(subject: string, message: unknown): void {
    if (this.#isConnected) this.#hub.deliver('messages', subject, frozenJson(message));
  }

  async flush(): Promise<void> {
    // The hub has what was published when `publish` returns.
  }

  subscribe(subject: string, listener: (message: unknown, subject: string) => void): () => void {
    return this.#untilClosed(this.#hub.messages.add({ owner: this, pattern: subject, deliver: listener }));
  }

  async request(subject: string, message: unknown, timeoutMs: number): Promise<unknown> {
    if (!this.#isConnected) throw storeUnavailable(`The request "${subject}" failed`);
    const { schedule, latencyMs } = this.#hub;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const cancel = schedule(() => reject(noAnswer(subject, timeoutMs)), timeoutMs);
      const reply = (given: Answer): void => {
        schedule(() => {
          if (!this.#isConnected) return;
          cancel();
          resolve(given);
        }, latencyMs);
      };
      const request: Request = { message: frozenJson(message), isTaken: false, reply };
      this.#hub.deliver('requests', subject, request);
      schedule(() => {
        if (request.isTaken) return;
        cancel();
        reject(noAnswer(subject));
      }, 2 * latencyMs);
    });
    return resultOf(answer);
  }

  respond(subject: string, answer: (message: unknown) => Promise<unknown>): () => void {
    const deliver = (delivered: unknown): void => {
      const request = delivered as Request;
      if (request.isTaken) return;
      request.isTaken = true;
      void answerOf(() => answer(request.message)).then((given) => {
        if (this.#isConnected) request.reply(frozenJson(given) as Answer);
      });
    };
    return this.#untilClosed(this.#hub.requests.add({ owner: this, pattern: subject, deliver }));
  }

  table(name: TableName): ClusterTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`there is no table ${name}`);
    return table;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isConnected = false;
    this.#hub.members.delete(this);
    for (const unsubscribe of [...this.#unsubscribes]) unsubscribe();
    this.#listeners.clear();
  }

  changed(table: TableName, entry: TableEntry): void {
    this.#copies.get(table)?.apply(entry);
  }

  #load(): void {
    this.#hub.schedule(() => {
      if (!this.#isConnected) return;
      for (const [name, copy] of this.#copies) {
        for (const entry of this.#hub.entries(name)) copy.apply(entry);
        copy.removeOthers((key) => this.#hub.entry(name, key) !== undefined, this.#hub.revision(name));
        copy.setLoaded();
      }
    }, this.#hub.latencyMs);
  }

  #untilClosed(unsubscribe: () => void): () => void {
    const once = (): void => {
      this.#unsubscribes.delete(once);
      unsubscribe();
    };
    this.#unsubscribes.add(once);
    return once;
  }
}

class MemoryTable extends CopiedTable {
  readonly #name: TableName;
  readonly #hub: MemoryHub;
  readonly #member: HubMember;

  constructor(name: TableName, hub: MemoryHub, member: HubMember, copy: TableCopy) {
    super(copy);
    this.#name = name;
    this.#hub = hub;
    this.#member = member;
  }

  put(key: string, value: unknown, change: TableChange = {}): Promise<number> {
    if (value === undefined) throw new TypeError('a value is JSON; remove() removes a key');
    return this.#change(key, frozenJson(value), change);
  }

  async remove(key: string, change: TableChange = {}): Promise<void> {
    await this.#change(key, undefined, change);
  }

  async history(key: string): Promise<readonly TableEntry[]> {
    await this.#reachHub(`The history of "${key}" cannot be read`);
    const values = this.#hub.history(this.#name, key);
    await this.#reachHub(`The history of "${key}" cannot be read`);
    return values;
  }

  async #change(key: string, value: unknown, { expected }: TableChange): Promise<number> {
    await this.#reachHub(`"${key}" cannot be changed`);
    const present = this.#hub.entry(this.#name, key);
    const revision = present?.value === undefined ? 0 : present.revision;
    if (expected !== undefined && expected !== revision) throw storeConflict(key, expected, revision);
    const entry = this.#hub.change(this.#name, key, value);
    await this.#reachHub(`"${key}" may have been changed`);
    this.copy.apply(entry);
    return entry.revision;
  }

  /** The way to the hub, or back. @throws EtherwsError CLUSTER_UNAVAILABLE */
  async #reachHub(what: string): Promise<void> {
    if (!this.#member.isConnected) throw storeUnavailable(what);
    await new Promise<void>((resolve) => this.#hub.schedule(resolve, this.#hub.latencyMs));
    if (!this.#member.isConnected) throw storeUnavailable(what);
  }
}

function frozenJson(value: unknown): unknown {
  return value === undefined ? undefined : deepFreeze(JSON.parse(JSON.stringify(value)));
}
