import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { codeOf } from '../../errors.ts';
import type { ClusterKeys } from '../cluster-key.ts';
import type { ClusterTable, TableChange, TableEntry, TableName } from '../cluster-store.ts';
import { type Sealed, seal, unseal } from './seal.ts';
import { unproven } from './unproven.ts';

export interface AuthenticTableOptions {
  readonly name: TableName;
  readonly inner: ClusterTable;
  readonly node: string;
  readonly start: string;
  readonly keys: () => ClusterKeys;
  /** Called when the store has what no node has written, or what is older than what this node has read. */
  readonly refused: (subject: string, why: string) => void;
  /** Asks a node that knows a key for its value, as `ClusterStore.request`. */
  readonly ask: (key: string, timeoutMs: number) => Promise<unknown>;
}

interface Known {
  /** what watchers were told; `value` undefined: removed */
  readonly entry: TableEntry;
  readonly version: number;
  readonly sealed: unknown;
}

/** A value that was refused is replaced by the one that is known, after a random time of at most this. */
const MEND_MS = 1000;
/** A value that was asked for in vain is asked for again after this time. */
const ASK_AGAIN_MS = 100;

/**
 * A table whose values have the code of the cluster's secret, over the table, the key and a version.
 *
 * - In `config` versions grow: an older value that comes back is refused, and so is the removal of a key, which could have no code.
 *   A node removes a key by a value that says so. What is refused is replaced by the value that this node knows.
 * - In `sessions` a row without the right code counts as absent. Rows may be removed and put back as they were before: that costs
 *   clients their ports, which a program that may write in the store can do anyway.
 */
export class AuthenticTable implements ClusterTable {
  readonly #options: AuthenticTableOptions;
  readonly #known = new Map<string, Known>();
  /** keys that the store has with a value that no node has written, and that are not known */
  readonly #refused = new Set<string>();
  readonly #watchers = new Set<(entry: TableEntry) => void>();
  readonly #mending = new Map<string, NodeJS.Timeout>();
  #resealing: NodeJS.Timeout | undefined;
  readonly #stop: () => void;

  constructor(options: AuthenticTableOptions) {
    this.#options = options;
    this.#stop = options.inner.watch((entry) => this.#seen(entry));
  }

  get isLoaded(): boolean {
    return this.#options.inner.isLoaded;
  }

  whenLoaded(): Promise<void> {
    return this.#options.inner.whenLoaded();
  }

  get(key: string): TableEntry | undefined {
    const entry = this.#known.get(key)?.entry;
    return entry?.value === undefined ? undefined : entry;
  }

