import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryPort } from '../ports/memory-port.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { BridgePort, type PortNumber } from './bridge-port.ts';
import { FilteringDatabase, type FilteringEntry } from './fdb.ts';
import type { EntryKind } from './filtering-entry.ts';
import type { HostFacts } from './stations/host-facts.ts';

/* The filtering database with entries of all kinds, against a list that is searched from its beginning. */

const AGEING_TIME_MS = 1000;

/** Two ports of stations, and two to other nodes of a cluster. */
const ports = [undefined, undefined, 'b', 'c'].map((meshNode, at) => {
  const memory = new MemoryPort();
  return new BridgePort((at + 1) as PortNumber, meshNode === undefined ? memory : Object.assign(memory, { meshNode }));
});

/** An entry of the model. The array has them in the order in which they were seen. */
interface Known {
  readonly vid: number;
  readonly mac: number;
  port: BridgePort;
  kind: EntryKind;
  seenMs: number;
  learnedMs: number;
  flowUntilMs: number;
  sequence: number;
  isHeld: boolean;
  isIsolated: boolean;
  host: number | undefined;
}

const nameOf = ({ vid, mac }: { vid: number; mac: number }): string => `${vid}/${mac}`;
const isMesh = ({ meshNode }: BridgePort): boolean => meshNode !== undefined;
/** The list of its port that an entry is in: of all entries but static ones that of the largest port is cut. */
const listOf = ({ port, kind }: Known): string => `${port.number} ${kind === 'sticky' ? 'learned' : kind}`;

class Model {
  known: Known[] = [];
  capacity: number;
  displaced = 0;
  nowMs = 0;
  /** What the database has told since the last step, and what it had to tell. */
  readonly told: string[] = [];
  readonly expected: string[] = [];
  readonly evicted: string[] = [];
  readonly fdb: FilteringDatabase;

  constructor(capacity: number) {
    this.capacity = capacity;
    const tell = (line: string): void => void this.told.push(line);
    this.fdb = new FilteringDatabase({
      ageingTimeMs: AGEING_TIME_MS,
      capacity,
      onLearned: (entry) => tell(`learned ${nameOf(entry)}`),
      onMoved: (entry, { from }, nowMs) => tell(`moved ${nameOf(entry)} from ${from} at ${nowMs}`),
      onEvicted: (entry, nowMs) => {
        assert.equal(nowMs, this.nowMs);
        this.evicted.push(nameOf(entry));
      },
      onHostEnded: (facts) => tell(`host ${facts}`),
    });
    this.fdb.watcher = {
      appeared: (entry) => tell(`appeared ${nameOf(entry)}`),
      moved: (entry, from, was) => tell(`watched ${nameOf(entry)} from ${from.number}, ${was}`),
      gone: (entry) => tell(`gone ${nameOf(entry)}`),
    };
  }

  find(vid: number, mac: number): Known | undefined {
    return this.known.find((entry) => entry.vid === vid && entry.mac === mac);
  }

  isValid({ kind, seenMs }: Known): boolean {
    return kind === 'static' || kind === 'told' || this.nowMs - seenMs < AGEING_TIME_MS;
  }

  remove(entry: Known): void {
    this.known = this.known.filter((other) => other !== entry);
    if (entry.host !== undefined) this.expected.push(`host ${entry.host}`);
    this.expected.push(`gone ${nameOf(entry)}`);
  }

  /** Removes what was evicted, if it is the oldest one of a list that had to give one. @param learner a list, with room for one more */
  evict(count: number, learner?: string): void {
    assert.equal(this.evicted.length, count);
    for (const name of this.evicted.splice(0)) {
      const lists = new Map<string, Known[]>();
      for (const entry of this.known.filter(({ kind }) => kind !== 'static'))
        lists.set(listOf(entry), [...(lists.get(listOf(entry)) ?? []), entry]);
      const most = Math.max(...[...lists.values()].map(({ length }) => length));
      const own = learner === undefined ? 0 : (lists.get(learner)?.length ?? 0);
      const payers = [...lists].filter(([list, { length }]) =>
        own > 0 && own + 1 >= most ? list === learner : length === most,
      );
      const gone = payers.map(([, [oldest]]) => oldest).find((entry) => entry !== undefined && nameOf(entry) === name);
      assert.ok(gone !== undefined, `${name} is not the oldest of ${payers.map(([list]) => list)}`);
      this.remove(gone);
      if (learner !== undefined) this.displaced++;
    }
  }

