import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparisonTable } from './comparison.ts';
import type { Results, Sample } from './results.ts';

function results(samples: readonly Sample[]): Results {
  const nothing = { machine: {}, absent: {}, failures: [], disturbed: [], stolen: [] };
  const contestants = {
    etherws: { title: 'ours', version: '2' },
    'etherws-other': { title: 'ours (before)', version: '1', otherOf: 'etherws' },
  };
  return { startedAt: '', command: '', repetitions: 3, seconds: 1, contestants, samples: [...samples], ...nothing };
}

function series(contestant: string, metric: string, values: readonly number[]): Sample[] {
  return values.map((value, repetition) => ({ repetition, turn: 1, contestant, metric, value }));
}

/** The cells of the row of a figure. */
function rowOf(table: string | undefined, figure: string): string[] {
  const line = table?.split('\n').find((one) => one.includes(figure));
  assert.ok(line !== undefined, `no row of ${figure} in:\n${table}`);
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

test('a figure with a target is judged by the ratio of the medians', () => {
  const rates = [
    ...series('etherws', 'oneFlowUp', [96, 500, 10]),
    ...series('etherws-other', 'oneFlowUp', [90, 100, 200]),
  ];
  const row = rowOf(comparisonTable(results(rates)), 'one-flow: up');
  assert.deepEqual(row.slice(2), ['96.0', '100', '0.96', '1.07', 'no: 0.96']);
});

test('where less is better a smaller value is as good', () => {
  const trips = (own: number): Results =>
    results([...series('etherws', 'rttIdleMedian', [own]), ...series('etherws-other', 'rttIdleMedian', [100])]);
  assert.equal(rowOf(comparisonTable(trips(102)), 'rtt-idle: UDP median').at(-1), 'yes');
  assert.equal(rowOf(comparisonTable(trips(110)), 'rtt-idle: UDP median').at(-1), 'no: 0.91');
});

test('a loss where the other build lost nothing is worse, and none is as good', () => {
  const losses = (own: number): Results =>
    results([...series('etherws', 'packetLossBelow', [own]), ...series('etherws-other', 'packetLossBelow', [0])]);
  assert.equal(rowOf(comparisonTable(losses(0)), 'lost at half').at(-1), 'yes');
  assert.equal(rowOf(comparisonTable(losses(0.1)), 'lost at half').at(-1), 'no: 0.00');
});

test('a figure without a target is shown and not judged', () => {
  const tails = [...series('etherws', 'rttIdleP99', [300]), ...series('etherws-other', 'rttIdleP99', [100])];
  assert.equal(rowOf(comparisonTable(results(tails)), 'rtt-idle: UDP p99').at(-1), '');
});

test('without another build there is nothing to compare', () => {
  assert.equal(comparisonTable(results(series('etherws', 'oneFlowUp', [1]))), undefined);
});
