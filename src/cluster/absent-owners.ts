import { EtherwsError } from '../errors.ts';
import type { ClusterTable } from './cluster-store.ts';
import { TREE_KEY_PREFIX, type TreeRow, treeRowOf } from './tree-row.ts';

const STEP_HOURS = 6;
const STEP_MS = STEP_HOURS * 3600 * 1000;
/** 30 days. */
export const MOST_ABSENT_STEPS: number = (30 * 24) / STEP_HOURS;

export interface AbsentOwnersOptions {
  /** the table `config` */
  readonly table: ClusterTable;
  /** whether a node is a member of the cluster now */
  readonly isMember: (node: string) => boolean;
  /** Whether this node, of all members, does it now; false while it cannot know the members. */
  readonly isKeeper: () => boolean;
  /** called when blocks of a node were freed */
  readonly onFreed: (node: string, key: string) => void;
}

/**
 * Frees the blocks of port numbers (port-number-blocks.ts) of nodes that have been no members for 30 days, and removes the key of a
 * network of which none is left. One node counts steps of 6 hours in the rows themselves, by its monotonic clock: wall clocks do
 * not matter, and a step that is lost with a restart makes it later only.
 */
export class AbsentOwners {
  readonly #options: AbsentOwnersOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: AbsentOwnersOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.step(), STEP_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One step of time has passed. Never rejects for what the store says. */
  async step(): Promise<void> {
    const { table, isKeeper } = this.#options;
    if (!table.isLoaded || !isKeeper()) return;
    for (const { key, value, revision } of [...table.entries()]) {
      if (key.startsWith(TREE_KEY_PREFIX) && value !== undefined) await this.#look(key, treeRowOf(value), revision);
    }
  }

  async #look(key: string, { blocks, absent }: TreeRow, revision: number): Promise<void> {
    const { table, isMember, onFreed } = this.#options;
    const counts = new Map<string, number>();
    for (const owner of new Set(blocks)) {
      if (owner !== null && !isMember(owner)) counts.set(owner, (absent[owner] ?? 0) + 1);
    }
    if (counts.size === 0 && Object.keys(absent).length === 0) return;
    const gone = [...counts].filter(([, steps]) => steps >= MOST_ABSENT_STEPS).map(([owner]) => owner);
    for (const owner of gone) counts.delete(owner);
    const left = blocks.map((owner) => (owner !== null && gone.includes(owner) ? null : owner));
    const row: TreeRow = { blocks: left, absent: Object.fromEntries(counts) };
    try {
      if (left.every((owner) => owner === null)) await table.remove(key, { expected: revision });
      else await table.put(key, row, { expected: revision });
      for (const owner of gone) onFreed(owner, key);
    } catch (error) {
      // Another node has changed the row, or the store cannot be reached: the next step comes.
      if (!(error instanceof EtherwsError)) throw error;
    }
  }
}
