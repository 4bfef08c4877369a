import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServers, shownServers } from './nats-url.ts';

test('a list of servers is taken apart; the first has the scheme and the credentials of all', () => {
  assert.deepEqual(parseServers('tls://ann:p%40ss@a,b,c:4223'), {
    urls: ['tls://a:4222', 'tls://b:4222', 'tls://c:4223'],
    user: 'ann',
    password: 'p@ss',
  });
  for (const wrong of ['', ',', 'http://a', 'nats://a/path', 'nats://a?x=1', 'nats://a,,b']) {
    assert.equal(parseServers(wrong), undefined, wrong);
  }
});

test('what others may read has no credentials, wherever in the list they are', () => {
  for (const text of ['nats://ann:s3cret@a,b', 'nats://a,nats://ann:s3cret@b', 'nats://s3cret@a']) {
    const shown = shownServers(text);
    assert.doesNotMatch(shown, /s3cret|ann/);
    assert.equal(parseServers(shown)?.urls[0], 'nats://a:4222');
  }
  assert.equal(shownServers('nats://a,b'), 'nats://a,b');
  assert.equal(shownServers('embedded'), 'embedded');
});
