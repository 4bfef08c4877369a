import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGroupAddress } from '../wire/ethernet/mac-address.ts';
import { ownAddress, seedOfHost } from './own-address.ts';

test('each network has an address of its own, which is the same at each start', () => {
  const addresses = Array.from({ length: 2000 }, (_, number) => ownAddress('seed', `net-${number}`));
  assert.equal(new Set(addresses).size, 2000);
  assert.deepEqual(
    addresses,
    addresses.map((_, number) => ownAddress('seed', `net-${number}`)),
  );
  assert.notEqual(ownAddress('seed', 'default'), ownAddress('another', 'default'));
  for (const address of addresses) {
    assert.equal(isGroupAddress(address), false);
    assert.equal(Math.floor(address / 2 ** 41) % 2, 1, 'locally administered');
  }
});

test('two services of one host have seeds of their own', () => {
  assert.equal(seedOfHost('8000'), seedOfHost('8000'));
  assert.notEqual(seedOfHost('8000'), seedOfHost('8001'));
});