  /** Makes room for an entry in this list, as far as there is an entry that may go. */
  makeRoom(learner: string): void {
    const mayGo = this.known.some(({ kind }) => kind !== 'static');
    this.evict(this.known.length >= this.capacity && mayGo ? 1 : 0, learner);
  }

  add(vid: number, mac: number, port: BridgePort, kind: EntryKind, seenMs = this.nowMs): Known {
    const facts = { flowUntilMs: 0, sequence: 0, isHeld: false, isIsolated: false, host: undefined };
    const entry: Known = { vid, mac, port, kind, seenMs, learnedMs: seenMs, ...facts };
    this.known.push(entry);
    return entry;
  }

  seen(entry: Known): void {
    this.known = [...this.known.filter((other) => other !== entry), entry];
  }

  learn(vid: number, mac: number, port: BridgePort): void {
    const entry = this.find(vid, mac);
    this.fdb.learn(vid as Vid, mac as MacAddress, port, this.nowMs);
    if (entry === undefined) {
      this.makeRoom(`${port.number} learned`);
      this.add(vid, mac, port, 'learned');
      this.expected.push(`learned ${vid}/${mac}`, `appeared ${vid}/${mac}`);
      return;
    }
    const { kind, port: from } = entry;
    if (from !== port && this.isValid(entry)) {
      if (isMesh(port) ? kind !== 'learned' || !isMesh(from) : kind === 'sticky' || kind === 'static') return;
      if (kind === 'told' && entry.isHeld) return;
    }
    entry.seenMs = this.nowMs;
    this.seen(entry);
    if (from === port) return;
    entry.port = port;
    entry.kind = 'learned';
    this.expected.push(`moved ${vid}/${mac} from ${from.number} at ${this.nowMs}`);
    this.expected.push(`watched ${vid}/${mac} from ${from.number}, ${kind}`);
  }

  tell(vid: number, mac: number, port: BridgePort, sequence: number, isHeld: boolean): void {
    const facts = { sequence, isHeld, isIsolated: !isHeld, seenMs: this.nowMs - sequence };
    const told = this.fdb.tell(vid as Vid, mac as MacAddress, port, facts, this.nowMs);
    assert.equal(told, this.fdb.find(vid as Vid, mac as MacAddress));
    let entry = this.find(vid, mac);
    if (entry === undefined) {
      this.makeRoom(`${port.number} told`);
      entry = this.add(vid, mac, port, 'told', facts.seenMs);
    } else {
      const from = entry.port;
      entry.port = port;
      entry.kind = 'told';
      this.seen(entry);
      if (from !== port) this.expected.push(`moved ${vid}/${mac} from ${from.number} at ${this.nowMs}`);
    }
    Object.assign(entry, facts);
  }

  set(vid: number, mac: number, port: BridgePort, kind: EntryKind): void {
    const before = this.find(vid, mac);
    const set = this.fdb.set(vid as Vid, mac as MacAddress, port, kind, this.nowMs);
    const statics = this.known.filter((entry) => entry.kind === 'static').length;
    if (kind === 'static' && before?.kind !== 'static' && statics + 1 >= this.capacity) {
      assert.equal(set, undefined, 'a static entry too many');
      return;
    }
    if (before !== undefined) this.remove({ ...before, host: undefined });
    this.known = this.known.filter((entry) => entry !== before);
    this.makeRoom(`${port.number} learned`);
    const entry = this.add(vid, mac, port, kind);
    if (before !== undefined) {
      entry.sequence = before.sequence + (before.kind === 'told' ? 1 : 0);
      entry.learnedMs = before.learnedMs;
      entry.host = before.host;
    }
    assert.equal(set, this.fdb.find(vid as Vid, mac as MacAddress));
    this.expected.push(`appeared ${vid}/${mac}`);
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity;
    this.fdb.setCapacity(capacity, this.nowMs);
    const mayGo = this.known.filter(({ kind }) => kind !== 'static').length;
    this.evict(Math.max(0, Math.min(this.known.length - capacity, mayGo)));
  }

