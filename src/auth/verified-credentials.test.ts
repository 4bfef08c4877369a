import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PasswordHash } from './password-hash.ts';
import { VerifiedCredentials } from './verified-credentials.ts';

const HASH: PasswordHash = { kind: 'apr1', text: '$apr1$saltsalt$7kVXLCZIRlPZB0mVLd2Ml0' };

test('user, password and entry are told apart, and so are processes', () => {
  const verified = new VerifiedCredentials();
  const other: PasswordHash = { kind: 'apr1', text: `${HASH.text.slice(0, -1)}1` };
  const digests = [
    verified.digest('ada', 'secret', HASH),
    verified.digest('ada', 'secre', HASH),
    verified.digest('adas', 'ecret', HASH),
    verified.digest('ada","secret', '', HASH),
    verified.digest('ada', 'secret', other),
    new VerifiedCredentials().digest('ada', 'secret', HASH),
  ];
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(verified.digest('ada', 'secret', HASH), digests[0]);
});

test('the oldest entry goes when there are too many, and a repeated one is young again', () => {
  const verified = new VerifiedCredentials({ maxEntries: 2 });
  for (const digest of ['a', 'b', 'a', 'c']) verified.add(digest);
  assert.deepEqual(
    ['a', 'b', 'c'].filter((digest) => verified.has(digest)),
    ['a', 'c'],
  );
  verified.forgetAll();
  assert.equal(verified.has('a'), false);
});

test('an entry expires', () => {
  const verified = new VerifiedCredentials({ lifetimeMs: 0 });
  verified.add('a');
  assert.equal(verified.has('a'), false);
});
