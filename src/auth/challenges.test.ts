import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { onlyForeignSchemes, schemesOf } from './challenges.ts';

describe('the schemes of a challenge', () => {
  for (const [field, expected] of [
    [undefined, []],
    ['', []],
    ['Basic realm=etherws', ['Basic']],
    ['Basic realm="a, NTLM b", charset="UTF-8"', ['Basic']],
    ['NTLM, Negotiate', ['NTLM', 'Negotiate']],
    ['Negotiate oYG2MIGz, NTLM TlRMTVNTUAACAAAA==', ['Negotiate', 'NTLM']],
    ['Digest realm="x", qop="auth", nonce="y", Basic realm="x"', ['Digest', 'Basic']],
    ['NTLM, NTLM', ['NTLM']],
  ] as const) {
    test(`${field}`, () => assert.deepEqual(schemesOf(field), expected));
  }

  test('are foreign where none is known', () => {
    assert.equal(onlyForeignSchemes('NTLM, Negotiate', ['basic']), 'NTLM and Negotiate');
    assert.equal(onlyForeignSchemes('NTLM, BASIC realm=x', ['basic']), undefined);
    assert.equal(onlyForeignSchemes(undefined, ['basic']), undefined);
  });
});
