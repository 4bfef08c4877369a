import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsError } from '../../errors.ts';
import { checkDeviceName } from './device-name.ts';

function refused(name: string, mayBePattern: boolean, message: RegExp): void {
  assert.throws(
    () => checkDeviceName(name, mayBePattern),
    (error: unknown) => {
      assert.ok(error instanceof EtherwsError && error.code === 'ARGUMENT_INVALID', String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

test('names that the kernel takes pass', () => {
  for (const name of ['tap0', 'a', 'fifteen-octets.', 'eth0.100', 'größe']) {
    assert.equal(checkDeviceName(name, false), name);
  }
  for (const pattern of ['tap%d', '%d', 'a%db']) assert.equal(checkDeviceName(pattern, true), pattern);
});

test('names that the kernel does not take are refused with the reason', () => {
  refused('', false, /it is empty/);
  refused('sixteen-octets..', false, /16 octets/);
  refused('größengrößengr', false, /octets/);
  refused('.', false, /folder/);
  refused('..', false, /folder/);
  refused('a/b', false, /contains "\/"/);
  refused('eth0:1', false, /contains ":"/);
  refused('tap 0', false, /contains " "/);
  refused('tap\t', false, /contains "\\t"/);
  refused('tap\u0000', false, /contains "\\u0000"/);
  refused('tap%d', false, /contains "%"/);
  for (const pattern of ['tap%', 'tap%s', '%d%d', '%%d']) refused(pattern, true, /after "%"/);
});
