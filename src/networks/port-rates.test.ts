import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortRates } from './port-rates.ts';

test('rates are the differences between the last two samples, by the time between them', () => {
  const cells = Float64Array.of(10, 1000, 20, 5000);
  const rates = new PortRates(cells, 0);
  assert.deepEqual(
    [rates.rx, rates.tx],
    [
      { frames: 0, bits: 0 },
      { frames: 0, bits: 0 },
    ],
  );
  cells.set([30, 3000, 20, 5000]);
  assert.equal(rates.rx.frames, 0, 'not before the sample');
  rates.sample(2000);
  assert.deepEqual(
    [rates.rx, rates.tx],
    [
      { frames: 10, bits: 8000 },
      { frames: 0, bits: 0 },
    ],
  );
  rates.sample(2000);
  assert.equal(rates.rx.frames, 10, 'no time has passed');
  cells.set([30, 3000, 21, 5064]);
  rates.sample(3000);
  assert.deepEqual(
    [rates.rx, rates.tx],
    [
      { frames: 0, bits: 0 },
      { frames: 1, bits: 512 },
    ],
  );
});
