import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describeError, EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { ClusterStore, ClusterTable, TableEntry } from './cluster-store.ts';
import type { KeptEntry } from './kept-config.ts';
import {
  networkOfKey,
  POLICY_KEY,
  readSharedNetwork,
  readSharedPolicy,
  type SharedNetwork,
  type SharedPolicy,
} from './shared-value.ts';

/** How long a node without the policy looks for one whose value in the store was replaced or removed. */
const SEEK_MS = 3000;

const LOST = 'the store has lost what this node knows; it stays in force here';

/** Applies what the nodes share to this node. A failure is logged, and what was in force stays. */
export interface SharedReceiver {
  /** @param settings null: the cluster does not have the network any more */
  network(name: string, settings: SharedNetwork['settings']): void | Promise<void>;
  /** @throws EtherwsError POLICY_INVALID */
  policy(policy: SharedPolicy): void | Promise<void>;
}

export interface SharedConfigOptions {
  readonly store: ClusterStore;
  readonly logger: Logger;
  /** what this node knew before its start; undefined: nothing is kept */
  readonly kept: readonly KeptEntry[] | undefined;
  /** called when what it knows has changed, so that it is kept */
  readonly keep?: () => void;
  readonly receiver: SharedReceiver;
}

/** How this node stands to the store, for the status. */
export interface SharedState {
  /** the highest revision that it knows; 0: none */
  readonly revision: number;
  /** since when it has no store, as ISO 8601; null: it has one */
  readonly withoutStoreSince: string | null;
}

/**
 * The networks and the policy that all nodes of a cluster have. They come from the table `config`, and are applied at once.
 * Without the store the node runs on what it knows (fail static), at a start on what it kept in its state file; it applies
 * what has changed meanwhile when the store is there again.
 */
export class SharedConfig {
  readonly #options: SharedConfigOptions;
  readonly #table: ClusterTable;
  /** the values in force, by key */
  readonly #known = new Map<string, KeptEntry>();
  /** why a value is not in force, by key */
  readonly #failures = new Map<string, unknown>();
  readonly #stops: (() => void)[] = [];
  #turn: Promise<void> = Promise.resolve();
  #withoutStoreSince: string | null;
  #isReconciled = false;
  #isClosed = false;

  constructor(options: SharedConfigOptions) {
    const { store } = options;
    this.#options = options;
    this.#table = store.table('config');
    this.#withoutStoreSince = store.isConnected ? null : new Date().toISOString();
    this.#stops.push(store.onConnection((isConnected) => this.#connection(isConnected)));
    for (const entry of options.kept ?? []) this.#take(entry);
    this.#stops.push(this.#table.watch((entry) => this.#take(entry)));
    void this.#table.whenLoaded().then(() => this.#reconcile());
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
  }

