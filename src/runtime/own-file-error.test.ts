import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOwnFile } from './own-file.ts';
import { describeFileError } from './own-file-error.ts';

test('a directory that is not there is told without the descriptor that it was looked for by', () => {
  let caught: unknown;
  try {
    openOwnFile('/no/such/log', { access: 1, mode: 0o640 });
  } catch (error) {
    caught = error;
  }
  const { message } = describeFileError('FILE_UNWRITABLE', 'cannot append to "/no/such/log"', caught);
  assert.equal(message, 'cannot append to "/no/such/log": ENOENT: no such file or directory');
});
