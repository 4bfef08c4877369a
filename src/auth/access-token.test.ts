import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessTokenOf } from './access-token.ts';

test('the token is taken from the query alone, and only when it stands there once', () => {
  assert.equal(accessTokenOf('/?access_token=a.b.c'), 'a.b.c');
  assert.equal(accessTokenOf('/path?x=1&access_token=a%2Eb&y'), 'a.b');
  assert.equal(accessTokenOf('/?access_token='), '');
  for (const target of ['/', '', '/access_token=a', '/?x', '/?Access_Token=a', '/?access_token=a&access_token=b']) {
    assert.equal(accessTokenOf(target), undefined, target);
  }
});
