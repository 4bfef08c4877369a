import { setTimeout as sleep } from 'node:timers/promises';
import { EtherwsError } from '../errors.ts';
import type { ClusterTable } from './cluster-store.ts';
import { BLOCKS, TREE_KEY_PREFIX, type TreeRow, treeRowOf } from './tree-row.ts';

const BLOCK_SIZE = 64;
const RETRY_MS = 200;

export interface PortNumberBlocksOptions {
  readonly table: ClusterTable;
  /** this node */
  readonly node: string;
  readonly network: string;
  /** whether a node is a member of the cluster now */
  readonly isMember: (node: string) => boolean;
  /** called when no block is left, with one line */
  readonly warn: (reason: string) => void;
}

/**
 * The port numbers that this node may use in the port identifiers of a network's spanning tree. All nodes are one bridge there, so
 * no two may have the same. The 4095 numbers are 64 blocks of 64. A node takes a block when it is first asked for a number
 * that it has not, by compare-and-set in the table `config`, and keeps it until its network is removed: its numbers stay the
 * same when nodes come, go and restart. The block of a node that is no member is given to another one only when none is free,
 * and is freed after 30 days (absent-owners.ts).
 *
 * While the store cannot be reached, a node has the blocks that it had; a port without a number does not forward.
 */
export class PortNumberBlocks {
  readonly #options: PortNumberBlocksOptions;
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  readonly #used = new Set<number>();
  readonly #stopWatch: () => void;
  #own: readonly number[] = [];
  #needsBlock = false;
  #isClaiming = false;
  #isClosed = false;
  #isReleasing = false;
  #hasWarned = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PortNumberBlocksOptions) {
    this.#options = options;
    this.#key = TREE_KEY_PREFIX + options.network.replaceAll('.', '=2E');
    this.#stopWatch = options.table.watch(({ key }) => {
      if (key === this.#key) this.#follow();
    });
    this.#follow();
  }

  /** As PortNumbers.take of the spanning tree; undefined: a block is asked for, and `onNumbers` tells of it. */
  take(_preferred: number, present?: number): number | undefined {
    if (present !== undefined) {
      if (this.#own.includes(blockOf(present))) return present;
      this.#used.delete(present);
    }
    for (const block of this.#own) {
      for (let number = Math.max(1, block * BLOCK_SIZE); blockOf(number) === block; number++) {
        if (this.#used.has(number)) continue;
        this.#used.add(number);
        return number;
      }
    }
    this.#needsBlock = true;
    void this.#claim();
    return undefined;
  }

  free(number: number): void {
    this.#used.delete(number);
  }

  /** Calls `listener` when there are other numbers. @returns stops that */
  onNumbers(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * To be called instead of `close` when the network is removed: gives the blocks of this node back, and removes the key when
   * no node has a block. Without the store it is tried again until `close`. @returns when nothing is left to do
   */
  async release(): Promise<void> {
    this.close();
    this.#isReleasing = true;
    while (this.#isReleasing && !(await this.#giveBack())) {
      await sleep(RETRY_MS * (1 + Math.random()), undefined, { ref: false });
    }
  }

  /** Keeps the blocks, for the next start of this node. */
  close(): void {
    this.#isClosed = true;
    this.#isReleasing = false;
    clearTimeout(this.#timer);
    this.#stopWatch();
    this.#listeners.clear();
  }

  #follow(): void {
    const own = [...this.#owners().entries()]
      .filter(([, owner]) => owner === this.#options.node)
      .map(([block]) => block);
    const isSame = own.length === this.#own.length && own.every((block, at) => block === this.#own[at]);
    if (own.some((block) => !this.#own.includes(block))) this.#needsBlock = false;
    this.#own = own;
    if (!isSame) for (const listener of this.#listeners) listener();
    if (this.#needsBlock) void this.#claim();
  }

  async #claim(): Promise<void> {
    const { table, node, warn } = this.#options;
    if (this.#isClaiming || this.#isClosed) return;
    if (!table.isLoaded) return this.#retry();
    const owners = this.#owners();
    const block = this.#blockToTake(owners);
    if (block === undefined) {
      if (!this.#hasWarned) warn(`no port number is free for the spanning tree: all ${BLOCKS} blocks are taken`);
      this.#hasWarned = true;
      return this.#retry();
    }
    this.#isClaiming = true;
    try {
      const blocks = owners.map((owner, at) => (at === block ? node : owner));
      await table.put(this.#key, { ...this.#row(), blocks }, { expected: table.get(this.#key)?.revision ?? 0 });
      this.#follow();
    } catch (error) {
      // Another node was first, or the store cannot be reached.
      if (!(error instanceof EtherwsError)) throw error;
    }
    this.#isClaiming = false;
    // One that is not enough, or that another node was first to take; a little later, so that nodes do not race.
    if (this.#needsBlock) this.#retry();
  }

  /** @returns whether no block belongs to this node now */
  async #giveBack(): Promise<boolean> {
    const { table, node } = this.#options;
    // A claim that is under way would come behind it.
    if (!table.isLoaded || this.#isClaiming) return false;
    const owners = this.#owners();
    if (!owners.includes(node)) return true;
    const blocks = owners.map((owner) => (owner === node ? null : owner));
    const change = { expected: table.get(this.#key)?.revision ?? 0 };
    try {
      if (blocks.every((owner) => owner === null)) await table.remove(this.#key, change);
      else await table.put(this.#key, { ...this.#row(), blocks }, change);
      return true;
    } catch (error) {
      // Another node was first, or the store cannot be reached.
      if (!(error instanceof EtherwsError)) throw error;
      return false;
    }
  }

  #blockToTake(owners: readonly (string | null)[]): number | undefined {
    const free = owners.indexOf(null);
    if (free >= 0) return free;
    const { node, isMember } = this.#options;
    const left = owners.findIndex((owner) => owner !== null && owner !== node && !isMember(owner));
    return left >= 0 ? left : undefined;
  }

  #retry(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        if (this.#needsBlock) void this.#claim();
      },
      RETRY_MS * (1 + Math.random()),
    ).unref();
  }

  /** The nodes that have the blocks. */
  #owners(): readonly (string | null)[] {
    return this.#row().blocks;
  }

  #row(): TreeRow {
    return treeRowOf(this.#options.table.get(this.#key)?.value);
  }
}

function blockOf(number: number): number {
  return Math.floor(number / BLOCK_SIZE);
}
