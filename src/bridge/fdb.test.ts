import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryPort } from '../ports/memory-port.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { BridgePort, type PortNumber } from './bridge-port.ts';
import { FilteringDatabase, type FilteringEntry } from './fdb.ts';

const ports = [1, 2, 3].map((number) => new BridgePort(number as PortNumber, new MemoryPort()));
const [one, two, three] = ports as [BridgePort, BridgePort, BridgePort];
const vid = (n: number): Vid => n as Vid;
const mac = (n: number): MacAddress => n as MacAddress;

test('an address is found on the port where it was seen last, in its own VLAN only', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 10 });
  fdb.learn(vid(0), mac(5), one, 0);
  fdb.learn(vid(0), mac(5), one, 1);
  assert.equal(fdb.lookup(vid(0), mac(5), 1), one);
  fdb.learn(vid(0), mac(5), two, 2);
  assert.equal(fdb.lookup(vid(0), mac(5), 3), two);
  assert.equal(fdb.lookup(vid(7), mac(5), 3), undefined);
  assert.equal(fdb.size, 1);
});

test('another ageing time counts at once, and a smaller capacity evicts from the port with most entries', () => {
  const evicted: number[] = [];
  const fdb = new FilteringDatabase({
    ageingTimeMs: 1000,
    capacity: 10,
    onEvicted: (entry) => evicted.push(entry.mac),
  });
  for (const n of [1, 2, 3, 4]) fdb.learn(vid(0), mac(n), one, n);
  fdb.learn(vid(0), mac(9), two, 0);
  fdb.setAgeingTime(100);
  assert.equal(fdb.lookup(vid(0), mac(1), 101), undefined);
  assert.equal(fdb.lookup(vid(0), mac(2), 101), one);
  fdb.setCapacity(2, 50);
  assert.deepEqual([evicted, fdb.size, fdb.capacity], [[1, 2, 3], 2, 2]);
  fdb.learn(vid(0), mac(5), one, 51);
  assert.deepEqual([evicted.length, fdb.size], [4, 2]);
});

test('an entry ages out unless it is refreshed', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 10 });
  fdb.learn(vid(0), mac(1), one, 0);
  fdb.learn(vid(0), mac(2), one, 0);
  fdb.learn(vid(0), mac(1), one, 900);
  assert.equal(fdb.lookup(vid(0), mac(2), 999), one);
  assert.equal(fdb.lookup(vid(0), mac(2), 1000), undefined);
  assert.deepEqual(
    [...fdb.entries(1000)].map((entry) => entry.mac),
    [1],
    'it is not listed either, though nothing has removed it yet',
  );
  const aged: number[] = [];
  fdb.age(1000, (entry) => aged.push(entry.mac));
  assert.deepEqual(aged, [2]);
  assert.equal(fdb.lookup(vid(0), mac(1), 1899), one);
});

test('the addresses of one port come with the one seen last first, and without those that have expired', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 10 });
  fdb.learn(vid(0), mac(1), one, 0);
  fdb.learn(vid(0), mac(2), one, 500);
  fdb.learn(vid(0), mac(3), two, 600);
  fdb.learn(vid(0), mac(4), one, 700);
  fdb.learn(vid(0), mac(2), one, 800);
  const listed = (port: BridgePort): number[] => [...fdb.entriesAt(port, 1000)].map((entry) => entry.mac);
  assert.deepEqual([listed(one), listed(two), listed(three)], [[2, 4], [3], []]);
});

test('a flow of a station that is not known is noted nowhere', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 10 });
  fdb.learn(vid(1), mac(5), one, 0);
  fdb.noteFlow(vid(1), mac(6), 700);
  fdb.noteFlow(vid(2), mac(5), 700);
  fdb.noteFlow(vid(1), mac(5), 600);
  assert.deepEqual(
    [...fdb.entries(0)].map((entry) => entry.flowUntilMs),
    [600],
  );
});

test('at its capacity the entry longest unseen makes room', () => {
  const evicted: number[] = [];
  const fdb = new FilteringDatabase({
    ageingTimeMs: 1e9,
    capacity: 3,
    onEvicted: ({ mac: gone }) => evicted.push(gone),
  });
  for (const n of [1, 2, 3]) fdb.learn(vid(n), mac(n), one, n);
  fdb.learn(vid(1), mac(1), one, 4);
  fdb.learn(vid(2), mac(9), one, 5);
  assert.deepEqual(
    [...fdb.entries(6)].map((entry) => entry.mac),
    [3, 1, 9],
  );
  assert.deepEqual(evicted, [2]);
});

