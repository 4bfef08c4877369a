import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import type { SeenEntry } from './fdb-entry.ts';
import { eachStation, fdbUse, seenEntries } from './filtering-databases.ts';
import { Switch } from './switch.ts';

const frameOf = (station: number): Buffer =>
  Buffer.from(`ffffffffffff02000000000${station}88b5${'00'.repeat(46)}`, 'hex');

test('entries are read with their ages, ports and moves, and counted over all networks', (t) => {
  let nowMs = 1_000_000;
  t.mock.method(performance, 'now', () => nowMs);
  const etherSwitch = new Switch({ fdbCapacity: 2 });
  t.after(() => etherSwitch.close());
  etherSwitch.addNetwork('lab', { fdbSize: 7, stp: 'off' });
  const [left, right, other] = [new MemoryPort(), new MemoryPort(), new MemoryPort()];
  for (const port of [left, right]) etherSwitch.attach(port);
  etherSwitch.attach(other, { network: 'lab' });
  for (let move = 0; move < 13; move++) (move % 2 === 0 ? left : right).deliver(frameOf(1));
  nowMs += 5000;
  right.deliver(frameOf(2));
  other.deliver(frameOf(3));

  const factsOf = ({ entry, ageMs, isFlapping }: SeenEntry) => [entry.mac % 16, entry.port.number, ageMs, isFlapping];
  const expected = [
    [1, 1, 5000, true],
    [2, 2, 0, false],
    [3, 3, 0, false],
  ];
  assert.deepEqual(seenEntries(etherSwitch.networksNamed(), nowMs).map(factsOf).sort(), expected);
  const stations = [...eachStation(etherSwitch)];
  assert.deepEqual(stations.map(({ seen }) => factsOf(seen)).sort(), expected);
  assert.ok(stations.every(({ seen, port }) => port.bridgePort === seen.entry.port));
  assert.equal(seenEntries(etherSwitch.networksNamed('lab'), nowMs).length, 1);

  left.deliver(frameOf(4));
  assert.deepEqual(fdbUse(etherSwitch.networks), { addresses: 3, capacity: 9, displaced: 1 });
});

test('a reader that pauses gets no station of a port whose number another port has meanwhile', async (t) => {
  const stations = 60;
  // The table hands out what one bucket has together, so the reader pauses at each place.
  for (let read = 1; read < stations; read++) {
    const etherSwitch = new Switch();
    t.after(() => etherSwitch.close());
    etherSwitch.addNetwork('lab', { stp: 'off' });
    const port = new MemoryPort();
    const number = etherSwitch.attach(port);
    for (let station = 0; station < stations; station++) {
      port.deliver(Buffer.from(`ffffffffffff0200000000${(station + 16).toString(16)}88b5${'00'.repeat(46)}`, 'hex'));
    }
    const reader = eachStation(etherSwitch);
    for (let count = 0; count < read; count++) reader.next();
    await etherSwitch.detach(number);
    etherSwitch.attach(new MemoryPort(), { network: 'lab', number });
    assert.deepEqual([...reader], []);
  }
});
