import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Patience, type ProcessorTicks } from './quietly.ts';

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

interface Outcome {
  readonly value: number;
  readonly stolen: number;
  readonly pauses: readonly number[];
}

/** Which attempt counts, how much was taken from it, and how long was waited before each further one. */
async function outcomeOf(leftMs: number, ...shares: readonly number[]): Promise<Outcome> {
  const pauses: number[] = [];
  const patience = new Patience(leftMs, hostTaking(...shares), async (ms) => pauses.push(ms));
  let [attempts, told] = [0, 0];
  const { value, stolen } = await patience.measure(
    async () => attempts++,
    () => told++,
  );
  assert.equal(told, pauses.length);
  return { value, stolen, pauses };
}

test('what was measured in peace is not measured again', async () => {
  assert.deepEqual(await outcomeOf(60_000, 0.02), { value: 0, stolen: 0.02, pauses: [] });
});

test('while the host takes too much it is measured again, later and later', async () => {
  assert.deepEqual(await outcomeOf(60_000, 0.3, 0.4, 0), { value: 2, stolen: 0, pauses: [2_000, 4_000] });
});

test('where it never keeps still, the attempt from which it took the least counts', async () => {
  const shares = [0.3, 0.5, 0.1, 0.2, 0.4, 0.6, 0];
  const pauses = [2_000, 4_000, 8_000, 16_000, 32_000];
  assert.deepEqual(await outcomeOf(100_000, ...shares), { value: 2, stolen: 0.1, pauses });
});

test('patience ends with the time that it was given', async () => {
  assert.deepEqual(await outcomeOf(0, 0.3, 0), { value: 0, stolen: 0.3, pauses: [] });
  assert.deepEqual(await outcomeOf(5_000, 0.3, 0.2, 0), { value: 1, stolen: 0.2, pauses: [2_000] });
});

test('a failure is told at once', async () => {
  const failing = async (): Promise<void> => {
    throw new Error('no peace');
  };
  await assert.rejects(
    new Patience(60_000).measure(failing, () => undefined),
    /no peace/,
  );
});

test('the ticks of this machine add up', async () => {
  const { stolen } = await new Patience(0).measureOnce(() => delay(50));
  assert.ok(stolen >= 0 && stolen <= 1, `${stolen}`);
});
