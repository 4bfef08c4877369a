import { TABLE_HISTORY, TABLE_NAMES, type TableEntry, type TableName } from './cluster-store.ts';
import { RecentEntries } from './recent-entries.ts';
import { Subscriptions } from './subscriptions.ts';

/** Calls `run` later, in the order of the calls with one delay. @returns cancels that */
export type Schedule = (run: () => void, delayMs: number) => () => void;

export interface MemoryHubOptions {
  /** Replaces microtasks and timers of the process, for a virtual clock. */
  readonly schedule?: Schedule;
  /** the time that a message or a change takes to a node; default 0 */
  readonly latencyMs?: number;
}

/** What the hub asks of a connected node. */
export interface HubMember {
  readonly isConnected: boolean;
  changed(table: TableName, entry: TableEntry): void;
}

interface HubTable {
  readonly entries: RecentEntries;
  readonly history: Map<string, TableEntry[]>;
  revision: number;
}

/** The middle of a cluster in one process: what a NATS server is to nodes that are processes of their own. */
export class MemoryHub {
  readonly schedule: Schedule;
  readonly latencyMs: number;
  readonly members = new Set<HubMember>();
  readonly messages = new Subscriptions<HubMember>();
  readonly requests = new Subscriptions<HubMember>();
  readonly #tables = new Map<TableName, HubTable>();

  constructor(options: MemoryHubOptions = {}) {
    this.schedule = options.schedule ?? scheduleInProcess;
    this.latencyMs = options.latencyMs ?? 0;
    for (const name of TABLE_NAMES)
      this.#tables.set(name, { entries: new RecentEntries(), history: new Map(), revision: 0 });
  }

  /** @param message is shared by all receivers, and frozen */
  deliver(kind: 'messages' | 'requests', subject: string, message: unknown): void {
    this.schedule(() => {
      for (const { owner, deliver } of this[kind].matching(subject)) if (owner.isConnected) deliver(message, subject);
    }, this.latencyMs);
  }

  entries(table: TableName): Iterable<TableEntry> {
    return this.#table(table).entries.values();
  }

  revision(table: TableName): number {
    return this.#table(table).revision;
  }

  entry(table: TableName, key: string): TableEntry | undefined {
    return this.#table(table).entries.get(key);
  }

  history(table: TableName, key: string): readonly TableEntry[] {
    return this.#table(table).history.get(key)?.slice() ?? [];
  }

  /** @param value undefined removes the key */
  change(table: TableName, key: string, value: unknown): TableEntry {
    const changed = this.#table(table);
    changed.revision++;
    const entry: TableEntry = { key, value, revision: changed.revision };
    changed.entries.set(entry);
    const values = changed.history.get(key) ?? [];
    values.push(entry);
    if (values.length > TABLE_HISTORY[table]) values.shift();
    // A table that keeps one value has no former values of a removed key.
    if (value === undefined && TABLE_HISTORY[table] === 1) changed.history.delete(key);
    else changed.history.set(key, values);
    this.schedule(() => {
      for (const member of this.members) if (member.isConnected) member.changed(table, entry);
    }, this.latencyMs);
    return entry;
  }

  #table(name: TableName): HubTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`there is no table ${name}`);
    return table;
  }
}

function scheduleInProcess(run: () => void, delayMs: number): () => void {
  if (delayMs > 0) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  }
  let isCancelled = false;
  queueMicrotask(() => {
    if (!isCancelled) run();
  });
  return () => {
    isCancelled = true;
  };
}
