import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accessTokenOf } from '../auth/access-token.ts';
import { shownUrl } from './shown-url.ts';

test('users, passwords and values of secret parameters are hidden, and nothing else', () => {
  for (const [text, shown] of [
    ['wss://relay.example/lan/', 'wss://relay.example/lan/'],
    ['wss://me:pass@relay.example/lan/', 'wss://(hidden)@relay.example/lan/'],
    ['wss://me:p@ss@relay.example:8000/', 'wss://(hidden)@relay.example:8000/'],
    ['wss://me:p?ss@relay.example/', 'wss://(hidden)@relay.example/'],
    ['wss://relay.example/?room=blue', 'wss://relay.example/?room=blue'],
    ['wss://relay.example/?room=a@b', 'wss://relay.example/?room=a@b'],
    ['/p?x=1&access_token=secret&y=2', '/p?x=1&access_token=(hidden)&y=2'],
    ['/p?access_token=secret=%3D', '/p?access_token=(hidden)'],
    ['/p?x=1', '/p?x=1'],
    ['/p', '/p'],
    ['', ''],
  ] as const) {
    assert.equal(shownUrl(text), shown);
  }
});

test('a secret is hidden however its name is spelt', () => {
  for (const name of ['access_token', 'access%5Ftoken', '%61ccess_token', 'Token', 'api-key', 'passwd', 'jwt', 'sig']) {
    const text = `wss://relay.example/?${name}=s3cret&x&${name}=s3cret#s3cret`;
    assert.ok(!shownUrl(text).includes('s3cret'), text);
  }
});

test('what is read as a token is never shown', () => {
  const piece = fc.constantFrom(
    '/',
    '?',
    '&',
    '=',
    'access_token',
    'access%5ftoken',
    'TOKEN',
    '%',
    '+',
    '#',
    ';',
    '\n',
  );
  const targets = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const property = fc.property(targets, (target) => {
    if (accessTokenOf(target)?.includes('TOKEN') !== true) return;
    assert.equal(accessTokenOf(shownUrl(target)), '(hidden)');
  });
  fc.assert(property, { seed: 20_240_608, numRuns: 5_000 });
});
