import { isDeepStrictEqual } from 'node:util';
import { codeOf } from '../errors.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import type { ClusterStore, ClusterTable, TableEntry } from './cluster-store.ts';
import { type ForeignSession, SessionIndex } from './session-index.ts';
import type { SessionNodes } from './session-nodes.ts';
import { networkOf, readSessionRow, type SessionRecord, type SessionRow } from './session-row.ts';

/** A tunnel of this node. */
export interface SessionSource {
  /** What the row says now; undefined when the port is gone. */
  record(): SessionRecord | undefined;
  /** The session is no longer of this node: its port is to be closed, and its row is not to be touched. */
  lost(reason: 'taken' | 'displaced'): void;
}

export interface SessionsOptions {
  readonly store: ClusterStore;
  readonly nodes: SessionNodes;
  /** how long the row of a client that is away stays, when no node has its port; in milliseconds */
  readonly graceMs: () => number;
  /** Called when the number of a user's tunnels at other nodes may have changed. */
  readonly onUser?: (user: string | null) => void;
  readonly logger?: Logger;
}

interface Own {
  readonly source: SessionSource;
  generation: number;
  /** of the row, as far as this node knows it; 0: there is none */
  revision: number;
  /** what was written last */
  written: SessionRow | undefined;
  /** how often another change of the row came first, since the last that succeeded */
  conflicts: number;
}

/** Changes of the same tunnel within this time are written once. */
const DEBOUNCE_MS = 50;
const RETRY_MS = 500;
const MOST_RETRY_MS = 5000;
/** A timer may end early by less than this. */
const TIMER_MS = 1;
/** Writes that wait for the store at the same time. */
const MOST_WRITES = 64;
const SWEEP_MS = 1000;

