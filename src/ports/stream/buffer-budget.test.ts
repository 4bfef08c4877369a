import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BufferBudget, type BufferHolder, levelOf } from './buffer-budget.ts';

class Holder implements BufferHolder {
  heldBytes: number;
  readonly #budget: BufferBudget;

  constructor(budget: BufferBudget, bytes: number) {
    this.#budget = budget;
    this.heldBytes = bytes;
    budget.hold(bytes);
    budget.add(this);
  }

  shed(bytes: number): number {
    const given = Math.min(bytes, this.heldBytes);
    this.heldBytes -= given;
    this.#budget.release(given);
    return given;
  }
}

test('above the high watermark those that hold most are cut down to one level', () => {
  const budget = new BufferBudget(1600, () => 0);
  const sizes = [900, 500, 90, 10].map((bytes) => new Holder(budget, bytes));
  budget.relieve();
  assert.equal(budget.heldBytes, 1500, 'up to the watermark nothing is lost');
  sizes.push(new Holder(budget, 1));
  budget.relieve();
  assert.deepEqual(
    sizes.map(({ heldBytes }) => heldBytes),
    [799, 500, 90, 10, 1],
  );
  assert.equal(budget.heldBytes, 1400);
  assert.equal(budget.isFull, false);
  budget.hold(200);
  assert.equal(budget.isFull, true);
});

test('a pass that has to wait for connections to end is not made again at once', () => {
  let nowMs = 0;
  const budget = new BufferBudget(1600, () => nowMs);
  const asked: number[] = [];
  budget.hold(1600);
  budget.add({ heldBytes: 1600, shed: (bytes) => asked.push(bytes) * 0 });
  budget.relieve();
  budget.relieve();
  assert.deepEqual(asked, [200]);
  nowMs = 1000;
  budget.relieve();
  assert.equal(asked.length, 2);
});

test('of equal holders that can only give all, no more give it than has to be', () => {
  const budget = new BufferBudget(1600, () => 0);
  let ended = 0;
  budget.hold(1600);
  for (let count = 0; count < 16; count++) {
    budget.add({
      heldBytes: 100,
      shed: () => {
        ended++;
        return 100;
      },
    });
  }
  budget.relieve();
  assert.equal(ended, 2, '200 octets are to be given back');
});

test('cut down to the level, the largest give what has to go, and no holder below it gives anything', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(10_000), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (sizes, share) => {
        const sorted = sizes.toSorted((a, b) => b - a);
        const sum = sorted.reduce((total, size) => total + size, 0);
        const excess = Math.floor(sum * share);
        const level = levelOf(sorted, excess);
        const given = sorted.reduce((total, size) => total + Math.max(0, size - level), 0);
        assert.ok(given >= excess, `${given} of ${excess}`);
        assert.ok(given < excess + sorted.length + 1, `${given} of ${excess}`);
      },
    ),
  );
});
