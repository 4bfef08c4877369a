import type { Lister } from '../../control/live/listed.ts';
import { type Observed, ObservedTable } from '../../control/live/observed-table.ts';
import type { LiveEntry, TableName } from '../../control/live/table-keys.ts';
import type { NodeStream, OpenNodeStream } from '../../control/nodes/node-stream.ts';
import type { StatusEntry, SwitchControl } from '../../control/schema.ts';
import type { Logger } from '../../observability/logger.ts';
import { type AnyEntry, isOutside, networksOf, statusOf, vlansOf } from './merged-entries.ts';
import { SilentWorkers } from './silent-workers.ts';

export interface TablesOfWorkersOptions {
  readonly own: Pick<SwitchControl, 'eachPort'>;
  /** the numbers of the workers that answer */
  readonly workers: () => readonly number[];
  readonly open: OpenNodeStream;
  readonly logger: Logger;
}

/** The tables of a worker that are followed for a table: counts of a network or a VLAN leave the ports of the mesh out. */
const FOLLOWED: Readonly<Record<TableName, readonly TableName[]>> = {
  ports: ['ports'],
  stations: ['stations'],
  neighbors: ['neighbors'],
  networks: ['networks', 'ports'],
  vlans: ['vlans', 'ports'],
  status: ['status'],
  // One tree spans all processes, and the first one has its state.
  trees: [],
  treePorts: [],
};
const INTERVAL_S = 1;
/** A worker that cannot be followed is tried again after this time. */
const AGAIN_MS = 1000;

/** A table of all processes for one reader of the first one: its own list, and what the workers tell by `observe`. */
export function tableOfProcesses(options: TablesOfWorkersOptions, table: TableName, own: Lister): Lister {
  const followers = new Followers(options, FOLLOWED[table]);
  const others = (name: TableName): LiveEntry[] => followers.rows(name);
  const merge = MERGES[table] ?? concatenated;
  return {
    *each() {
      followers.look();
      if (table === 'trees' || table === 'treePorts') yield* own.each();
      else yield* merge(own, table, others, options.own);
    },
    close: () => followers.close(),
  };
}

type Others = (name: TableName) => LiveEntry[];
type Merge = (
  own: Lister,
  table: TableName,
  others: Others,
  service: TablesOfWorkersOptions['own'],
) => ReturnType<Lister['each']>;

function* concatenated(own: Lister, table: TableName, others: Others): ReturnType<Lister['each']> {
  for (const listed of own.each()) if (listed === undefined || isOutside(listed.entry)) yield listed;
  for (const entry of others(table)) if (isOutside(entry)) yield { entry: aged(entry, Date.now()), note: undefined };
}

const MERGES: Partial<Record<TableName, Merge>> = {
  *networks(own, table, others, service) {
    const ports = portsOf(others, service);
    for (const entry of networksOf([...listedBy(own), ...others(table)], ports)) yield { entry, note: undefined };
  },
  *vlans(own, table, others, service) {
    const ports = portsOf(others, service);
    for (const entry of vlansOf([...listedBy(own), ...others(table)], ports)) yield { entry, note: undefined };
  },
  *status(own, table, others) {
    const all = [...listedBy(own), ...others(table)] as unknown as StatusEntry[];
    const entry = statusOf(all) as LiveEntry | undefined;
    if (entry !== undefined) yield { entry, note: undefined };
  },
};

function listedBy(own: Lister): LiveEntry[] {
  return [...own.each()].flatMap((listed) => (listed === undefined ? [] : [listed.entry]));
}

function portsOf(others: Others, service: TablesOfWorkersOptions['own']): AnyEntry[] {
  return [...service.eachPort(), ...others('ports')] as unknown as AnyEntry[];
}

/** A followed entry has times where a listed one has ages. */
function aged(entry: LiveEntry, nowMs: number): LiveEntry {
  const { since, until, ...rest } = entry;
  if (typeof since !== 'string' || typeof until !== 'string') return entry;
  const age = Math.max(0, Math.round((nowMs - Date.parse(since)) / 1000));
  return { ...rest, age, ttl: Math.max(0, Math.round((Date.parse(until) - nowMs) / 1000)) };
}

interface Followed {
  stream: NodeStream | undefined;
  readonly tables: ReadonlyMap<TableName, ObservedTable>;
}

/** The copies of some tables of all workers. */
class Followers {
  readonly #options: TablesOfWorkersOptions;
  readonly #tables: readonly TableName[];
  readonly #workers = new Map<number, Followed>();
  readonly #silent: SilentWorkers;
  readonly #lostMs = new Map<number, number>();
  #isClosed = false;

  constructor(options: TablesOfWorkersOptions, tables: readonly TableName[]) {
    this.#options = options;
    this.#tables = tables;
    this.#silent = new SilentWorkers(options.logger, `the table ${tables.join(' and ')}`);
  }

  rows(name: TableName): LiveEntry[] {
    return [...this.#workers.values()].flatMap(({ tables }) => [...(tables.get(name)?.rows.values() ?? [])]);
  }

  /** Follows workers that have come. */
  look(): void {
    if (this.#isClosed || this.#tables.length === 0) return;
    const nowMs = performance.now();
    for (const worker of this.#options.workers()) {
      const lostMs = this.#lostMs.get(worker) ?? Number.NEGATIVE_INFINITY;
      if (!this.#workers.has(worker) && nowMs - lostMs >= AGAIN_MS) void this.#follow(worker);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { stream } of this.#workers.values()) stream?.end();
    this.#workers.clear();
  }

  /** Never rejects. */
  async #follow(worker: number): Promise<void> {
    const tables = new Map(this.#tables.map((name) => [name, new ObservedTable(name)]));
    const followed: Followed = { stream: undefined, tables };
    this.#workers.set(worker, followed);
    const lost = (): void => {
      this.#workers.delete(worker);
      this.#lostMs.set(worker, performance.now());
    };
    const caller = { user: null, networks: null };
    const params = { tables: this.#tables, interval: INTERVAL_S };
    try {
      const stream = await this.#options.open(`w${worker}`, caller, 'observe', params, {
        notified: (method, piece) => {
          if (method === 'observed') tables.get((piece as Observed).table)?.apply(piece as Observed);
        },
        ended: lost,
      });
      if (this.#isClosed) stream.end();
      followed.stream = stream;
      this.#silent.had(worker);
    } catch (error) {
      this.#silent.failed(worker, error);
      lost();
    }
  }
}
