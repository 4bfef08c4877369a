import type { Logger } from '../observability/logger.ts';
import { type ClusterKeys, clusterKeyOf, ensureClusterKey } from './cluster-key.ts';
import type { ClusterTable } from './cluster-store.ts';

const TRY_AGAIN_MS = 1000;

/**
 * The key of the cluster as a node knows it from the table. It makes the key if the table has none, and gives it back to a store
 * that has lost it.
 */
export class KnownClusterKey {
  readonly #table: ClusterTable;
  readonly #logger: Logger;
  #former: Buffer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(table: ClusterTable, logger: Logger) {
    this.#table = table;
    this.#logger = logger;
  }

  /** The former key counts as long as the table has none: the store may have lost it. */
  get keys(): ClusterKeys {
    this.#former = clusterKeyOf(this.#table) ?? this.#former;
    return this.#former === undefined ? [] : [this.#former];
  }

  /** To be called when the store is there. Tries again each second until the table has a key. */
  async make(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#table.whenLoaded();
    try {
      if (!this.#isClosed) await ensureClusterKey(this.#table, this.keys[0]);
    } catch (error) {
      this.#logger.debug({ error }, 'the key of the cluster could not be made');
      if (this.#isClosed) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.make(), TRY_AGAIN_MS);
    }
  }

  /** To be called when the table has changed. */
  tableChanged(): void {
    if (this.keys.length > 0 && clusterKeyOf(this.#table) === undefined) void this.make();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
