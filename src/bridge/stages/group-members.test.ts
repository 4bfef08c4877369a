import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADA, BROADCAST, GROUP, MemoryLan, plain } from '../../../test/support/memory-lan.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';

const OPTIONS = { mac: 0x0200_0000_00ff as MacAddress };

test('the multicast database is made with the first frame to a group, with a querier at once, and forgotten with snooping', () => {
  const lan = new MemoryLan();
  const [one] = [lan.join(), lan.join()];
  const made = (): boolean => lan.bridge.multicast !== undefined;
  lan.bridge.setMulticast({ ...OPTIONS, isQuerier: false }, lan.nowMs);
  one.send(plain(BROADCAST, ADA), plain('020000000009', ADA));
  assert.equal(made(), false);
  one.send(plain(GROUP, ADA));
  assert.equal(made(), true);
  lan.bridge.setMulticast(undefined, lan.nowMs);
  one.send(plain(GROUP, ADA));
  assert.equal(made(), false);
  lan.bridge.setMulticast({ ...OPTIONS, isQuerier: false }, lan.nowMs);
  assert.equal(made(), false);
  lan.bridge.setMulticast({ ...OPTIONS, isQuerier: true }, lan.nowMs);
  assert.equal(made(), true);
});
