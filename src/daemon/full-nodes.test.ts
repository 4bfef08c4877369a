import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FullNodes } from './full-nodes.ts';

for (const [asked, rests] of [
  [1000, 10_000],
  [20_000, 20_000],
  [3_600_000, 30_000],
] as const) {
  test(`a full node that asks for ${asked / 1000} s rests for ${rests / 1000} s, or until it is started again`, () => {
    const full = new FullNodes();
    full.add('r2', 'first', asked, 5000);
    assert.equal(full.has('r3', 'first', 5000), false);
    assert.equal(full.has('r2', 'first', 5000 + rests - 1), true);
    assert.equal(full.has('r2', 'first', 5000 + rests), false);
    full.add('r2', 'first', asked, 5000);
    assert.equal(full.has('r2', 'second', 5001), false);
  });
}
