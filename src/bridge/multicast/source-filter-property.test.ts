import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilterModel, LMQT_MS, RECORD_TYPES, type RecordName } from '../../../test/support/filter-model.ts';
import { joinFrame, leaveFrame, octetsOf, queryFrame, recordsFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';
import type { StaticGroup } from './multicast-settings.ts';

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
/** Another VLAN, in which no frame is sent. */
const OTHER_VID = 7 as Vid;
const ALL = 'all';

function wordsOf(text: string): IpWords {
  const octets = octetsOf(text);
  const words = new IpWords();
  if (octets.length === 4) words.readIpv4(octets, 0);
  else words.readIpv6(octets, 0);
  return words;
}

const RESPONSE_CODE = { 4: 10, 6: 1000 } as const;

class Comparison {
  readonly lan: MulticastLan;
  readonly #random: Random;
  readonly #family: 4 | 6;
  readonly #isQuerier: boolean;
  readonly #isFast: boolean;
  readonly #models = new Map<string, FilterModel>();
  /** What the operator has set: sources, or `ALL` of them. */
  readonly #set = new Map<string, ReadonlySet<string>>();

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
    else if (random.once(12)) this.#configure();
    else if (random.once(30)) this.#move();
    else if (!this.#isQuerier && random.once(5)) this.#query();
    else this.#report();
  }

  /** Each frame goes to the ports whose models want its source. */
  compare(what: string): void {
    const { groups, sources } = FAMILIES[this.#family];
    const unlisted = this.#family === 4 ? '10.0.0.77' : '2001:db8::77';
    for (const group of groups) {
      for (const from of [...sources, unlisted]) {
        const wanted = PORTS.filter((port) => this.#model(port, group).wants(from) || this.#isSet(port, group, from));
        assert.deepEqual(this.lan.reach(SENDER, group, { from }), wanted, `${what}: ${from} to ${group}`);
      }
    }
    const members = new Set(this.#set.keys());
    for (const [key, { isMember }] of this.#models) if (isMember) members.add(key);
    const kept = [...this.lan.snooper.memberships(this.lan.nowMs)].filter(({ group: { vid } }) => vid === UNTAGGED);
    assert.equal(kept.length, members.size, what);
  }

  /** After all has expired nothing is kept. */
  end(): void {
    for (const port of PORTS) this.#apply(port, []);
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
    this.#expectNothingExpired();
  }

  /** What is over was removed by the last tick. */
  #expectNothingExpired(): void {
    const { nowMs, snooper } = this.lan;
    let [memberships, sources] = [0, 0];
    for (const group of snooper.database.each()) {
      const listed = [...group.members.values()].flatMap((membership) => membership.sources);
      for (const membership of group.members.values()) {
        assert.ok(membership.untilMs > nowMs, 'a membership is over');
        const isExclude = membership.isExclude(nowMs);
        assert.ok(isExclude || membership.sources.every(({ untilMs }) => untilMs > nowMs), 'a source is over');
      }
      assert.equal(group.sources?.size ?? 0, new Set(listed.map(({ source }) => String(source.address))).size);
      memberships += group.members.size;
      sources += listed.length;
    }
    assert.deepEqual([snooper.database.memberships, snooper.database.sources], [memberships, sources]);
  }

  /** The operator makes a port a member of other groups, and sources of groups, than before. */
  #configure(): void {
    const random = this.#random;
    const port = random.pick(PORTS);
    const { groups } = FAMILIES[this.#family];
    const wanted: [group: string, source: string | undefined][] = [];
    for (const group of groups) {
      if (random.once(3)) wanted.push(...this.#someSources().map((source): [string, string] => [group, source]));
      if (random.once(4)) wanted.splice(random.below(wanted.length + 1), 0, [group, undefined]);
    }
    for (const group of groups) {
      const key = `${group} ${port}`;
      const before = this.#set.get(key) ?? new Set();
      const those = wanted.filter(([of]) => of === group).map(([, source]) => source ?? ALL);
      const now = new Set(those.includes(ALL) ? [ALL] : those);
      // What hosts have told of it is forgotten.
      if (before.has(ALL) || now.has(ALL)) this.#models.delete(key);
      const model = this.#model(port, group);
      model.isKept = now.size > 0;
      for (const source of [...before, ...now]) {
        model.timers.delete(source);
        model.excluded.delete(source);
      }
      model.passTo(this.lan.nowMs);
      if (now.size === 0) this.#set.delete(key);
      else this.#set.set(key, now);
    }
    this.#apply(port, wanted);
  }

  #apply(number: number, wanted: readonly (readonly [group: string, source: string | undefined])[]): void {
    const multicastGroups = wanted.flatMap(([group, source]): StaticGroup[] => {
      const one = { address: wordsOf(group), source: source === undefined ? undefined : wordsOf(source) };
      return [
        { ...one, vid: UNTAGGED },
        { ...one, vid: OTHER_VID },
      ];
    });
    const settings = { ...DEFAULT_SETTINGS, fastLeave: this.#isFast, multicastGroups };
    this.lan.bridge.setSettings(this.lan.port(number), settings);
  }

  /** One port takes the place of another one, which then begins anew. */
  #move(): void {
    const [from = 1, to = 2] = this.#random.pick([
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
    for (const group of FAMILIES[this.#family].groups) {
      if (!this.#isSet(from, group, ALL) && !this.#isSet(to, group, ALL)) {
        this.#model(to, group).adopt(this.#model(from, group), [...(this.#set.get(`${group} ${to}`) ?? [])]);
      }
      this.#models.delete(`${group} ${from}`);
      this.#set.delete(`${group} ${from}`);
    }
    this.lan.snooper.portMoved(this.lan.port(from), this.lan.port(to));
    this.lan.snooper.portChanged(this.lan.port(from), false);
    this.#apply(from, []);
    this.lan.pass(12_000);
    if (!this.#isQuerier) this.lan.send(SENDER, queryFrame(QUERIER[this.#family]));
    for (const model of this.#models.values()) model.passTo(this.lan.nowMs);
    this.lan.takeHeard();
  }

  #isSet(port: number, group: string, source: string): boolean {
    const set = this.#set.get(`${group} ${port}`);
    return set?.has(ALL) === true || set?.has(source) === true;
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
      if (!this.#isSet(port, group, ALL)) model.olderReport(version);
    } else {
      const isLeave = random.once(15);
      const name = random.pick(NAMES);
      const sources = isLeave ? [] : this.#someSources();
      const frame = isLeave ? leaveFrame(group) : recordsFrame([{ type: RECORD_TYPES[name], group, sources }]);
      this.lan.send(port, frame);
      if (this.#isSet(port, group, ALL)) {
        this.#expectQueries(port, group, { group: false, sources: new Set() });
        return;
      }
      // Those that the operator has set are wanted whatever hosts tell.
      const told = sources.filter((source) => !this.#isSet(port, group, source));
      const asked = isLeave ? model.leave() : model.record(name, new Set(told));
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
    const key = `${group} ${port}`;
    const known = this.#models.get(key);
    if (known !== undefined) return known;
    const model = new FilterModel(this.lan.nowMs);
    this.#models.set(key, model);
    return model;
  }
}

const PARTS = 3;

for (const family of [4, 6] as const) {
  for (const [isQuerier, isFast, what] of [
    [true, false, 'the switch is the querier'],
    [false, false, 'another querier'],
    [true, true, 'fast leave'],
  ] as const) {
    // In parts, so that each is quick in a run with mutants.
    for (let part = 1; part <= PARTS; part++) {
      test(`IPv${family}, ${what}: which sources go where, against a model of the RFC's tables and of the operator, part ${part}`, () => {
        const random = new Random(fuzzSeed() + family + 100 * part);
        for (let run = fuzzCases(20 / PARTS); run > 0; run--) {
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
}
