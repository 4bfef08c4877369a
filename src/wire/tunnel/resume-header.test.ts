import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatResumeField, parseResumeField, RESUME_HEADER } from './resume-header.ts';

const TOKEN = 'Zm9yLXNvbWVib2R5LXdoby1jb21lcy1iYWNr';

test('the field of version 1, with a token and without', () => {
  assert.equal(RESUME_HEADER, 'Etherws-Resume');
  assert.deepEqual(parseResumeField('1'), { token: undefined });
  assert.deepEqual(parseResumeField(`1 ${TOKEN}`), { token: TOKEN });
  assert.equal(formatResumeField(), '1');
  assert.equal(formatResumeField(TOKEN), `1 ${TOKEN}`);
});

for (const text of [
  '',
  '2',
  '1 ',
  ` 1 ${TOKEN}`,
  `1 ${TOKEN} `,
  `1  ${TOKEN}`,
  `1 ${TOKEN},1 ${TOKEN}`,
  `2 ${TOKEN}`,
  TOKEN,
  `1 ${'a'.repeat(21)}`,
  `1 ${'a'.repeat(129)}`,
  `1 ${TOKEN}=`,
  `1 ${TOKEN}\n`,
]) {
  test(`${JSON.stringify(text)} counts as not sent`, () => {
    assert.equal(parseResumeField(text), undefined);
  });
}

test('whatever is sent, it is a token or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const field = parseResumeField(text);
      if (field !== undefined) assert.equal(formatResumeField(field.token), text);
    }),
  );
});