  *entries(): Iterable<TableEntry> {
    for (const { entry } of this.#known.values()) if (entry.value !== undefined) yield entry;
  }

  watch(listener: (entry: TableEntry) => void): () => void {
    for (const entry of [...this.entries()]) listener(entry);
    const watcher = (entry: TableEntry): void => listener(entry);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  put(key: string, value: unknown, change: TableChange = {}): Promise<number> {
    if (value === undefined) throw new TypeError('a value is JSON; remove() removes a key');
    return this.#options.inner.put(key, this.#sealed(key, value), this.#expecting(key, change));
  }

  async remove(key: string, change: TableChange = {}): Promise<void> {
    const { inner } = this.#options;
    if (!this.#hasVersions) await inner.remove(key, this.#expecting(key, change));
    else if (this.get(key) !== undefined || change.expected !== undefined) {
      await inner.put(key, this.#sealed(key, undefined), this.#expecting(key, change));
    }
  }

  async history(key: string): Promise<readonly TableEntry[]> {
    const entries = await this.#options.inner.history(key);
    return entries.flatMap(({ value, revision }) => {
      const opened = this.#opened(key, value);
      if (opened === undefined && value !== undefined) return [];
      return [{ key, value: opened?.message, revision }];
    });
  }

  isRefused(key: string): boolean {
    return this.#refused.has(key);
  }

  async seek(key: string, timeoutMs: number): Promise<void> {
    if (!this.#hasVersions) throw new TypeError('only values with versions can be told by other nodes');
    const untilMs = performance.now() + timeoutMs;
    while (!this.#known.has(key)) {
      const leftMs = Math.max(1, untilMs - performance.now());
      try {
        if (this.#learn(key, await this.#options.ask(key, leftMs))) return;
      } catch (error) {
        const isLate = performance.now() >= untilMs;
        // Before that time it says that no node knows the key.
        if (codeOf(error) === 'CLUSTER_TIMEOUT' && !isLate) break;
        if (isLate) throw unproven(`What answers for the nodes that know "${key}" has not told it`, error);
      }
      if (performance.now() >= untilMs) break;
      await delay(ASK_AGAIN_MS);
    }
    if (this.#known.has(key)) return;
    for (const { value } of [...(await this.#options.inner.history(key))].reverse()) this.#learn(key, value);
    if (this.#refused.has(key)) {
      throw unproven(`The store has a value of "${key}" without a code of the secret, and no node knows the right one`);
    }
  }

  /** The value of a key with its code, for a node that asks; undefined: it is not known here. */
  sealedOf(key: string): unknown {
    return this.#known.get(key)?.sealed;
  }

  /** Takes a value that another node, or the history, has told, and writes it again. @returns whether it has a code */
  #learn(key: string, sealed: unknown): boolean {
    const opened = this.#opened(key, sealed);
    if (opened === undefined) return false;
    if (opened.number <= (this.#known.get(key)?.version ?? 0)) return true;
    const entry = { key, value: opened.message, revision: this.#options.inner.get(key)?.revision ?? 0 };
    const known = { entry, version: opened.number, sealed };
    this.#known.set(key, known);
    this.#refused.delete(key);
    this.#tell(entry);
    this.#mend(key, known);
    return true;
  }

  /**
   * Writes values again that were not signed with the key that signs now, before the other keys are forgotten: all of `config`,
   * and the rows that this node has written.
   */
  reseal(): void {
    clearTimeout(this.#resealing);
    this.#resealing = setTimeout(() => {
      const { inner, keys, node } = this.#options;
      for (const [key, { entry, sealed }] of this.#known) {
        if (!this.#hasVersions && (sealed as Sealed).from !== node) continue;
        if (unseal('value', this.#subject(key), sealed, keys().slice(0, 1)) !== undefined) continue;
        const expected = inner.get(key)?.revision ?? 0;
        inner.put(key, this.#sealed(key, entry.value), { expected }).catch(() => undefined);
      }
    }, MEND_MS * Math.random());
    this.#resealing.unref();
  }

  close(): void {
    clearTimeout(this.#resealing);
    this.#stop();
    for (const timer of this.#mending.values()) clearTimeout(timer);
    this.#mending.clear();
  }

  get #hasVersions(): boolean {
    return this.#options.name === 'config';
  }

  #subject(key: string): string {
    return `${this.#options.name} ${key}`;
  }

  /** The version is a time, too, so that it grows in a store that was made anew. */
  #sealed(key: string, value: unknown): Sealed {
    const { node, start, keys } = this.#options;
    const number = Math.max((this.#known.get(key)?.version ?? 0) + 1, Date.now());
    const [signing] = keys();
    if (signing === undefined) throw new TypeError('a secret has a key');
    return seal('value', this.#subject(key), { from: node, start, number }, value, signing);
  }

  #opened(key: string, value: unknown): ReturnType<typeof unseal> {
    return unseal('value', this.#subject(key), value, this.#options.keys());
  }

  /** A caller that has seen what this table tells replaces what the store has in its place. */
  #expecting(key: string, { expected }: TableChange): TableChange {
    if (expected === undefined) return {};
    const isPresent = expected === (this.get(key)?.revision ?? 0);
    return { expected: isPresent ? (this.#options.inner.get(key)?.revision ?? 0) : expected };
  }

  #seen(entry: TableEntry): void {
    const { key, value, revision } = entry;
    const known = this.#known.get(key);
    const opened = this.#opened(key, value);
    if (!this.#hasVersions) {
      if (opened === undefined && value !== undefined) this.#refuse(key, 'it has no code of the secret');
      if (opened === undefined && known === undefined) return;
      if (opened === undefined) this.#known.delete(key);
      else
        this.#known.set(key, {
          entry: { key, value: opened.message, revision },
          version: opened.number,
          sealed: value,
        });
      this.#tell({ ...entry, value: opened?.message });
      return;
    }
    if (opened !== undefined && opened.number >= (known?.version ?? 0)) {
      clearTimeout(this.#mending.get(key));
      this.#mending.delete(key);
      this.#refused.delete(key);
      const told = { key, value: opened.message, revision };
      this.#known.set(key, { entry: told, version: opened.number, sealed: value });
      this.#tell(told);
      return;
    }
    if (known === undefined) {
      if (value === undefined) {
        this.#refused.delete(key);
        return;
      }
      this.#refused.add(key);
    }
    const isOlder = opened !== undefined;
    this.#refuse(
      key,
      value === undefined ? 'it was removed' : isOlder ? 'it is older' : 'it has no code of the secret',
    );
    if (known !== undefined) this.#mend(key, known);
  }

  #refuse(key: string, why: string): void {
    this.#options.refused(this.#subject(key), why);
  }

  /** All nodes that know the value do so; the first one succeeds. */
  #mend(key: string, { sealed }: Known): void {
    if (this.#mending.has(key)) return;
    const timer = setTimeout(() => {
      this.#mending.delete(key);
      const { inner } = this.#options;
      const present = inner.get(key);
      if (isDeepStrictEqual(present?.value, sealed)) return;
      inner.put(key, sealed, { expected: present?.revision ?? 0 }).catch(() => undefined);
    }, MEND_MS * Math.random());
    this.#mending.set(key, timer.unref());
  }

  #tell(entry: TableEntry): void {
    for (const watcher of [...this.#watchers]) watcher(entry);
  }
}
