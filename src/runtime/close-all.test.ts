import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closeAll } from './close-all.ts';

describe('closeAll', () => {
  const failing = (message: string) => async (): Promise<void> => {
    throw new Error(message);
  };

  test('runs the closings one after the other', async () => {
    const done: string[] = [];
    const slow = async (): Promise<void> => {
      await Promise.resolve();
      done.push('slow');
    };
    await closeAll([slow, () => void done.push('quick')]);
    assert.deepEqual(done, ['slow', 'quick']);
  });

  test('one that fails, even at once, skips none, and its error is the result', async () => {
    const done: string[] = [];
    const throwing = (): void => {
      throw new Error('no space');
    };
    const closing = closeAll([throwing, () => void done.push('second')]);
    await assert.rejects(closing, { name: 'Error', message: 'no space' });
    assert.deepEqual(done, ['second']);
  });

  test('the errors of several are told together', async () => {
    const closing = closeAll([failing('no space'), () => undefined, failing('no route')]);
    await assert.rejects(closing, (error: AggregateError) => {
      assert.equal(error.message, 'no space; no route');
      assert.equal(error.errors.length, 2);
      return true;
    });
  });
});
