import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import { hashOfWords, randomFactors } from './hash-words.ts';

test('addresses that differ in the highest bits of their words only have as many hashes as random ones', () => {
  const factors = Int32Array.from([0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]);
  const hashes = new Set<number>();
  const address = new IpWords();
  for (let number = 0; number < 65_536; number++) {
    const [a, b, c, d] = [0, 4, 8, 12].map((at) => ((number >> at) & 15) << 28) as [number, number, number, number];
    Object.assign(address, { w0: a, w1: b, w2: c, w3: d });
    hashes.add(hashOfWords(address, factors));
  }
  // Of 65 536 random numbers of 32 bits hardly any are equal.
  assert.ok(hashes.size > 65_000, `${hashes.size} hashes`);
});

test('random factors are odd, of all 32 bits, and others in each process', () => {
  const factors = randomFactors(1000);
  assert.equal(factors.length, 1000);
  assert.ok(factors.every((factor) => (factor & 1) === 1));
  assert.ok(new Set(factors).size > 990);
  // Each of the higher bits is set in about half of them.
  for (let bit = 1; bit < 32; bit++) {
    const set = factors.filter((factor) => (factor >>> bit) & 1).length;
    assert.ok(set > 300 && set < 700, `bit ${bit}: ${set}`);
  }
  assert.notDeepEqual(randomFactors(4), randomFactors(4));
});