  removeAll(which: (entry: Known) => boolean): number {
    const gone = this.known.filter(which);
    for (const entry of gone) this.remove(entry);
    return gone.length;
  }

  /** Compares all that the database answers. */
  check(): void {
    const { fdb, nowMs } = this;
    // Within a step the order of different ports does not matter.
    assert.deepEqual(this.told.splice(0).sort(), this.expected.splice(0).sort());
    assert.deepEqual([fdb.size, fdb.displaced, fdb.capacity], [this.known.length, this.displaced, this.capacity]);
    const valid = this.known.filter((entry) => this.isValid(entry));
    const names = (entries: Iterable<{ vid: number; mac: number }>): string[] => [...entries].map(nameOf);
    assert.deepEqual(names(fdb.entries(nowMs)).sort(), names(valid).sort());
    assert.deepEqual(names(fdb.scan(() => nowMs)).sort(), names(valid).sort());
    const of = (...kinds: EntryKind[]): Known[] => this.known.filter(({ kind }) => kinds.includes(kind));
    assert.equal(fdb.staticSize, of('static').length);
    for (const port of ports) {
      const at = (entries: readonly Known[]): Known[] => entries.filter((entry) => entry.port === port);
      assert.equal(fdb.sizeAt(port), at(this.known).length);
      assert.deepEqual(names(fdb.toldAt(port)), names(at(of('told'))));
      const wanted = [...at(of('static')), ...at(of('learned', 'sticky'))];
      assert.deepEqual(names(fdb.entriesOf((other) => other === port)), names(wanted));
      const latestFirst = [
        ...at(of('static')).reverse(),
        ...at(of('told')).reverse(),
        ...at(of('learned', 'sticky').filter((entry) => this.isValid(entry))).reverse(),
      ];
      assert.deepEqual(names(fdb.entriesAt(port, nowMs)), names(latestFirst));
      const ageing = at(valid).filter(({ kind }) => kind === 'learned' || kind === 'sticky').length;
      for (const limit of [1, 2, 3]) {
        const isThere = valid.some((entry) => entry.port === port && nameOf(entry) === '0/0');
        assert.equal(fdb.isBeyond(limit, 0 as Vid, 0 as MacAddress, port, nowMs), ageing >= limit && !isThere);
      }
    }
    for (const entry of this.known) {
      const found = fdb.find(entry.vid as Vid, entry.mac as MacAddress) as FilteringEntry;
      const { moves: _moves, isAnnounced, ...facts } = entryOf(found);
      assert.deepEqual([facts, isAnnounced], [entry, false]);
      const port = fdb.lookup(entry.vid as Vid, entry.mac as MacAddress, nowMs);
      assert.equal(port, this.isValid(entry) ? entry.port : undefined);
    }
  }
}

/** The facts of an entry, without what the database needs to find it. */
function entryOf(found: FilteringEntry) {
  const { vid, mac, port, kind, seenMs, learnedMs, flowUntilMs, moves } = found;
  const { sequence, isHeld, isAnnounced, isIsolated, host } = found;
  return {
    vid,
    mac,
    port,
    kind,
    seenMs,
    learnedMs,
    flowUntilMs,
    moves,
    sequence,
    isHeld,
    isAnnounced,
    isIsolated,
    host,
  };
}

const facts = {
  vid: fc.nat(1),
  mac: fc.nat(5),
  port: fc.nat(3),
  wait: fc.nat(150),
  kind: fc.constantFrom<EntryKind>('learned', 'sticky', 'static'),
  isOn: fc.boolean(),
  size: fc.integer({ min: 1, max: 7 }),
};
const OPERATIONS = {
  learn: 20,
  tell: 8,
  set: 5,
  delete: 2,
  flush: 1,
  forget: 1,
  remove: 1,
  keep: 1,
  age: 3,
  host: 3,
  flow: 2,
  capacity: 2,
} as const;
type Operation = keyof typeof OPERATIONS;
const step = fc.oneof(
  ...Object.entries(OPERATIONS).map(([op, weight]) => ({
    weight,
    arbitrary: fc.record({ op: fc.constant(op as Operation), ...facts }),
  })),
);
type Step = typeof step extends fc.Arbitrary<infer Of> ? Of : never;

