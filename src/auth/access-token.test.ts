import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accessTokenOf, withoutAccessToken } from './access-token.ts';

test('the token is taken from the query alone, and only when it stands there once', () => {
  assert.equal(accessTokenOf('/?access_token=a.b.c'), 'a.b.c');
  assert.equal(accessTokenOf('/path?x=1&access_token=a%2Eb&y'), 'a.b');
  assert.equal(accessTokenOf('/?access_token='), '');
  for (const target of ['/', '', '/access_token=a', '/?x', '/?Access_Token=a', '/?access_token=a&access_token=b']) {
    assert.equal(accessTokenOf(target), undefined, target);
  }
});

test('a log does not see it, however it is spelt', () => {
  assert.equal(withoutAccessToken('/p?x=1&access_token=secret&y=2'), '/p?x=1&access_token=(hidden)&y=2');
  for (const name of ['access_token', 'access%5Ftoken', '%61ccess_token']) {
    const target = `/?${name}=secret&x&${name}=secret`;
    assert.ok(!withoutAccessToken(target).includes('secret'), target);
  }
  assert.equal(withoutAccessToken('/p?x=1'), '/p?x=1');
  assert.equal(withoutAccessToken('/p'), '/p');
});

test('what is read as a token is never in the text for logs', () => {
  const piece = fc.constantFrom('/', '?', '&', '=', 'access_token', 'access%5ftoken', 'TOKEN', '%', '+', '#', ';');
  const targets = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const property = fc.property(targets, (target) => {
    if (accessTokenOf(target)?.includes('TOKEN') !== true) return;
    const hidden = withoutAccessToken(target);
    assert.equal(accessTokenOf(hidden), '(hidden)');
  });
  fc.assert(property, { seed: 20_240_608, numRuns: 5_000 });
});