test('the port with the most entries makes room: made-up addresses displace no other port’s', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 100 });
  const honest = Array.from({ length: 60 }, (_, n) => ({ at: n < 40 ? one : two, mac: mac(n) }));
  for (const { at, mac: address } of honest) fdb.learn(vid(0), address, at, 0);
  for (let n = 0; n < 100_000; n++) fdb.learn(vid(n % 7), mac(1000 + n), three, 1 + n);
  assert.equal(fdb.size, 100);
  for (const { at, mac: address } of honest) assert.equal(fdb.lookup(vid(0), address, 100_001), at);
  const own = [...fdb.entries(100_001)].filter(({ port }) => port === three);
  assert.deepEqual(
    own.map(({ mac: address }) => address),
    Array.from({ length: 40 }, (_, n) => 1000 + 99_960 + n),
    'the flood has kept its latest ones',
  );
});

test('a port gets its share of a full database, from the one that has most', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 100 });
  for (let n = 0; n < 90; n++) fdb.learn(vid(0), mac(n), one, n);
  for (let n = 90; n < 100; n++) fdb.learn(vid(0), mac(n), two, n);
  for (let n = 100; n < 200; n++) fdb.learn(vid(0), mac(n), three, n);
  const sizes = ports.map((port) => [...fdb.entries(200)].filter((entry) => entry.port === port).length);
  assert.deepEqual(sizes, [45, 10, 45]);
  assert.equal(fdb.lookup(vid(0), mac(44), 200), undefined, 'its longest unseen ones went');
  assert.equal(fdb.lookup(vid(0), mac(45), 200), one);
});

test('with fewer entries than ports a new station is learned all the same', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 2 });
  for (const [n, port] of ports.entries()) fdb.learn(vid(0), mac(n), port, n);
  assert.equal(fdb.lookup(vid(0), mac(2), 3), three);
  assert.equal(fdb.size, 2);
});

test('ten thousand ports keep their entries while one of them floods', () => {
  const crowd = Array.from({ length: 10_000 }, (_, n) => new BridgePort((n + 1) as PortNumber, new MemoryPort()));
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 20_000 });
  for (const [n, port] of crowd.entries()) for (let i = 0; i < 2; i++) fdb.learn(vid(0), mac(2 * n + i), port, 0);
  const flooder = crowd[5000] as BridgePort;
  for (let n = 0; n < 200_000; n++) fdb.learn(vid(0), mac(100_000 + n), flooder, 1);
  const held = new Map<BridgePort, number>();
  for (const { port } of fdb.entries(2)) held.set(port, (held.get(port) ?? 0) + 1);
  assert.ok(crowd.every((port) => held.get(port) === 2));
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

test('what a node tells displaces like what is learned, and does not move while its node holds it', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity: 3 });
  const tell = (n: number, port: BridgePort, seenMs: number, isHeld = false): void =>
    void fdb.tell(vid(0), mac(n), port, { sequence: 0, isHeld, isIsolated: false, seenMs }, 50);
  const macs = (): number[] => [...fdb.entries(50)].map((entry) => entry.mac);
  for (const n of [1, 2, 3]) tell(n, two, n);
  tell(1, two, 20);
  assert.deepEqual(macs(), [2, 3, 1]);
  tell(4, two, 30, true);
  assert.deepEqual([macs(), fdb.displaced], [[3, 1, 4], 1]);
  assert.equal(fdb.find(vid(0), mac(1))?.seenMs, 20);
  fdb.learn(vid(0), mac(1), one, 50);
  fdb.learn(vid(0), mac(4), one, 50);
  assert.equal(fdb.lookup(vid(0), mac(1), 2000), undefined, 'it has moved, and has aged');
  assert.equal(fdb.lookup(vid(0), mac(4), 2000), two);
  assert.deepEqual(
    [one, two].map((port) => fdb.sizeAt(port)),
    [1, 2],
  );
});