  /**
   * Resolves when everything that is known was applied. Without a kept copy that is what the store has: a node that has
   * never known the policy must not admit anything.
   * @throws EtherwsError CLUSTER_UNAVAILABLE if there is neither within `timeoutMs`; POLICY_INVALID if the policy cannot be read;
   *   CLUSTER_NODE_UNPROVEN if the store has one that no node has written
   */
  async ready(timeoutMs: number): Promise<void> {
    if (this.#options.kept === undefined && !(await this.#isLoadedWithin(timeoutMs))) {
      const { shown, reason } = this.#options.store;
      const which = shown === undefined ? 'The store' : `The store at ${shown}`;
      const why = reason === undefined ? '' : `: ${reason}`;
      throw new EtherwsError('CLUSTER_UNAVAILABLE', `${which} did not answer within ${timeoutMs / 1000} s${why}`, {
        hint:
          'This node has never known the networks and the policy of the cluster. Check --cluster; ' +
          'with --state a node that has known them starts without the store',
      });
    }
    if (this.#table.isLoaded) this.#reconcile();
    await this.#turn;
    if (this.#table.isLoaded && !this.#known.has(POLICY_KEY)) {
      await this.#table.seek?.(POLICY_KEY, SEEK_MS);
      await this.#turn;
    }
    // A node that cannot read the policy, such as one of an earlier version, must not admit everything.
    if (this.#failures.has(POLICY_KEY) && !this.#known.has(POLICY_KEY)) throw this.#failures.get(POLICY_KEY);
  }

  async #isLoadedWithin(timeoutMs: number): Promise<boolean> {
    const timeout = new AbortController();
    const late = delay(timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined);
    await Promise.race([this.#table.whenLoaded(), late]);
    timeout.abort();
    return this.#table.isLoaded;
  }

  get state(): SharedState {
    const revision = [...this.#known.values()].reduce((most, entry) => Math.max(most, entry.revision), 0);
    return { revision, withoutStoreSince: this.#withoutStoreSince };
  }

  /** The networks in force, with their revisions. */
  networks(): { readonly name: string; readonly network: SharedNetwork; readonly revision: number }[] {
    return [...this.#known.values()].flatMap(({ key, value, revision }) => {
      const name = networkOfKey(key);
      return name === undefined ? [] : [{ name, network: value as SharedNetwork, revision }];
    });
  }

  /** The policy in force; undefined without one. */
  policy(): { readonly policy: SharedPolicy; readonly revision: number } | undefined {
    const found = this.#known.get(POLICY_KEY);
    return found && { policy: found.value as SharedPolicy, revision: found.revision };
  }

  /** The section of the state file. */
  section(): { readonly entries: readonly KeptEntry[] } {
    return { entries: [...this.#known.values()] };
  }

  #connection(isConnected: boolean): void {
    const { logger } = this.#options;
    if (isConnected === (this.#withoutStoreSince === null)) return;
    this.#withoutStoreSince = isConnected ? null : new Date().toISOString();
    const { revision } = this.state;
    if (isConnected) logger.info({ revision }, 'the store of the cluster is there again');
    else logger.warn({ revision }, 'the store of the cluster is lost; this node runs on what it knows');
  }

  /**
   * Once, when the copy of the table is complete. A removed network has a value that says so: what is not there at all was
   * lost with the store, and stays in force.
   */
  #reconcile(): void {
    if (this.#isReconciled || this.#isClosed) return;
    this.#isReconciled = true;
    const there = new Set([...this.#table.entries()].map(({ key }) => key));
    const missing = (this.#options.kept ?? []).map(({ key }) => key).filter((key) => !there.has(key));
    if (missing.length === 0) return;
    this.#options.logger.warn({ keys: missing }, LOST);
  }

  /** Applies the values one after the other: the removal of a network takes time. */
  #take(entry: TableEntry): void {
    const { key } = entry;
    if (networkOfKey(key) === undefined && key !== POLICY_KEY) return;
    if (entry.isLost === true) {
      this.#options.logger.warn({ keys: [key] }, LOST);
      return;
    }
    this.#turn = this.#turn.then(async () => {
      const before = this.#known.get(key);
      // A store that was made anew counts from 1 again.
      if (before?.revision === entry.revision && isDeepStrictEqual(before.value, entry.value)) return;
      try {
        await this.#apply(entry);
        this.#failures.delete(key);
      } catch (error) {
        this.#failures.set(key, error);
        const facts = { key, revision: entry.revision, reason: describeError(error) };
        this.#options.logger.error(facts, 'a value of the cluster cannot be applied; the former one stays');
      }
      this.#options.keep?.();
    });
  }

  async #apply({ key, value, revision }: TableEntry): Promise<void> {
    const { receiver } = this.#options;
    const network = networkOfKey(key);
    if (network !== undefined) {
      const shared = value === undefined ? undefined : readSharedNetwork(key, value);
      await receiver.network(network, shared?.settings ?? null);
      this.#note({ key, value: shared, revision });
    } else if (value !== undefined) {
      const shared = readSharedPolicy(value);
      await receiver.policy(shared);
      this.#note({ key, value: shared, revision });
    }
  }

  #note({ key, value, revision }: TableEntry): void {
    if (value === undefined) this.#known.delete(key);
    else this.#known.set(key, { key, value, revision });
  }
}
