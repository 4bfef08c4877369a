import type { SessionRow } from './session-row.ts';

/** A row of another node. */
export interface ForeignSession {
  readonly id: string;
  readonly row: SessionRow;
}

/** The rows of other nodes, by token, by user and by node. */
export class SessionIndex {
  readonly #rows = new Map<string, SessionRow>();
  readonly #byHash = new Map<string, string>();
  /** how many tunnels a user has at each node */
  readonly #byUser = new Map<string, Map<string, number>>();
  readonly #byNode = new Map<string, Set<string>>();
  readonly #away = new Map<string, Set<string>>();
  /** Called when the number of a user's tunnels has changed. */
  onUser: (user: string | null) => void = () => undefined;

  get nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  /** @param row undefined: removed, or one of this node */
  set(id: string, row: SessionRow | undefined): void {
    const before = this.#rows.get(id);
    if (before !== undefined) this.#remove(id, before);
    if (row !== undefined) this.#add(id, row);
    if (before?.user === row?.user && before?.node === row?.node) return;
    if (before !== undefined) this.onUser(before.user ?? null);
    if (row !== undefined && (before === undefined || before.user !== row.user)) this.onUser(row.user ?? null);
  }

  get(id: string): SessionRow | undefined {
    return this.#rows.get(id);
  }

  byHash(hash: string): ForeignSession | undefined {
    const id = this.#byHash.get(hash);
    const row = id === undefined ? undefined : this.#rows.get(id);
    return id === undefined || row === undefined ? undefined : { id, row };
  }

  idsAt(node: string): ReadonlySet<string> {
    return this.#byNode.get(node) ?? new Set();
  }

  usersAt(node: string): Set<string | null> {
    return new Set([...this.idsAt(node)].map((id) => this.#rows.get(id)?.user ?? null));
  }

  /** How many tunnels a user has at the nodes for which `counts` is true. */
  tunnelsOf(user: string | null, counts: (node: string) => boolean): number {
    let sum = 0;
    for (const [node, tunnels] of this.#byUser.get(keyOf(user)) ?? []) if (counts(node)) sum += tunnels;
    return sum;
  }

  /** A session of a user whose client is away; undefined when all are connected. */
  awayOf(user: string, counts: (node: string) => boolean): ForeignSession | undefined {
    for (const id of this.#away.get(user) ?? []) {
      const row = this.#rows.get(id);
      if (row !== undefined && counts(row.node)) return { id, row };
    }
    return undefined;
  }

  #add(id: string, row: SessionRow): void {
    this.#rows.set(id, row);
    for (const hash of hashesOf(row)) this.#byHash.set(hash, id);
    const key = keyOf(row.user ?? null);
    const nodes = this.#byUser.get(key) ?? new Map<string, number>();
    this.#byUser.set(key, nodes.set(row.node, (nodes.get(row.node) ?? 0) + 1));
    this.#byNode.set(row.node, (this.#byNode.get(row.node) ?? new Set()).add(id));
    if (row.away) this.#away.set(key, (this.#away.get(key) ?? new Set()).add(id));
  }

  #remove(id: string, row: SessionRow): void {
    this.#rows.delete(id);
    for (const hash of hashesOf(row)) if (this.#byHash.get(hash) === id) this.#byHash.delete(hash);
    const key = keyOf(row.user ?? null);
    const nodes = this.#byUser.get(key);
    const left = (nodes?.get(row.node) ?? 0) - 1;
    if (left > 0) nodes?.set(row.node, left);
    else nodes?.delete(row.node);
    if (nodes?.size === 0) this.#byUser.delete(key);
    const ids = this.#byNode.get(row.node);
    ids?.delete(id);
    if (ids?.size === 0) this.#byNode.delete(row.node);
    const away = this.#away.get(key);
    away?.delete(id);
    if (away?.size === 0) this.#away.delete(key);
  }
}

/** Clients without a user count together, as at one node. */
function keyOf(user: string | null): string {
  return user ?? '';
}

function hashesOf({ latest, presented }: SessionRow): string[] {
  return [latest, presented].filter((hash) => hash !== undefined);
}
