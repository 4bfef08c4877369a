import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { Bridge } from './bridge.ts';
import type { MoveReport } from './move-watch.ts';

/** A bridge with six ports; stations are numbers. */
class Bench {
  readonly bridge = new Bridge();
  readonly ports = Array.from({ length: 6 }, () => this.bridge.attach(new MemoryPort()));

  hear(station: number, port: number, nowMs: number, vid = 0): void {
    const tag = vid === 0 ? '' : `8100${vid.toString(16).padStart(4, '0')}`;
    const frame = Buffer.from(`ffffffffffff02000000${station.toString(16).padStart(4, '0')}${tag}88b5`, 'hex');
    const at = this.ports[port - 1];
    assert.ok(at);
    this.bridge.receive(at, batchOf(frame), nowMs);
  }

  /** Moves the station between two ports at equal intervals. It must not have been last seen at `ports[0]`. */
  flap(station: number, ports: readonly [number, number], moves: number, fromMs: number, forMs: number): void {
    for (let move = 0; move < moves; move++) {
      this.hear(station, ports[move % 2] as number, fromMs + (forMs * move) / Math.max(1, moves - 1));
    }
  }

  reports(nowMs: number): MoveReport[] {
    return this.bridge.moveReports(nowMs);
  }

  entry(station: number, nowMs: number) {
    return [...this.bridge.fdbEntries(nowMs)].find(({ mac }) => mac === 0x020000000000 + station);
  }
}

const MAC = 0x020000000001;

test('an address that moves more than ten times within a minute is reported, with both ports and the count', () => {
  const bench = new Bench();
  bench.hear(1, 2, 0, 7);
  for (let move = 0; move < 11; move++) {
    assert.deepEqual(bench.reports(1000), [], `behind ${move} moves`);
    bench.hear(1, move % 2 === 0 ? 5 : 2, 1000 + move * 100, 7);
  }
  assert.deepEqual(bench.reports(2500), [
    { kind: 'address', vid: 7, mac: MAC, ports: [2, 5], moves: 11, withinMs: 1500 },
  ]);
});

test('ten moves within a minute, or eleven within more, are roaming', () => {
  const bench = new Bench();
  bench.hear(1, 1, 0);
  bench.flap(1, [2, 1], 10, 0, 59_999);
  bench.hear(2, 1, 0);
  bench.flap(2, [2, 1], 11, 0, 60_000);
  assert.deepEqual(bench.reports(60_000), []);
  bench.hear(3, 1, 0);
  bench.flap(3, [2, 1], 11, 0, 59_999);
  assert.deepEqual(
    bench.reports(59_999).map((report) => report.kind === 'address' && report.mac),
    [0x020000000003],
  );
});

test('what goes on is reported once a minute, what begins anew at once', () => {
  const bench = new Bench();
  bench.hear(1, 1, 0);
  const counts: (readonly number[])[] = [];
  for (let second = 0; second < 150; second++) {
    bench.flap(1, [2, 1], 4, second * 1000, 900);
    for (const report of bench.reports(second * 1000 + 950)) {
      assert.ok(report.kind === 'address');
      counts.push([second, report.moves, report.withinMs]);
    }
  }
  assert.deepEqual(counts, [
    [2, 12, 2950],
    [62, 240, 60_000],
    [122, 240, 60_000],
  ]);
  assert.deepEqual(bench.reports(300_000), []);
  bench.flap(1, [2, 1], 11, 300_000, 500);
  assert.deepEqual(bench.reports(300_500), [
    { kind: 'address', vid: 0, mac: MAC, ports: [1, 2], moves: 11, withinMs: 500 },
  ]);
});

test('several addresses at once between the same two ports are a loop, and one report a minute', () => {
  const bench = new Bench();
  const reports: MoveReport[] = [];
  for (let station = 1; station <= 5; station++) bench.hear(station, 2, 0);
  // An address that moves between two other ports gets a report of its own.
  bench.hear(9, 1, 0);
  for (let second = 0; second < 70; second++) {
    for (let station = 1; station <= 5; station++) bench.flap(station, [5, 2], 20, second * 1000, 900);
    if (second === 0) bench.flap(9, [3, 1], 12, 0, 900);
    reports.push(...bench.reports(second * 1000 + 950));
  }
  assert.deepEqual(reports, [
    { kind: 'loop', ports: [2, 5], vids: [0], addresses: 5, moves: 100 },
    { kind: 'address', vid: 0, mac: 0x020000000009, ports: [1, 3], moves: 12, withinMs: 950 },
    { kind: 'loop', ports: [2, 5], vids: [0], addresses: 5, moves: 6000 },
  ]);
});

