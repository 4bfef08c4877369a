import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { type Station, StationTable } from './station-table.ts';

interface Entry extends Station<Entry> {}

function entry(vid: number, mac: number): Entry {
  return { vid: vid as Vid, mac: mac as MacAddress, next: undefined };
}

/** Few enough to meet again, and such that differ in one part of the key only. */
const key = fc.record({
  vid: fc.constantFrom(0, 1, 4094),
  mac: fc
    .record({
      high: fc.constantFrom(0, 1, 0x0200, 0xffff),
      low: fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
    })
    .map(({ high, low }) => high * 0x1_0000_0000 + low),
});

test('finds what was added and not removed, by the whole key', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), (keys) => {
      const table = new StationTable<Entry>();
      const model = new Map<string, Entry>();
      for (const { vid, mac } of keys) {
        const name = `${vid} ${mac}`;
        const known = model.get(name);
        assert.equal(table.find(vid as Vid, mac as MacAddress), known);
        if (known === undefined) {
          const added = entry(vid, mac);
          table.add(added);
          model.set(name, added);
        } else {
          table.remove(known);
          model.delete(name);
        }
        assert.equal(table.size, model.size);
      }
      for (const known of model.values()) assert.equal(table.find(known.vid, known.mac), known);
    }),
  );
});

test('keeps what it has while it grows and shrinks, and stays a table of short lists', () => {
  const table = new StationTable<Entry>();
  const lows = new Set(Array.from({ length: 5000 }, () => randomInt(0x1_0000_0000)));
  const entries = [...lows].map((low, index) => entry(index % 3, 0x0200_0000_0000 + low));
  for (const [index, each] of entries.entries()) {
    table.add(each);
    const early = entries[index >> 1] as Entry;
    assert.equal(table.find(early.vid, early.mac), early);
  }
  const lists = entries.filter(({ next }) => next === undefined).length;
  assert.ok(lists > entries.length / 3, `${entries.length} stations stand in ${lists} lists`);
  const inAnyOrder = entries.map((each) => ({ each, rank: Math.random() })).sort((one, other) => one.rank - other.rank);
  for (const [index, { each }] of inAnyOrder.entries()) {
    table.remove(each);
    assert.equal(table.find(each.vid, each.mac), undefined);
    assert.equal(each.next, undefined, 'a station that is gone holds no other one');
    if (index % 500 > 0) continue;
    for (const { each: left } of inAnyOrder.slice(index + 1)) assert.equal(table.find(left.vid, left.mac), left);
  }
  assert.equal(table.size, 0);
  const last = entries[0] as Entry;
  table.add(last);
  assert.equal(table.find(last.vid, last.mac), last);
});

test('stations that differ in their VLAN only, or in the first octets of their address only, stand in many lists', () => {
  const listsOf = (make: (index: number) => Entry): number => {
    const table = new StationTable<Entry>();
    const entries = Array.from({ length: 500 }, (_, index) => make(index));
    for (const each of entries) table.add(each);
    return entries.filter(({ next }) => next === undefined).length;
  };
  for (const make of [
    (index: number) => entry(index, 0x0200_0000_0001),
    (index: number) => entry(1, index * 0x1_0000_0000 + 1),
  ]) {
    // The factors of a table are random, and a few of them spread such stations badly.
    const most = Math.max(...Array.from({ length: 20 }, () => listsOf(make)));
    assert.ok(most > 100, `500 stations stand in ${most} lists`);
  }
});

test('a scan meets each station that stays, however many come and go meanwhile', () => {
  // The sizes between which the table swings, so that it grows and shrinks within a scan.
  for (const [start, end] of [
    [300, 300],
    [20, 5000],
    [5000, 20],
  ] as const) {
    const table = new StationTable<Entry>();
    const staying = Array.from({ length: 50 }, (_, at) => entry(1, at * 7919));
    for (const station of staying) table.add(station);
    const others = Array.from({ length: start }, (_, at) => entry(2, at * 104_729));
    for (const station of others) table.add(station);
    const met = new Map<Entry, number>();
    let steps = 0;
    for (const station of table.scan()) {
      met.set(station, (met.get(station) ?? 0) + 1);
      if (steps++ > 60 || steps % 3 !== 0) continue;
      for (let count = 0; count < Math.abs(end - start) / 20 + 5; count++) {
        const added = entry(3, randomInt(2 ** 40));
        const removed = others.pop();
        if (end >= start && table.find(added.vid, added.mac) === undefined) table.add(added);
        if (end <= start && removed !== undefined) table.remove(removed);
      }
    }
    assert.ok(staying.every((station) => met.has(station)));
    if (end >= start) assert.ok(staying.every((station) => met.get(station) === 1));
  }
});
