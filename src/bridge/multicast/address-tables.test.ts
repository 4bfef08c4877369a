import assert from 'node:assert/strict';
import { test } from 'node:test';
import { octetsOf } from '../../../test/support/multicast-frames.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import { Group, GroupTable } from './group-table.ts';
import { type GroupSource, SourceTable } from './source-table.ts';

/** With them all addresses have one hash. */
const ZEROS = new Int32Array(5);
const FACTORS = [
  [undefined, 'random factors'],
  [ZEROS, 'one hash for all addresses'],
] as const;

function randomAddress(random: Random): IpWords {
  const address = new IpWords();
  const last = random.between(1, 120);
  if (random.once(2)) address.readIpv4(octetsOf(`239.0.0.${last}`), 0);
  else address.readIpv6(octetsOf(`ff15::${last.toString(16)}`), 0);
  return address;
}

for (const [factors, what] of FACTORS) {
  test(`the groups of a table are those that were added and not removed: ${what}`, () => {
    const random = new Random(fuzzSeed());
    const table = new GroupTable(factors);
    const model = new Map<string, Group>();
    for (let step = fuzzCases(20_000) + 600; step > 0; step--) {
      const address = randomAddress(random);
      const vid = random.below(2) as Vid;
      const key = `${vid} ${address}`;
      const known = model.get(key);
      assert.equal(table.find(vid, address), known);
      // It grows for a while, and shrinks for a while.
      if (known !== undefined && (step % 400 < 200 || random.once(4))) {
        table.remove(known);
        model.delete(key);
      } else if (known === undefined && step % 400 >= 200) {
        const group = new Group(vid, address);
        table.add(group);
        model.set(key, group);
      }
      assert.equal(table.size, model.size);
    }
    assert.deepEqual(new Set(table.groups()), new Set(model.values()));
    for (const group of model.values()) table.remove(group);
    assert.deepEqual([...table.groups()], []);
  });

  test(`the sources of a table are those that were taken and not removed: ${what}`, () => {
    const random = new Random(fuzzSeed());
    const table = new SourceTable(factors);
    const model = new Map<string, GroupSource>();
    for (let step = fuzzCases(20_000) + 600; step > 0; step--) {
      const address = randomAddress(random);
      const known = model.get(String(address));
      assert.equal(table.find(address), known);
      if (known !== undefined && random.once(2)) {
        table.remove(known);
        model.delete(String(address));
      } else {
        const source = table.take(address);
        assert.equal(String(source.address), String(address));
        assert.equal(source, known ?? source);
        model.set(String(address), source);
      }
      assert.equal(table.size, model.size);
    }
  });
}
