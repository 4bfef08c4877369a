import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureQuietly, type ProcessorTicks } from './quietly.ts';

/** A host that takes these shares, one attempt after the other. */
function hostTaking(...shares: readonly number[]): () => ProcessorTicks {
  let [stolen, total, reads] = [0, 0, 0];
  return () => {
    if (reads++ % 2 === 1) {
      stolen += (shares[(reads - 2) / 2] ?? 0) * 1000;
      total += 1000;
    }
    return { stolen, total };
  };
}

/** Which attempt counts, how much was taken from it, and what was told of the others. */
async function countedOf(retries: number, ...shares: readonly number[]): Promise<[number, number, number[]]> {
  const told: number[] = [];
  let attempts = 0;
  const { value, stolen } = await measureQuietly(
    async () => attempts++,
    retries,
    (share) => void told.push(share),
    hostTaking(...shares),
    0,
  );
  return [value, stolen, told];
}

test('what was measured in peace is not measured again', async () => {
  assert.deepEqual(await countedOf(3, 0.02), [0, 0.02, []]);
});

test('while the host takes too much it is measured again, and then counts', async () => {
  assert.deepEqual(await countedOf(3, 0.3, 0.1, 0), [2, 0, [0.3, 0.1]]);
});

test('where it never keeps still, the attempt from which it took the least counts', async () => {
  assert.deepEqual(await countedOf(2, 0.3, 0.1, 0.2), [1, 0.1, [0.3, 0.1]]);
  assert.deepEqual(await countedOf(0, 0.3), [0, 0.3, []]);
});

test('a failure is told at once', async () => {
  const failing = async (): Promise<void> => {
    throw new Error('no peace');
  };
  await assert.rejects(
    measureQuietly(failing, 3, () => undefined),
    /no peace/,
  );
});

test('the ticks of this machine add up', async () => {
  const { stolen } = await measureQuietly(
    () => new Promise((resolve) => setTimeout(resolve, 50)),
    0,
    () => undefined,
  );
  assert.ok(stolen >= 0 && stolen <= 1, `${stolen}`);
});
