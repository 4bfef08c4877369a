import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeError, ERROR_CODES, EtherwsError } from './errors.ts';

test('docs/reference/errors.md has a section for each code, in order, and says something', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const sections = page.split(/^## /m).slice(1);
  assert.deepEqual(
    sections.map((section) => section.split('\n', 1)[0]),
    ERROR_CODES,
  );
  for (const section of sections) assert.ok(section.length > 100, section);
});

test('the codes are sorted and none stands twice', () => {
  assert.deepEqual([...new Set(ERROR_CODES)].sort(), ERROR_CODES);
});

test('an error is told as its message and its hint, never as a stack', () => {
  assert.equal(describeError(new EtherwsError('PORT_NOT_FOUND', 'There is no port 7')), 'There is no port 7');
  const hinted = new EtherwsError('PORT_NOT_FOUND', 'There is no port 7', { hint: 'See listport', cause: 'x' });
  assert.equal(describeError(hinted), 'There is no port 7. See listport');
  assert.equal(hinted.cause, 'x');
  assert.equal(describeError(new TypeError('odd')), 'odd');
  assert.equal(describeError('odd'), 'odd');
});
