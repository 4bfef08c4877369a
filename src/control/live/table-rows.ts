import { driftMs, type Listed } from './listed.ts';
import type { AgeingMember } from './live-tables.ts';
import type { PieceBuilder } from './piece.ts';
import { sameJson } from './same-json.ts';
import { keyOf, type LiveEntry, type TableName } from './table-keys.ts';

/** A row as the last round has found it. */
export class Row {
  readonly key: string;
  entry: LiveEntry;
  /** The times of its ageing members, in milliseconds since 1970, as they are sent. */
  timesMs: readonly number[];
  /** The round that has changed it last. */
  version: number;
  /** The round that has found it last; 0: none will, since it is gone. */
  seen: number;

  constructor(key: string, entry: LiveEntry, timesMs: readonly number[], version: number) {
    this.key = key;
    this.entry = entry;
    this.timesMs = timesMs;
    this.version = version;
    this.seen = version;
  }
}

/** Limit of the keys of removed rows that are kept for readers that are behind. */
const MOST_GONE = 65_536;

/**
 * The rows of a table, with the round in which each has changed last. So a reader that has the state of any former
 * round can be brought up to date, by whole rows.
 */
export class TableRows {
  readonly #table: TableName;
  readonly #ageing: readonly AgeingMember[];
  readonly #rows = new Map<string, Row>();
  /** The keys of removed rows, in the order of their rounds. */
  #gone: { readonly key: string; readonly version: number }[] = [];
  /** The number of the last round; 0 before the first. */
  version = 0;
  /** Readers with the state of an earlier round need a snapshot. */
  oldest = 0;

  constructor(table: TableName, ageing: readonly AgeingMember[]) {
    this.#table = table;
    this.#ageing = ageing;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Live: rows that are added meanwhile come at the end. */
  rows(): IterableIterator<Row> {
    return this.#rows.values();
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** Begins a round. Rows that `note` does not get until `sweep` are gone. */
  begin(): void {
    this.version++;
  }

  /**
   * Notes an entry of this round.
   * @param wallMs milliseconds since 1970
   * @param piece gets the entry if it is new or has other members than before, else those that have changed
   */
  note(listed: Listed, wallMs: number, piece: PieceBuilder): void {
    const { version } = this;
    const { entry } = listed;
    const noted = listed.note as Row | undefined;
    if (noted !== undefined && noted.entry === entry && noted.seen !== 0) {
      noted.seen = version;
      return;
    }
    const key = keyOf(this.#table, entry);
    const row = this.#rows.get(key);
    if (row === undefined) {
      const added = new Row(key, entry, this.#timesOf(entry, wallMs, NO_TIMES), version);
      this.#rows.set(key, added);
      listed.note = added;
      piece.put(this.sent(added));
      return;
    }
    row.seen = version;
    listed.note = row;
    const timesMs = this.#timesOf(entry, wallMs, row.timesMs);
    const members = this.#changesOf(row, entry, timesMs);
    row.entry = entry;
    if (members === 'same') return;
    row.timesMs = timesMs;
    row.version = version;
    if (members === 'new') piece.put(this.sent(row));
    else piece.change(key, members);
  }

  /** Ends a round: removes the rows that it has not found. @returns for each row its key if it is gone, else undefined */
  *sweep(): IterableIterator<string | undefined> {
    const { version } = this;
    for (const row of this.#rows.values()) {
      if (row.seen === version) yield undefined;
      else {
        row.seen = 0;
        this.#rows.delete(row.key);
        this.#gone.push({ key: row.key, version });
        yield row.key;
      }
    }
    if (this.#gone.length > MOST_GONE) this.forget((this.#gone[this.#gone.length - MOST_GONE / 2]?.version ?? 0) + 1);
  }

  /** The rows that were removed after a round, and have not come back. */
  *goneSince(version: number): IterableIterator<string> {
    for (const gone of this.#gone) if (gone.version > version && !this.#rows.has(gone.key)) yield gone.key;
  }

  /** No reader has the state of a round before this one any more. */
  forget(before: number): void {
    if (before <= this.oldest) return;
    this.oldest = before;
    const first = this.#gone.findIndex(({ version }) => version > before);
    this.#gone = first < 0 ? [] : this.#gone.slice(first);
  }

  /** A row as it is sent. */
  sent({ entry, timesMs }: Pick<Row, 'entry' | 'timesMs'>): LiveEntry {
    if (this.#ageing.length === 0) return entry;
    const sent: Record<string, unknown> = { ...entry };
    this.#ageing.forEach(({ member, as }, index) => {
      delete sent[member];
      sent[as] = isoTime(timesMs[index] as number);
    });
    return sent;
  }

  #timesOf(entry: LiveEntry, wallMs: number, former: readonly number[]): readonly number[] {
    if (this.#ageing.length === 0) return NO_TIMES;
    const drift = driftMs(this.#rows.size);
    let isFormer = former.length > 0;
    const times = this.#ageing.map(({ member, counts }, index) => {
      const ms = Number(entry[member]) * 1000;
      const time = counts === 'since' ? wallMs - ms : wallMs + ms;
      const before = former[index];
      if (before !== undefined && Math.abs(time - before) <= drift) return before;
      isFormer = false;
      return time;
    });
    return isFormer ? former : times;
  }

  #changesOf(row: Row, entry: LiveEntry, timesMs: readonly number[]): 'same' | 'new' | LiveEntry {
    const former = row.entry;
    let members: Record<string, unknown> | undefined;
    for (const member in entry) {
      const value = entry[member];
      if (value === former[member] || this.#isAgeing(member) || sameJson(value, former[member])) continue;
      members ??= {};
      members[member] = value;
    }
    for (const member in former) if (!(member in entry)) return 'new';
    if (timesMs !== row.timesMs) {
      members ??= {};
      this.#ageing.forEach(({ as }, index) => {
        const time = timesMs[index] as number;
        if (time !== row.timesMs[index]) (members as Record<string, unknown>)[as] = isoTime(time);
      });
    }
    return members ?? 'same';
  }

  #isAgeing(member: string): boolean {
    for (const ageing of this.#ageing) if (ageing.member === member) return true;
    return false;
  }
}

const NO_TIMES: readonly number[] = [];

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
