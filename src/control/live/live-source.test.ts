import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSwitch } from '../../../test/support/fake-switch.ts';
import { HandClock, TableReader } from '../../../test/support/live-lab.ts';
import { Random } from '../../../test/support/random.ts';
import { SILENT } from '../../observability/logger.ts';
import type { PortEntry } from '../schema.ts';
import { LiveSource } from './live-source.ts';
import { keyOf, type LiveEntry } from './table-keys.ts';

/** A switch whose ports a test sets. */
class Ports extends FakeSwitch {
  readonly ports = new Map<number, LiveEntry>();
  computed = 0;

  override *eachPort(): IterableIterator<PortEntry> {
    this.computed++;
    for (const port of this.ports.values()) yield { ...port } as PortEntry;
  }

  set(port: number, members: object): void {
    this.ports.set(port, { ...this.ports.get(port), port, ...members });
  }
}

function lab() {
  const [ports, clock] = [new Ports(), new HandClock()];
  const live = new LiveSource(ports, SILENT, clock);
  const read = (intervalS = 1, mayRead = () => true) => {
    const reader = new TableReader('ports');
    const end = live.observe('ports', { sink: reader, intervalMs: intervalS * 1000, mayRead });
    return { reader, end };
  };
  return { ports, clock, read };
}

test('a snapshot, then what has changed, and nothing while nothing changes or nothing is observed', async () => {
  const { ports, clock, read } = lab();
  ports.set(1, { rx: 0, settings: { pvid: 1 } });
  ports.set(2, { rx: 5, settings: {} });
  await clock.pass(5000);
  assert.equal(ports.computed, 0);
  const { reader, end } = read();
  await clock.pass(10);
  assert.deepEqual(reader.pieces.splice(0), [
    { table: 'ports', reset: true, put: [...ports.ports.values()], done: true },
  ]);
  await clock.pass(3000);
  assert.deepEqual(reader.pieces, []);
  ports.set(1, { rx: 7 });
  ports.set(3, { rx: 0 });
  ports.ports.delete(2);
  await clock.pass(1000);
  assert.deepEqual(reader.pieces, [
    { table: 'ports', put: [{ port: 3, rx: 0 }], change: [['1', { rx: 7 }]], drop: ['2'], done: true },
  ]);
  end();
  await clock.pass(10);
  const { computed } = ports;
  await clock.pass(60_000);
  assert.equal(ports.computed, computed);
  assert.ok(clock.isIdle);
});

test('all readers share one computation; each has its own interval', async () => {
  const { ports, clock, read } = lab();
  ports.set(1, { rx: 0 });
  const readers = [read(), read(), read(3)];
  await clock.pass(500);
  const before = ports.computed;
  for (let second = 0; second < 12; second++) {
    ports.set(1, { rx: second + 1 });
    await clock.pass(1000);
  }
  assert.equal(ports.computed - before, 12);
  assert.deepEqual(
    readers.map(({ reader }) => reader.pieces.length),
    [13, 13, 5],
  );
});

test('a table of 1000 comes in pieces of at most 256', async () => {
  const { ports, clock, read } = lab();
  for (let port = 1; port <= 1000; port++) ports.set(port, { rx: 0 });
  const { reader } = read();
  await clock.pass(100);
  assert.deepEqual(
    reader.pieces.map(({ put = [], reset, done }) => [put.length, reset ?? false, done ?? false]),
    [
      [256, true, false],
      [256, false, false],
      [256, false, false],
      [232, false, true],
    ],
  );
});

test('a reader that the policy forbids the table gets it emptied, and no more of it', async () => {
  const { ports, clock, read } = lab();
  ports.set(1, { rx: 0 });
  let isAllowed = true;
  const { reader } = read(1, () => isAllowed);
  await clock.pass(100);
  isAllowed = false;
  ports.set(1, { rx: 1 });
  await clock.pass(1000);
  assert.deepEqual(reader.pieces.at(-1), { table: 'ports', reset: true, done: true, forbidden: true });
  assert.equal(reader.table.rows.size, 0);
  isAllowed = true;
  ports.set(1, { rx: 2 });
  await clock.pass(3000);
  assert.equal(reader.pieces.length, 2);
});

test('readers that come and leave quickly share one computation, which ends with the last of them, and a rest after it', async () => {
  const { ports, clock, read } = lab();
  for (let port = 1; port <= 5000; port++) ports.set(port, { rx: 0 });
  let atOnce = 0;
  let most = 0;
  const { eachPort } = ports;
  ports.eachPort = function* () {
    most = Math.max(most, ++atOnce);
    try {
      yield* eachPort.call(ports);
    } finally {
      atOnce--;
    }
  };
  for (let visit = 0; visit < 50; visit++) {
    const { end } = read();
    await clock.turn();
    end();
  }
  assert.equal(most, 1);
  assert.ok(ports.computed < 25, `${ports.computed} computations`);
  await clock.pass(1000);
  assert.ok(atOnce === 0 && clock.isIdle);
  const { reader } = read();
  await clock.pass(1000);
  assert.equal(reader.table.rows.size, 5000);
});

test('a slow reader holds few pieces, and is brought up to date when it reads again', async () => {
  const { ports, clock, read } = lab();
  for (let port = 1; port <= 5000; port++) ports.set(port, { rx: 0 });
  const { reader } = read();
  reader.isSlow = true;
  for (let second = 1; second <= 10; second++) {
    for (let port = 1; port <= 5000; port++) ports.set(port, { rx: second });
    await clock.pass(1000);
  }
  assert.ok(reader.pieces.length <= 3, `${reader.pieces.length} pieces wait`);
  ports.ports.delete(77);
  reader.isSlow = false;
  for (let round = 0; round < 5; round++) {
    reader.drain();
    await clock.pass(1000);
  }
  assert.deepEqual([...reader.table.rows.values()].sort(byPort), [...ports.ports.values()]);
});

test('whatever changes and whoever is slow, what was sent is the table in the end', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { ports, clock, read } = lab();
    const random = new Random(seed);
    const below = (limit: number): number => random.below(limit);
    const change = (): void => {
      for (let count = below(40); count > 0; count--) {
        const port = 1 + below(900);
        const deed = below(4);
        if (deed === 0) ports.ports.delete(port);
        else ports.set(port, { rx: below(3), ...(deed === 1 ? { settings: { pvid: below(2) } } : {}) });
      }
    };
    for (let count = 0; count < 30; count++) change();
    clock.onTurn = change;
    const readers = [read(1), read(1), read(2), read(3)];
    for (let step = 0; step < 40; step++) {
      change();
      for (const { reader } of readers) {
        reader.isSlow = below(3) === 0;
        if (below(2) === 0) reader.drain(below(4));
      }
      if (below(10) === 0) readers.push(read(1 + below(3)));
      await clock.pass(below(1500));
    }
    clock.onTurn = () => undefined;
    for (let step = 0; step < 6; step++) {
      for (const { reader } of readers) {
        reader.isSlow = false;
        reader.drain();
      }
      await clock.pass(3000);
    }
    for (const { reader } of readers) {
      const told = [...reader.table.rows.values()].sort(byPort);
      assert.deepEqual(told, [...ports.ports.values()].sort(byPort), `seed ${seed}`);
    }
  }
});

function byPort(one: LiveEntry, other: LiveEntry): number {
  return Number(keyOf('ports', one)) - Number(keyOf('ports', other));
}
