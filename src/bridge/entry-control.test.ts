import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADA, BOB, BROADCAST, CEM, MemoryLan, plain } from '../../test/support/memory-lan.ts';
import { type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../wire/ethernet/vid.ts';

const [ada, bob, cem] = [ADA, BOB, CEM].map((hex) => parseMacAddress((hex.match(/../g) as string[]).join(':'))) as [
  MacAddress,
  MacAddress,
  MacAddress,
];

test('the entry that the operator sets replaces a learned one, and what is known about the station stays', () => {
  const lan = new MemoryLan();
  const [one, two, three] = [lan.join(), lan.join(), lan.join()];
  lan.bridge.setHostSnooping(true);
  lan.nowMs = 700;
  one.send(`${BROADCAST}${ADA}08060001080006040001${ADA}0a000001${'00'.repeat(28)}`);
  lan.nowMs = 900;
  const entry = lan.bridge.entries.set(UNTAGGED, ada, two.port, 'static', lan.nowMs);
  assert.deepEqual([entry?.port, entry?.learnedMs, entry?.seenMs], [two.port, 700, 900]);
  assert.equal(entry?.host?.addresses(lan.nowMs).length, 1);
  assert.deepEqual([lan.bridge.fdbSize, lan.bridge.hosts.addresses], [1, 1]);
  for (const each of [one, two]) each.take();
  three.send(plain(ADA, BOB));
  assert.deepEqual([one.take().length, two.take().length], [0, 1]);
});

test('with static entries up to the capacity others can still be set, and one of them can be set elsewhere', () => {
  const lan = new MemoryLan({ fdbCapacity: 3 });
  const [one, two] = [lan.join(), lan.join()];
  const { entries } = lan.bridge;
  entries.set(UNTAGGED, ada, one.port, 'static', 0);
  entries.set(UNTAGGED, bob, one.port, 'static', 0);
  assert.equal(entries.set(UNTAGGED, bob, two.port, 'static', 0)?.port, two.port);
  assert.equal(entries.set(UNTAGGED, cem, one.port, 'sticky', 0)?.kind, 'sticky');
  assert.deepEqual([lan.bridge.fdbSizeAt(one.port), lan.bridge.fdbSizeAt(two.port)], [2, 1]);
});

test('an entry of the operator displaces a learned one of a full database, and a flush tells which entries it has removed', () => {
  const lan = new MemoryLan({ fdbCapacity: 2 });
  const [one, two] = [lan.join(), lan.join()];
  const aged: [MacAddress, boolean][] = [];
  lan.bridge.addressListener = {
    learned: () => undefined,
    moved: () => undefined,
    aged: ({ mac }, isDisplaced) => void aged.push([mac, isDisplaced]),
  };
  one.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB));
  lan.bridge.entries.set(UNTAGGED, cem, two.port, 'static', 0);
  assert.deepEqual([lan.bridge.fdbSize, lan.bridge.fdbDisplaced, aged.splice(0)], [2, 1, [[ada, true]]]);
  assert.equal(lan.bridge.entries.flush(), 1);
  assert.deepEqual(aged, [[bob, false]]);
});

test('the entries of a port are listed with the static ones first, and only those of the settings stay', () => {
  const lan = new MemoryLan();
  const [one] = [lan.join(), lan.join()];
  const macs = (): MacAddress[] => [...lan.bridge.fdbEntriesAt(one.port, lan.nowMs)].map(({ mac }) => mac);
  lan.set(one.port, { staticEntries: [bob, cem].map((mac) => ({ vid: UNTAGGED, mac })) });
  one.send(plain(BROADCAST, ADA));
  assert.deepEqual(macs(), [cem, bob, ada]);
  const [, kept] = [...lan.bridge.fdbEntriesAt(one.port, 0)];
  lan.set(one.port, { staticEntries: [{ vid: UNTAGGED, mac: bob }] });
  assert.deepEqual(macs(), [bob, ada]);
  assert.equal(lan.bridge.entries.find(UNTAGGED, bob), kept, 'one that stays is not set anew');
});

test('a scan passes over entries that have expired, and has those of the operator', () => {
  const lan = new MemoryLan();
  const one = lan.join();
  one.send(plain(BROADCAST, ADA));
  lan.bridge.entries.set(UNTAGGED, cem, one.port, 'static', 0);
  lan.nowMs = 200_000;
  one.send(plain(BROADCAST, BOB));
  const scanned = (nowMs: number): MacAddress[] => [...lan.bridge.scanFdb(() => nowMs)].map(({ mac }) => mac).sort();
  assert.deepEqual(scanned(299_999), [ada, bob, cem]);
  assert.deepEqual(scanned(300_000), [bob, cem]);
});
