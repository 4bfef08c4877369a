import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopeOf } from './address-scope.ts';

test('an address is of this host, of its links, or of the net', () => {
  for (const [scope, hosts] of Object.entries({
    host: [
      '127.0.0.1',
      '127.9.9.9',
      '0.0.0.0',
      '::1',
      '::',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      'localhost',
      'a.localhost',
      'LOCALHOST.',
    ],
    link: ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1', '::ffff:169.254.0.1'],
    net: ['10.0.0.1', '192.0.2.1', '2001:db8::1', 'fd00::1', '128.0.0.1', '::ffff:10.0.0.1'],
    undefined: ['r1.example', 'notlocalhost', 'localhost.example', ''],
  })) {
    for (const host of hosts) assert.equal(String(scopeOf(host)), scope, host);
  }
});
