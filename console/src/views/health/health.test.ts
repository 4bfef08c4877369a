import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindingEntry } from '../../../../src/control/finding-entries.ts';
import { shownLimits } from './limits.ts';
import { Samples } from './samples.ts';
import { needed, verdictOf } from './verdict.ts';

const finding = (check: string, result: FindingEntry['result']): FindingEntry => ({
  ...{ check, result, found: 'a sentence', advice: result === 'ok' ? null : 'do it' },
});

test('limits are near from 80 % on, and those come first by how full they are; the others keep their order', () => {
  const shown = shownLimits([
    { limit: '--max-buffers', used: 1, most: 100 },
    { limit: '--fdb-size', used: 79, most: 100 },
    { limit: '--max-tunnels', used: 8, most: 10 },
    { limit: 'descriptors', used: 7, most: 5 },
    { limit: '--new-one', used: 0, most: 0 },
  ]);
  assert.deepEqual(
    shown.map(({ name, percent, state }) => [name, percent, state]),
    [
      ['Open files', 100, 'full'],
      ['--new-one', 100, 'full'],
      ['Tunnels', 80, 'near'],
      ['Octets that wait, in MiB', 1, 'good'],
      ['Addresses of stations', 79, 'good'],
    ],
  );
});

test('the verdict says how many findings need an operator, and those come first', () => {
  const findings = [finding('a', 'ok'), finding('b', 'warn'), finding('c', 'fail'), finding('d', 'warn')];
  assert.deepEqual(verdictOf(findings), { state: 'bad', sentence: '1 thing to repair, 2 to look at' });
  assert.deepEqual(
    needed(findings).map(({ check }) => check),
    ['c', 'b', 'd'],
  );
  assert.deepEqual(verdictOf(findings.slice(0, 2)), { state: 'warning', sentence: '1 thing to look at' });
  assert.equal(verdictOf([]).state, 'good');
});

test('samples are kept one a second, the last ones', () => {
  const samples = new Samples(3);
  for (const timeS of [1, 1.2, 2, 3, 4.5]) {
    samples.add({ timeS, residentBytes: timeS, heapBytes: 0, loopMaxMs: 0, loopMeanMs: 0 });
  }
  assert.deepEqual(samples.column('timeS'), [2, 3, 4.5]);
});
