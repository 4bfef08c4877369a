import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from './call-failure.ts';

test('a failure says what the switch says, not the fixed message of its code', () => {
  const failure = (data: unknown) => {
    const { message, code, hint } = failureOf({ message: 'Invalid params', data });
    return [code, message, hint];
  };
  assert.deepEqual(failure('PORT_NOT_FOUND: There is no port 7. Look at listport'), [
    'PORT_NOT_FOUND',
    'There is no port 7',
    'Look at listport',
  ]);
  assert.deepEqual(failure('ARGUMENT_INVALID: filter 192.0.2.1 is wrong'), [
    'ARGUMENT_INVALID',
    'filter 192.0.2.1 is wrong',
    undefined,
  ]);
  assert.deepEqual(failure('nothing known'), ['UNKNOWN', 'nothing known', undefined]);
  assert.deepEqual(failure(undefined), ['UNKNOWN', 'Invalid params', undefined]);
});
