import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilterModel, LMQT_MS, RECORD_TYPES, type RecordName } from '../../../test/support/filter-model.ts';
import { joinFrame, leaveFrame, queryFrame, recordsFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';

const PORTS = [1, 2, 3];
/** It sends the frames of the sources, and is the other querier. */
const SENDER = 4;
const NAMES = Object.keys(RECORD_TYPES) as RecordName[];

interface Family {
  readonly groups: readonly string[];
  readonly sources: readonly string[];
}

const FAMILIES: Readonly<Record<4 | 6, Family>> = {
  4: { groups: ['232.1.2.3', '239.1.2.3'], sources: [1, 2, 3, 4, 5].map((last) => `10.0.0.${last}`) },
  6: { groups: ['ff35::9', 'ff15::9'], sources: [1, 2, 3, 4, 5].map((last) => `2001:db8::${last}`) },
};
const QUERIER = { 4: { from: '10.9.9.9', station: 0xfe }, 6: { family: 6, station: 0xfe } } as const;
const RESPONSE_CODE = { 4: 10, 6: 1000 } as const;

class Comparison {
  readonly lan: MulticastLan;
  readonly #random: Random;
  readonly #family: 4 | 6;
  readonly #isQuerier: boolean;
  readonly #isFast: boolean;
  readonly #models = new Map<string, FilterModel>();

  constructor(random: Random, family: 4 | 6, isQuerier: boolean, isFast: boolean) {
    this.#random = random;
    this.#family = family;
    this.#isQuerier = isQuerier;
    this.#isFast = isFast;
    this.lan = new MulticastLan(4, { isQuerier });
    for (const port of PORTS) {
      this.lan.bridge.setSettings(this.lan.port(port), { ...DEFAULT_SETTINGS, fastLeave: isFast });
    }
    if (!isQuerier) this.lan.send(SENDER, queryFrame(QUERIER[family]));
    this.lan.pass(40_000);
  }

  step(): void {
    const random = this.#random;
    if (random.once(4)) this.#pass();
    else if (!this.#isQuerier && random.once(5)) this.#query();
    else this.#report();
  }

  /** Each frame goes to the ports whose models want its source. */
  compare(what: string): void {
    const { groups, sources } = FAMILIES[this.#family];
    const unlisted = this.#family === 4 ? '10.0.0.77' : '2001:db8::77';
    for (const group of groups) {
      for (const from of [...sources, unlisted]) {
        const wanted = PORTS.filter((port) => this.#model(port, group).wants(from));
        assert.deepEqual(this.lan.reach(SENDER, group, { from }), wanted, `${what}: ${from} to ${group}`);
      }
    }
    const members = [...this.#models.values()].filter(({ isMember }) => isMember).length;
    assert.equal([...this.lan.snooper.memberships(this.lan.nowMs)].length, members, what);
  }

  /** After all has expired nothing is kept. */
  end(): void {
    this.lan.pass(600_000);
    const { groups, memberships, sources } = this.lan.snooper.database;
    assert.deepEqual({ groups, memberships, sources }, { groups: 0, memberships: 0, sources: 0 });
  }

  #pass(): void {
    const random = this.#random;
    // Short times, those around the end of a question, and those around a membership interval.
    const ms = random.pick([1, 900, LMQT_MS - 1, LMQT_MS, 60_000, 130_000, 259_999]) + random.below(3);
    for (let left = ms; left > 0; left -= 100_000) {
      this.lan.pass(Math.min(left, 100_000));
      if (!this.#isQuerier) this.lan.send(SENDER, queryFrame(QUERIER[this.#family]));
    }
    for (const model of this.#models.values()) model.passTo(this.lan.nowMs);
  }

  /** The other querier asks for a group, or for sources of it. */
  #query(): void {
    const random = this.#random;
    const group = random.pick(FAMILIES[this.#family].groups);
    const sources = random.once(2) ? [] : this.#someSources();
    const isSuppressing = random.once(4);
    const code = RESPONSE_CODE[this.#family];
    this.lan.send(SENDER, queryFrame({ ...QUERIER[this.#family], group, sources, isSuppressing, code }));
    if (isSuppressing) return;
    const asked = { group: sources.length === 0, sources: new Set(sources) };
    for (const port of PORTS) this.#model(port, group).lower(asked, this.lan.nowMs + LMQT_MS);
  }

  #report(): void {
    const random = this.#random;
    const port = random.pick(PORTS);
    const group = random.pick(FAMILIES[this.#family].groups);
    const model = this.#model(port, group);
    if (random.once(25)) {
      const version = this.#family === 4 && random.once(2) ? 1 : 2;
      this.lan.send(port, joinFrame(group, {}, version === 1 ? 0x12 : 0x16));
      model.olderReport(version);
    } else {
      const isLeave = random.once(15);
      const name = random.pick(NAMES);
      const sources = isLeave ? [] : this.#someSources();
      const frame = isLeave ? leaveFrame(group) : recordsFrame([{ type: RECORD_TYPES[name], group, sources }]);
      this.lan.send(port, frame);
      const asked = isLeave ? model.leave() : model.record(name, new Set(sources));
      const isSilent = !this.#isFast && !this.#isQuerier;
      const later = isSilent ? undefined : model.lower(asked, this.lan.nowMs + (this.#isFast ? 0 : LMQT_MS));
      const isAsking = this.#isQuerier && !this.#isFast && later !== undefined;
      this.#expectQueries(port, group, isAsking ? later : { group: false, sources: new Set() });
      if (this.#isFast) model.passTo(this.lan.nowMs);
    }
  }

  #expectQueries(port: number, group: string, { group: isGroup, sources }: ReturnType<FilterModel['leave']>): void {
    const asked = this.lan
      .takeQueries()
      .map((line) => line.replace(/ from \S+/, ''))
      .map((line) => line.split(' for '))
      .map(([head, tail]) => (tail === undefined ? head : `${head} for ${tail.split(' ').sort().join(' ')}`));
    const expected = [
      ...(sources.size > 0 ? [`${port} ${group} for ${[...sources].sort().join(' ')}`] : []),
      ...(isGroup ? [`${port} ${group}`] : []),
    ];
    assert.deepEqual(asked, expected);
  }

  #someSources(): string[] {
    return FAMILIES[this.#family].sources.filter(() => this.#random.once(2));
  }

  #model(port: number, group: string): FilterModel {
    const key = `${port} ${group}`;
    const known = this.#models.get(key);
    if (known !== undefined) return known;
    const model = new FilterModel(this.lan.nowMs);
    this.#models.set(key, model);
    return model;
  }
}

for (const family of [4, 6] as const) {
  for (const [isQuerier, isFast, what] of [
    [true, false, 'the switch is the querier'],
    [false, false, 'another querier'],
    [true, true, 'fast leave'],
  ] as const) {
    test(`IPv${family}, ${what}: which sources go where, against a model of the tables in the RFC`, () => {
      const random = new Random(fuzzSeed() + family);
      for (let run = fuzzCases(20); run > 0; run--) {
        const comparison = new Comparison(random, family, isQuerier, isFast);
        for (let step = 0; step < 60; step++) {
          comparison.step();
          comparison.compare(`seed ${random.seed}, step ${step}`);
        }
        comparison.end();
      }
    });
  }
}