test('two addresses at once between the same two ports are two, and three are a loop', () => {
  const kinds = (stations: number): string[] => {
    const bench = new Bench();
    for (let station = 1; station <= stations; station++) {
      bench.hear(station, 1, 0);
      bench.flap(station, [2, 1], 11, 0, 900);
    }
    return bench.reports(950).map(({ kind }) => kind);
  };
  assert.deepEqual(kinds(2), ['address', 'address']);
  assert.deepEqual(kinds(3), ['loop']);
});

test('a loop that is over is forgotten: one address between the same ports is an address again', () => {
  const bench = new Bench();
  for (let station = 1; station <= 3; station++) {
    bench.hear(station, 1, 0);
    bench.flap(station, [2, 1], 12, 0, 900);
  }
  const reports: string[] = [];
  for (let second = 1; second < 200; second++) {
    // Moves at 30 s cause a second report at 61 s; without further moves there is no third one.
    for (let station = 1; station <= 3; station++) if (second === 30) bench.flap(station, [2, 1], 12, 29_000, 900);
    if (second === 150) bench.flap(1, [2, 1], 11, second * 1000 - 500, 400);
    for (const { kind, moves } of bench.reports(second * 1000)) reports.push(`${second} s: ${kind}, ${moves} moves`);
  }
  assert.deepEqual(reports, ['1 s: loop, 36 moves', '61 s: loop, 36 moves', '150 s: address, 11 moves']);
});

test('thousands of addresses that moved once leave room for those that flap', () => {
  const bench = new Bench();
  for (const port of [1, 2]) for (let station = 10; station < 1200; station++) bench.hear(station, port, 0);
  bench.hear(1, 1, 0);
  bench.flap(1, [2, 1], 11, 0, 900);
  assert.deepEqual(
    bench.reports(950).map(({ kind, moves }) => `${kind} ${moves}`),
    ['address 11'],
  );
});

test('moves count anew behind a minute without any', () => {
  const bench = new Bench();
  bench.hear(1, 1, 0);
  bench.flap(1, [2, 1], 2, 0, 10);
  bench.flap(1, [2, 1], 11, 60_010, 500);
  assert.deepEqual(
    bench.reports(60_510).map(({ moves }) => moves),
    [11],
  );
});

test('a storm of thousands of addresses is one report, and its watch is bounded', () => {
  const bench = new Bench();
  for (let station = 0; station < 2000; station++) bench.hear(station, 2, 0);
  for (let move = 0; move < 11; move++) {
    for (let station = 0; station < 2000; station++) bench.hear(station, move % 2 === 0 ? 5 : 2, move);
  }
  assert.deepEqual(bench.reports(1000), [
    { kind: 'loop', ports: [2, 5], vids: [0], addresses: 1024, moves: 1024 * 11 },
  ]);
  assert.deepEqual(bench.reports(61_000), []);
});

test('an entry says how often it moved, from where, and whether it flaps', () => {
  const bench = new Bench();
  bench.hear(1, 1, 0);
  assert.equal(bench.entry(1, 0)?.moves, undefined, 'one that never moved costs nothing');
  bench.hear(1, 4, 10);
  bench.hear(1, 4, 20);
  const { moves } = bench.entry(1, 20) ?? {};
  assert.deepEqual([moves?.total, moves?.from, moves?.isFlapping(20)], [1, 1, false]);
  bench.flap(1, [1, 4], 10, 100, 100);
  assert.deepEqual([moves?.total, moves?.from, moves?.isFlapping(200)], [11, 1, true]);
  assert.equal(moves?.isFlapping(60_010), false, 'the first of eleven moves is a minute ago');
});

test('a loop that goes round three ports is one report a minute for each two of them', () => {
  const bench = new Bench();
  const reports: string[] = [];
  for (let second = 0; second < 59; second++) {
    // At each report the addresses may be between other ports than before.
    for (let station = 1; station <= 4; station++) {
      for (let move = 0; move < 12 + second; move++) bench.hear(station, 1 + (move % 3), second * 1000 + move);
    }
    for (const report of bench.reports(second * 1000 + 999)) reports.push(`${report.kind} ${report.ports.join(' ')}`);
  }
  assert.deepEqual(reports.sort(), ['loop 1 2', 'loop 1 3', 'loop 2 3']);
});

test('a loop that goes on with fewer addresses is still reported as a loop', () => {
  const bench = new Bench();
  for (let station = 1; station <= 3; station++) bench.hear(station, 1, 0);
  const reports: string[] = [];
  for (let second = 0; second < 70; second++) {
    for (let station = 1; station <= (second < 1 ? 3 : 2); station++) {
      bench.flap(station, [2, 1], 12, second * 1000, 900);
    }
    for (const report of bench.reports(second * 1000 + 950)) {
      reports.push(`${second} s: ${report.kind === 'loop' ? `loop of ${report.addresses}` : 'address'}`);
    }
  }
  assert.deepEqual(reports, ['0 s: loop of 3', '60 s: loop of 2']);
});
