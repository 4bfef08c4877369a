import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryPort } from '../ports/memory-port.ts';
import type { MacAddress } from '../wire/mac-address.ts';
import type { Vid } from '../wire/vid.ts';
import { BridgePort, type PortNumber } from './bridge-port.ts';
import { FilteringDatabase } from './filtering-database.ts';

const ports = [1, 2, 3].map((number) => new BridgePort(number as PortNumber, new MemoryPort()));
const [one, two] = ports as [BridgePort, BridgePort];
const vid = (n: number): Vid => n as Vid;
const mac = (n: number): MacAddress => n as MacAddress;

test('an address is found on the port where it was seen last, in its own VLAN only', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 10 });
  assert.equal(fdb.learn(vid(0), mac(5), one, 0), 'new');
  assert.equal(fdb.learn(vid(0), mac(5), one, 1), 'refreshed');
  assert.equal(fdb.learn(vid(0), mac(5), two, 2), 'moved');
  assert.equal(fdb.lookup(vid(0), mac(5), 3), two);
  assert.equal(fdb.lookup(vid(7), mac(5), 3), undefined);
  assert.equal(fdb.size, 1);
});

test('an entry ages out unless it is refreshed', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 10 });
  fdb.learn(vid(0), mac(1), one, 0);
  fdb.learn(vid(0), mac(2), one, 0);
  fdb.learn(vid(0), mac(1), one, 900);
  assert.equal(fdb.lookup(vid(0), mac(2), 999), one);
  assert.equal(fdb.lookup(vid(0), mac(2), 1000), undefined);
  const aged: number[] = [];
  fdb.age(1000, (entry) => aged.push(entry.mac));
  assert.deepEqual(aged, [2]);
  assert.equal(fdb.lookup(vid(0), mac(1), 1899), one);
});

test('at its capacity the entry longest unseen makes room', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 3 });
  for (const n of [1, 2, 3]) fdb.learn(vid(n), mac(n), one, n);
  fdb.learn(vid(1), mac(1), one, 4);
  fdb.learn(vid(2), mac(9), one, 5);
  assert.deepEqual(
    [...fdb.entries(6)].map((entry) => entry.mac),
    [3, 1, 9],
  );
  assert.equal(fdb.evictions, 1);
});

test('a port that goes takes its entries along', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 10 });
  for (const n of [1, 2, 3, 4]) fdb.learn(vid(n % 2), mac(n), n < 3 ? one : two, n);
  fdb.forgetPort(one);
  assert.deepEqual(
    [...fdb.entries(5)].map((entry) => entry.mac),
    [3, 4],
  );
});

test('against a naive model: same answers, never above its capacity', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('learn'), vid: fc.nat(2), mac: fc.nat(12), port: fc.nat(2), wait: fc.nat(400) }),
    fc.record({ op: fc.constant('forget'), vid: fc.nat(2), mac: fc.nat(12), port: fc.nat(2), wait: fc.nat(400) }),
    fc.record({ op: fc.constant('age'), vid: fc.nat(2), mac: fc.nat(12), port: fc.nat(2), wait: fc.nat(400) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const capacity = 6;
      const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity });
      let model: { key: string; port: BridgePort; seenMs: number }[] = [];
      let now = 0;
      for (const { op, vid: v, mac: m, port, wait } of steps) {
        now += wait;
        const key = `${v}/${m}`;
        const at = ports[port] as BridgePort;
        if (op === 'learn') {
          model = [...model.filter((entry) => entry.key !== key), { key, port: at, seenMs: now }].slice(-capacity);
          fdb.learn(vid(v), mac(m), at, now);
        } else if (op === 'forget') {
          model = model.filter((entry) => entry.port !== at);
          fdb.forgetPort(at);
        } else {
          model = model.filter((entry) => now - entry.seenMs < 1000);
          fdb.age(now);
        }
        assert.ok(fdb.size <= capacity);
        const known = model.find((entry) => entry.key === key && now - entry.seenMs < 1000);
        assert.equal(fdb.lookup(vid(v), mac(m), now), known?.port);
        assert.deepEqual(
          [...fdb.entries(now)].map((entry) => `${entry.vid}/${entry.mac}`),
          model.filter((entry) => now - entry.seenMs < 1000).map((entry) => entry.key),
        );
      }
    }),
    { numRuns: 500 },
  );
});