/**
 * The sessions of a cluster: a row for each accepted tunnel of each node, in the table `sessions` of its store. A client that
 * dials another node finds its port there by the hash of its token.
 *
 * - A row belongs to the node that it names. Another node takes it over by naming itself with a higher generation; the former
 *   node then drops its port.
 * - All look-ups are answered by the copy in memory, so they need no store. Writes are made as soon as the store can be reached.
 * - Rows of nodes that are gone are removed by the lowest living node, after the grace.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #table: ClusterTable;
  readonly #nodes: SessionNodes;
  readonly #logger: Logger;
  readonly #index = new SessionIndex();
  readonly #own = new Map<string, Own>();
  readonly #dirty = new Set<string>();
  /**
   * What failed waits for the timer: a store that is connected, and whose tables are not read yet, refuses without a turn of the
   * event loop, and another attempt at once would end in a loop that lets nothing else run. The values are the times of the next attempts.
   */
  readonly #unwritten = new Map<string, number>();
  readonly #unremoved = new Map<string, number>();
  /** One change of a row at a time. */
  readonly #writing = new Set<string>();
  /** Rows of this node that are to be removed, with their revisions as far as known. */
  readonly #leaving = new Map<string, number>();
  /** since when no living node has had the port of a row */
  readonly #orphans = new Map<string, number>();
  readonly #stops: (() => void)[];
  readonly #sweeping: NodeJS.Timeout;
  /** whether the tunnels of a node counted at the last look */
  #counted = new Map<string, boolean>();
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #idle: (() => void)[] = [];
  #isClosed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#table = options.store.table('sessions');
    this.#nodes = options.nodes;
    this.#logger = options.logger ?? SILENT;
    this.#index.onUser = (user) => this.#options.onUser?.(user);
    this.#stops = [
      this.#table.watch((entry) => this.#seen(entry)),
      options.store.onConnection((isConnected) => isConnected && this.#soon(0)),
      options.nodes.onChange(() => this.#nodesChanged()),
    ];
    this.#sweeping = setInterval(() => this.#sweep(performance.now()), SWEEP_MS).unref();
    this.#nodesChanged();
  }

  /** Whether another node has, or had, a tunnel with this token, of any user. */
  knows(hash: string): boolean {
    return this.#index.byHash(hash) !== undefined;
  }

  /** The session of another node with this token, if it belongs to this user and is in this network. */
  find(hash: string, user: string | null, network: string): ForeignSession | undefined {
    const found = this.#index.byHash(hash);
    if (found === undefined || (found.row.user ?? null) !== user || networkOf(found.row) !== network) return undefined;
    return found;
  }

  /** How many tunnels a user has at other nodes that are alive. */
  tunnelsElsewhere(user: string | null): number {
    return this.#index.tunnelsOf(user, (node) => this.#counts(node));
  }

  /**
   * Ends a session of a user at another node whose client is away, in favour of a client that is connected now.
   * @returns whether there was one
   */
  displace(user: string): boolean {
    const found = this.#index.awayOf(user, (node) => this.#counts(node));
    if (found === undefined) return false;
    this.#index.set(found.id, undefined);
    this.#remove(found.id, this.#table.get(found.id)?.revision ?? 0);
    return true;
  }

  /** Whether the row of a session names another node, as far as this node knows. */
  isElsewhere(id: string): boolean {
    const node = readSessionRow(this.#table.get(id)?.value)?.node;
    return node !== undefined && node !== this.#nodes.self;
  }

  /**
   * Adds a tunnel of this node, or one that it takes over from another: then the row names this node from now on. A port that was
   * kept across a restart is entered only unless `isElsewhere`; if the row of another node comes later, the port is given up.
   */
  enter(id: string, source: SessionSource): void {
    const entry = this.#table.get(id);
    const row = readSessionRow(entry?.value);
    const isTaken = row !== undefined && row.node !== this.#nodes.self;
    this.#leaving.delete(id);
    this.#orphans.delete(id);
    this.#own.set(id, {
      source,
      generation: isTaken ? row.generation + 1 : (row?.generation ?? 0),
      revision: entry?.value === undefined ? 0 : entry.revision,
      written: undefined,
      conflicts: 0,
    });
    this.#index.set(id, undefined);
    this.changed(id);
  }

  /** Whether this node has the session. */
  has(id: string): boolean {
    return this.#own.has(id);
  }

  /** To be called when the record of a tunnel of this node may have changed. */
  changed(id: string): void {
    if (!this.#own.has(id)) return;
    this.#dirty.add(id);
    this.#soon(DEBOUNCE_MS);
  }

  /** The port of a tunnel of this node is over: its client cannot come back. */
  leave(id: string): void {
    const own = this.#own.get(id);
    if (own === undefined) return;
    this.#forget(id);
    if (own.revision > 0 || this.#writing.has(id)) this.#remove(id, own.revision);
  }

  /** The port of a tunnel of this node is given up, so that its client resumes it at another node. */
  release(id: string): void {
    const own = this.#own.get(id);
    if (own === undefined) return;
    this.#forget(id);
    this.#index.set(id, own.written);
  }

  /** Resolves when what has changed so far was written, or could not be written now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#pump();
    if (this.#writing.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Stops. Rows stay: they are of clients that may come back to another node. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#sweeping);
    for (const stop of this.#stops) stop();
  }

  #counts(node: string): boolean {
    return node !== this.#nodes.self && this.#nodes.isAlive(node);
  }

  #forget(id: string): void {
    this.#own.delete(id);
    this.#dirty.delete(id);
  }

  #seen(entry: TableEntry): void {
    const { key: id, revision } = entry;
    const row = readSessionRow(entry.value);
    const own = this.#own.get(id);
    if (own === undefined) {
      if (row === undefined) this.#orphans.delete(id);
      this.#index.set(id, row);
      return;
    }
    if (row?.node === this.#nodes.self) {
      own.revision = revision;
      own.generation = Math.max(own.generation, row.generation);
      // A store that was restored may have an older row.
      if (own.written !== undefined && !this.#writing.has(id) && !isDeepStrictEqual(row, own.written)) {
        own.written = row;
        this.changed(id);
      }
      return;
    }
    own.revision = entry.value === undefined ? 0 : revision;
    own.written = undefined;
    const isAway = own.source.record()?.away !== false;
    if (row === undefined) {
      // Another node has displaced a client that is away. A row that was lost otherwise is written again.
      if (isAway && own.generation > 0 && entry.isLost !== true) this.#drop(id, own, 'displaced');
      else this.changed(id);
    } else if (row.generation > own.generation || (row.generation === own.generation && isAway)) {
      this.#index.set(id, row);
      this.#drop(id, own, 'taken');
    } else {
      own.generation = Math.max(own.generation, row.generation + 1);
      this.changed(id);
    }
  }

  #drop(id: string, own: Own, reason: 'taken' | 'displaced'): void {
    this.#forget(id);
    own.source.lost(reason);
  }

  #soon(waitMs: number): void {
    const dueMs = performance.now() + waitMs;
    if (this.#isClosed || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      const nowMs = performance.now() + TIMER_MS;
      for (const [id, dueMs] of this.#unwritten) {
        if (dueMs > nowMs) continue;
        this.#unwritten.delete(id);
        this.#dirty.add(id);
      }
      for (const [id, revision] of this.#unremoved) if (!this.#own.has(id)) this.#leaving.set(id, revision);
      this.#unremoved.clear();
      this.#pump();
      for (const dueMs of this.#unwritten.values()) this.#soon(dueMs - nowMs + TIMER_MS);
    }, waitMs).unref();
  }

  #pump(): void {
    if (this.#isClosed || !this.#options.store.isConnected) {
      this.#rest();
      return;
    }
    for (const [id, revision] of this.#leaving) {
      if (this.#writing.size >= MOST_WRITES) return;
      if (this.#writing.has(id)) continue;
      this.#leaving.delete(id);
      this.#started(
        id,
        this.#table.remove(id, { expected: revision }).catch((error: unknown) => this.#notRemoved(id, error)),
      );
    }
    for (const id of this.#dirty) {
      if (this.#writing.size >= MOST_WRITES) return;
      if (this.#writing.has(id)) continue;
      const own = this.#own.get(id);
      this.#dirty.delete(id);
      const row = own === undefined ? undefined : this.#rowOf(own);
      if (own === undefined || row === undefined || isDeepStrictEqual(row, own.written)) continue;
      this.#started(id, this.#write(id, own, row));
    }
    this.#rest();
  }

  #started(id: string, write: Promise<void>): void {
    this.#writing.add(id);
    void write.finally(() => {
      this.#writing.delete(id);
      this.#pump();
    });
  }

  #rest(): void {
    if (this.#writing.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #rowOf(own: Own): SessionRow | undefined {
    const record = own.source.record();
    own.generation = Math.max(1, own.generation);
    return record && { ...record, node: this.#nodes.self, generation: own.generation };
  }

  async #write(id: string, own: Own, row: SessionRow): Promise<void> {
    try {
      const revision = await this.#table.put(id, row, { expected: own.revision });
      own.revision = Math.max(own.revision, revision);
      own.written = row;
      own.conflicts = 0;
      // It has ended meanwhile, or another node has it.
      if (!this.#own.has(id) && this.#leaving.has(id)) this.#leaving.set(id, own.revision);
    } catch (error) {
      this.#notWritten(id, own, error);
    }
  }

  #notWritten(id: string, own: Own, error: unknown): void {
    if (this.#own.get(id) !== own) return;
    this.#logger.debug({ session: id, error }, 'a session was not written yet');
    let waitMs = RETRY_MS;
    if (codeOf(error) === 'CLUSTER_CONFLICT') {
      // The copy tells the row of the other node, sooner or later; the next attempt is by what it says.
      own.revision = this.#table.get(id)?.revision ?? 0;
      waitMs = Math.min(DEBOUNCE_MS * 2 ** own.conflicts, MOST_RETRY_MS);
      own.conflicts = Math.min(own.conflicts + 1, 16);
    }
    this.#unwritten.set(id, performance.now() + waitMs);
    this.#soon(waitMs);
  }

  #remove(id: string, revision: number): void {
    this.#leaving.set(id, revision);
    this.#soon(0);
  }

  #notRemoved(id: string, error: unknown): void {
    const entry = this.#table.get(id);
    const row = readSessionRow(entry?.value);
    if (this.#own.has(id) || entry === undefined) return;
    if (codeOf(error) === 'CLUSTER_CONFLICT' && row?.node !== this.#nodes.self) return;
    this.#unremoved.set(id, entry.revision);
    this.#soon(RETRY_MS);
  }

  #nodesChanged(): void {
    const counted = new Map([...this.#index.nodes].map((node) => [node, this.#counts(node)]));
    for (const [node, counts] of counted) {
      if (counts === this.#counted.get(node)) continue;
      for (const user of this.#index.usersAt(node)) this.#options.onUser?.(user);
    }
    this.#counted = counted;
  }

  /** Removes the rows whose clients have not come back within the grace, and that no living node has. */
  #sweep(nowMs: number): void {
    const { self } = this.#nodes;
    const isLowest = this.#nodes.lowest === self;
    for (const id of [...this.#orphans.keys()]) {
      const node = this.#index.get(id)?.node;
      if (node === undefined || this.#counts(node)) this.#orphans.delete(id);
    }
    for (const node of [...this.#index.nodes]) {
      if (this.#counts(node)) continue;
      for (const id of [...this.#index.idsAt(node)]) {
        const sinceMs = this.#orphans.get(id);
        if (sinceMs === undefined) this.#orphans.set(id, nowMs);
        else if (nowMs - sinceMs >= this.#options.graceMs() && (isLowest || node === self)) this.#sweepAway(id);
      }
    }
  }

  #sweepAway(id: string): void {
    const revision = this.#table.get(id)?.revision;
    this.#orphans.delete(id);
    if (revision !== undefined) this.#remove(id, revision);
  }
}
