import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { serverName } from './dial-values.ts';

const NAME_CHARACTERS = 253;

test('an internationalised server name becomes its ASCII form, by which certificates name a host', () => {
  for (const [given, read] of [
    ['relay.example', 'relay.example'],
    ['müller.example', 'xn--mller-kva.example'],
    ['MÜLLER.example', 'xn--mller-kva.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['xn--mller-kva.example', 'xn--mller-kva.example'],
    ['_sip.relay.example', '_sip.relay.example'],
  ] as const) {
    assert.equal(v.parse(serverName, given), read, given);
  }
});

test('a server name is no address and no text that is no name, and its ASCII form is not too long', () => {
  const long = `${'ü'.repeat(57)}.`.repeat(4);
  assert.ok(long.length < NAME_CHARACTERS);
  for (const given of ['', '192.0.2.1', '[2001:db8::1]', 'a b', '-a.example', 'a..example', 'a/b', `${long}example`]) {
    assert.equal(v.safeParse(serverName, given).success, false, given);
  }
});
