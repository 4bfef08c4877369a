import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { putZoneIn, takeZoneOut, withZone } from './url-zone.ts';

describe('the zone of a URL', () => {
  for (const [url, bare, zone] of [
    ['ws://[fe80::1%25eth0]:8000/x', 'ws://[fe80::1]:8000/x', 'eth0'],
    ['wss://[fe80::1%eth0]/', 'wss://[fe80::1]/', 'eth0'],
    ['http://me:p%25w@[FE80::1%252]/', 'http://me:p%25w@[FE80::1]/', '2'],
    ['ws://[fe80::1]/?a=[x%25y]', 'ws://[fe80::1]/?a=[x%25y]', undefined],
    ['ws://host/[fe80::1%25eth0]', 'ws://host/[fe80::1%25eth0]', undefined],
    ['ws://[fe80::1%25a%25b]/', 'ws://[fe80::1%25a%25b]/', undefined],
    ['', '', undefined],
  ] as const) {
    test(url, () => assert.deepEqual(takeZoneOut(url), { url: bare, zone }));
  }

  test('goes to the address, and back into the URL that is shown', () => {
    assert.equal(withZone('fe80::1', 'eth0'), 'fe80::1%eth0');
    assert.equal(withZone('a.example', undefined), 'a.example');
    assert.equal(putZoneIn('ws://[fe80::1]:8000/', 'eth0'), 'ws://[fe80::1%25eth0]:8000/');
  });
});
