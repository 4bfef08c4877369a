import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAY_PASS, MUST_COME, permitOfBoth } from './flow-permit.ts';

test('two permits together: one that insists wins, and two meters are one too many', () => {
  const [meter, other] = [new Float64Array(8), new Float64Array(8)];
  const table = [
    [MAY_PASS, MAY_PASS, MAY_PASS],
    [MAY_PASS, MUST_COME, MUST_COME],
    [MUST_COME, MUST_COME, MUST_COME],
    [MAY_PASS, meter, meter],
    [MUST_COME, meter, MUST_COME],
    [meter, meter, meter],
    [meter, other, MUST_COME],
  ] as const;
  for (const [one, two, both] of table) {
    assert.equal(permitOfBoth(one, two), both);
    assert.equal(permitOfBoth(two, one), both);
  }
});