const portOf = ({ port }: Step): BridgePort => ports[port] as BridgePort;
const isStatic = ({ kind }: Known): boolean => kind === 'static';

const PLAY: Readonly<Record<Operation, (model: Model, step: Step) => void>> = {
  learn: (model, step) => model.learn(step.vid, step.mac, portOf(step)),
  tell: (model, { vid, mac, port, size, isOn }) =>
    model.tell(vid, mac, ports[2 + (port % 2)] as BridgePort, size, isOn),
  set: (model, step) => model.set(step.vid, step.mac, portOf(step), step.kind),
  delete: (model, { vid, mac }) => {
    const entry = model.find(vid, mac);
    assert.equal(model.fdb.delete(vid as Vid, mac as MacAddress) === undefined, entry === undefined);
    if (entry !== undefined) model.remove(entry);
  },
  flush: (model, step) => {
    const { vid, isOn, size } = step;
    const port = isOn ? portOf(step) : undefined;
    const scope = { port, vid: size > 3 ? (vid as Vid) : undefined };
    const isInScope = (entry: Known): boolean =>
      !isStatic(entry) &&
      (port === undefined ? entry.kind !== 'told' : entry.port === port) &&
      (scope.vid === undefined || entry.vid === scope.vid);
    const gone = model.known.filter(isInScope).map(nameOf);
    const removed: string[] = [];
    const isTold = size % 2 === 0;
    const count = model.fdb.flush(scope, isTold ? (entry) => void removed.push(nameOf(entry)) : undefined);
    assert.deepEqual([count, removed.sort()], [gone.length, isTold ? gone.sort() : []]);
    model.removeAll(isInScope);
  },
  forget: (model, step) => {
    model.fdb.forgetPort(portOf(step));
    model.removeAll((entry) => entry.port === portOf(step) && !isStatic(entry));
  },
  remove: (model, step) => {
    model.fdb.removePort(portOf(step));
    model.removeAll((entry) => entry.port === portOf(step));
  },
  keep: (model, step) => {
    model.fdb.removeStatic(portOf(step), ({ vid }) => vid === step.vid);
    model.removeAll((entry) => entry.port === portOf(step) && isStatic(entry) && entry.vid !== step.vid);
  },
  age: (model, { size }) => {
    model.nowMs += 200 * size;
    const aged: string[] = [];
    model.fdb.age(model.nowMs, (entry) => void aged.push(nameOf(entry)));
    const isOver = (entry: Known): boolean => !model.isValid(entry);
    assert.deepEqual(aged.sort(), model.known.filter(isOver).map(nameOf).sort());
    model.removeAll(isOver);
  },
  host: (model, { vid, mac }) => {
    const [entry, found] = [model.find(vid, mac), model.fdb.find(vid as Vid, mac as MacAddress)];
    if (found !== undefined) found.host = model.nowMs as unknown as HostFacts;
    if (entry !== undefined) entry.host = model.nowMs;
  },
  flow: (model, { vid, mac, size }) => {
    model.fdb.noteFlow(vid as Vid, mac as MacAddress, model.nowMs + size);
    const entry = model.find(vid, mac);
    if (entry !== undefined) entry.flowUntilMs = model.nowMs + size;
  },
  capacity: (model, { size }) => model.setCapacity(size),
};

test('entries of all kinds are found, moved, displaced, aged and removed as a list would have them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step, { minLength: 20, maxLength: 40 }), (capacity, steps) => {
      const model = new Model(capacity);
      for (const each of steps) {
        model.nowMs += 1 + each.wait;
        PLAY[each.op](model, each);
        model.check();
      }
    }),
    { numRuns: 30 },
  );
});

test('a database that tells nothing of hosts removes their entries all the same', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: AGEING_TIME_MS, capacity: 5 });
  fdb.learn(0 as Vid, 1 as MacAddress, ports[0] as BridgePort, 0);
  const entry = fdb.find(0 as Vid, 1 as MacAddress) as FilteringEntry;
  entry.host = 1 as unknown as HostFacts;
  assert.equal(fdb.delete(0 as Vid, 1 as MacAddress), entry);
  assert.equal(fdb.size, 0);
});