test('the port with the most entries still makes room behind removals of all kinds', () => {
  const removals: [string, (fdb: FilteringDatabase) => void][] = [
    ['learned ones', (fdb) => [1, 2].map((n) => fdb.delete(vid(0), mac(n)))],
    [
      'learned ones that had moved',
      (fdb) => {
        for (const n of [1, 2]) {
          fdb.learn(vid(0), mac(n), one, 9);
          fdb.delete(vid(0), mac(n));
        }
      },
    ],
    ['a static one', (fdb) => void fdb.delete(vid(0), mac(20))],
    [
      'a static one that another node has now',
      (fdb) => {
        fdb.tell(vid(0), mac(20), three, { sequence: 1, isHeld: true, isIsolated: false, seenMs: 9 }, 9);
        fdb.delete(vid(0), mac(20));
      },
    ],
  ];
  for (const [what, remove] of removals) {
    const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 8 });
    for (const n of [20, 21]) fdb.set(vid(0), mac(n), one, 'static', 0);
    for (const n of [1, 2, 3]) fdb.learn(vid(0), mac(n), two, n);
    for (const n of [4, 5]) fdb.learn(vid(0), mac(n), three, n);
    remove(fdb);
    fdb.setCapacity(fdb.size, 10);
    const sizes = (): number[] => [two, three].map((port) => fdb.sizeAt(port));
    const [ofTwo = 0, ofThree = 0] = sizes();
    fdb.learn(vid(0), mac(50), one, 50);
    assert.deepEqual(sizes(), ofTwo > ofThree ? [ofTwo - 1, ofThree] : [ofTwo, ofThree - 1], what);
  }
});

/** The ports that may lose an entry: the learner, if one more entry makes it the largest; else the largest ports. */
function payers(model: readonly { port: BridgePort }[], learner: BridgePort): BridgePort[] {
  const size = (port: BridgePort): number => model.filter((entry) => entry.port === port).length;
  const most = Math.max(...ports.map(size));
  if (size(learner) > 0 && size(learner) + 1 >= most) return [learner];
  return ports.filter((port) => size(port) === most);
}

test('against a naive model: same answers, never above its capacity', () => {
  const times = { vid: fc.nat(2), mac: fc.nat(12), port: fc.nat(2), wait: fc.nat(100) };
  // Mostly stations that send, so that the database is full most of the time.
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ op: fc.constant('learn'), ...times }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('forget'), ...times }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('age'), ...times, wait: fc.nat(1500) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const capacity = 6;
      const evicted: string[] = [];
      const onEvicted = (entry: FilteringEntry): void => void evicted.push(`${entry.vid}/${entry.mac}`);
      const fdb = new FilteringDatabase({ ageingTimeMs: 1000, capacity, onEvicted });
      let model: { key: string; port: BridgePort; seenMs: number }[] = [];
      let now = 0;
      for (const { op, vid: v, mac: m, port, wait } of steps) {
        now += 1 + wait;
        const key = `${v}/${m}`;
        const at = ports[port] as BridgePort;
        if (op === 'learn') {
          const isNew = model.every((entry) => entry.key !== key);
          evicted.length = 0;
          fdb.learn(vid(v), mac(m), at, now);
          assert.equal(evicted.length, isNew && model.length === capacity ? 1 : 0);
          const candidates = payers(model, at).map((payer) => model.find((entry) => entry.port === payer)?.key);
          for (const gone of evicted) assert.ok(candidates.includes(gone), `${gone} of ${candidates}`);
          model = model.filter((entry) => entry.key !== key && !evicted.includes(entry.key));
          model.push({ key, port: at, seenMs: now });
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
        const listed = [...fdb.entries(now)];
        for (const port of ports) {
          assert.deepEqual(
            listed.filter((entry) => entry.port === port).map((entry) => `${entry.vid}/${entry.mac}`),
            model.filter((entry) => entry.port === port && now - entry.seenMs < 1000).map((entry) => entry.key),
          );
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a port that was forgotten and learns again is counted anew in a full database', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 4 });
  fdb.learn(vid(0), mac(1), one, 0);
  fdb.forgetPort(one);
  fdb.learn(vid(0), mac(2), two, 1);
  for (const n of [3, 4, 5, 6]) fdb.learn(vid(0), mac(n), n === 6 ? two : one, n);
  assert.deepEqual(
    [...fdb.entries(7)].map((entry) => entry.mac).sort(),
    [2, 4, 5, 6],
    'port 1 has most, so it made room',
  );
});

test('a database that tells of no evicted entry can become smaller, too', () => {
  const fdb = new FilteringDatabase({ ageingTimeMs: 1e9, capacity: 10 });
  for (let n = 0; n < 10; n++) fdb.learn(vid(0), mac(n), one, n);
  fdb.setCapacity(3, 20);
  assert.deepEqual(
    [...fdb.entries(20)].map((entry) => entry.mac),
    [7, 8, 9],
  );
});
