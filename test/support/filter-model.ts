/**
 * A second implementation of the state of a router for one group at one interface (RFC 3376, 6.4 and 7.3.2), by sets and
 * timers that really end, so that the tests do not use the tested one. Sources are texts.
 */

export const GMI_MS = 260_000;
/** Last Member Query Time: two queries, a second apart. */
export const LMQT_MS = 2000;

export type RecordName = 'IS_IN' | 'IS_EX' | 'TO_IN' | 'TO_EX' | 'ALLOW' | 'BLOCK';

/** The types of records in a report. */
export const RECORD_TYPES: Readonly<Record<RecordName, number>> = {
  ...{ IS_IN: 1, IS_EX: 2, TO_IN: 3, TO_EX: 4, ALLOW: 5, BLOCK: 6 },
};

export interface Asked {
  readonly group: boolean;
  readonly sources: ReadonlySet<string>;
}

const minus = (one: ReadonlySet<string>, other: ReadonlySet<string>): Set<string> =>
  new Set([...one].filter((source) => !other.has(source)));
const both = (one: ReadonlySet<string>, other: ReadonlySet<string>): Set<string> =>
  new Set([...one].filter((source) => other.has(source)));

export class FilterModel {
  mode: 'INCLUDE' | 'EXCLUDE' = 'INCLUDE';
  groupMs = 0;
  /** The sources with running timers: A, or X. */
  readonly timers = new Map<string, number>();
  /** Y. */
  excluded = new Set<string>();
  version1Ms = 0;
  version2Ms = 0;
  /** Whether the record of the group stays, since the operator has set some of it. */
  isKept = false;
  #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  get isMember(): boolean {
    return this.mode === 'EXCLUDE' || this.timers.size > 0;
  }

  wants(source: string): boolean {
    return this.mode === 'INCLUDE' ? this.timers.has(source) : !this.excluded.has(source);
  }

  /** Lets timers end, one after the other. */
  passTo(nowMs: number): void {
    this.#nowMs = nowMs;
    const ends = [...this.timers].sort(([, one], [, other]) => one - other);
    for (const [source, endMs] of ends) {
      if (endMs > nowMs) break;
      if (this.mode === 'EXCLUDE' && this.groupMs <= endMs) this.#endGroup();
      this.timers.delete(source);
      if (this.mode === 'EXCLUDE') this.excluded.add(source);
    }
    if (this.mode === 'EXCLUDE' && this.groupMs <= nowMs) this.#endGroup();
    // The record of a group goes with all that it says.
    if (!this.isMember && !this.isKept) {
      this.version1Ms = 0;
      this.version2Ms = 0;
    }
  }

  /** A host of an older version. */
  olderReport(version: 1 | 2): void {
    this.record('IS_EX', new Set());
    if (version === 1) this.version1Ms = this.#nowMs + GMI_MS;
    else this.version2Ms = this.#nowMs + GMI_MS;
  }

  leave(): Asked {
    return this.record('TO_IN', new Set());
  }

  /** @returns what is to be asked; the timers are lowered by `lower` */
  record(name: RecordName, sources: ReadonlySet<string>): Asked {
    const isVersion1 = this.#nowMs < this.version1Ms;
    const isOlder = isVersion1 || this.#nowMs < this.version2Ms;
    if ((isOlder && name === 'BLOCK') || (isVersion1 && name === 'TO_IN')) return { group: false, sources: new Set() };
    const named = isOlder && name === 'TO_EX' ? new Set<string>() : sources;
    return this.mode === 'INCLUDE' ? this.#include(name, named) : this.#exclude(name, named);
  }

  /** A query for this was sent or heard. @returns what had a longer time */
  lower({ group, sources }: Asked, untilMs: number): Asked {
    const later = new Set([...sources].filter((source) => (this.timers.get(source) ?? 0) > untilMs));
    for (const source of later) this.timers.set(source, untilMs);
    const isGroupLater = group && this.mode === 'EXCLUDE' && this.groupMs > untilMs;
    if (isGroupLater) this.groupMs = untilMs;
    return { group: isGroupLater, sources: later };
  }

  /** Wants what it wants, and what another one does. @param permanent sources that it wants anyway */
  adopt(other: FilterModel, permanent: readonly string[]): void {
    const endOf = (model: FilterModel, source: string): number =>
      model.timers.get(source) ?? (model.mode === 'EXCLUDE' && !model.excluded.has(source) ? model.groupMs : 0);
    const listed = [this, other].flatMap(({ timers, excluded }) => [...timers.keys(), ...excluded]);
    const ends = new Map(listed.map((source) => [source, Math.max(endOf(this, source), endOf(other, source))]));
    for (const source of permanent) ends.delete(source);
    const groups = [this, other].filter(({ mode }) => mode === 'EXCLUDE').map(({ groupMs }) => groupMs);
    this.timers.clear();
    for (const [source, endMs] of ends) if (endMs > this.#nowMs) this.timers.set(source, endMs);
    this.mode = groups.length === 0 ? 'INCLUDE' : 'EXCLUDE';
    this.groupMs = Math.max(0, ...groups);
    const isOver = (source: string): boolean => !this.timers.has(source) && !permanent.includes(source);
    this.excluded = new Set(this.mode === 'EXCLUDE' ? [...ends.keys()].filter(isOver) : []);
    this.version1Ms = Math.max(this.version1Ms, other.version1Ms);
    this.version2Ms = Math.max(this.version2Ms, other.version2Ms);
  }

  #include(name: RecordName, b: ReadonlySet<string>): Asked {
    const a = new Set(this.timers.keys());
    const asked = (sources: ReadonlySet<string>): Asked => ({ group: false, sources });
    switch (name) {
      case 'IS_IN':
      case 'ALLOW':
        this.#start(b, GMI_MS);
        return asked(new Set());
      case 'TO_IN':
        this.#start(b, GMI_MS);
        return asked(minus(a, b));
      case 'BLOCK':
        return asked(both(a, b));
      default:
        this.mode = 'EXCLUDE';
        this.excluded = minus(b, a);
        for (const source of minus(a, b)) this.timers.delete(source);
        this.groupMs = this.#nowMs + GMI_MS;
        return asked(name === 'TO_EX' ? both(a, b) : new Set());
    }
  }

  #exclude(name: RecordName, a: ReadonlySet<string>): Asked {
    const x = new Set(this.timers.keys());
    const y = this.excluded;
    const unknown = minus(minus(a, x), y);
    const groupLeftMs = this.groupMs - this.#nowMs;
    switch (name) {
      case 'IS_IN':
      case 'ALLOW':
      case 'TO_IN':
        this.#start(a, GMI_MS);
        this.excluded = minus(y, a);
        return name === 'TO_IN' ? { group: true, sources: minus(x, a) } : { group: false, sources: new Set() };
      case 'BLOCK':
        this.#start(unknown, groupLeftMs);
        return { group: false, sources: minus(a, y) };
      default:
        this.#start(unknown, name === 'IS_EX' ? GMI_MS : groupLeftMs);
        for (const source of minus(x, a)) this.timers.delete(source);
        this.excluded = both(y, a);
        this.groupMs = this.#nowMs + GMI_MS;
        return { group: false, sources: name === 'TO_EX' ? minus(a, y) : new Set() };
    }
  }

  #start(sources: ReadonlySet<string>, ms: number): void {
    for (const source of sources) this.timers.set(source, this.#nowMs + ms);
  }

  #endGroup(): void {
    this.mode = 'INCLUDE';
    this.excluded = new Set();
  }
}
