import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Leaks } from './leaks.ts';
import type { Sample } from './site.ts';

const MIB = 1024 * 1024;

/** @returns what is said of a switch that held this, one after the other */
function judge(samples: readonly Sample[]): string[] {
  const leaks = new Leaks();
  let next = 0;
  const site = { name: 'relay', sample: () => samples[next++] as Sample };
  for (const _ of samples) leaks.sample([site]);
  return leaks.judge();
}

function samples(count: number, of: (index: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    pid: 1,
    descriptors: 30,
    residentBytes: 70 * MIB,
    ...of(index),
  }));
}

test('memory that goes up and down is no leak, one that only goes up is', () => {
  assert.deepEqual(judge(samples(40, (index) => ({ residentBytes: (70 + (index % 5) * 10) * MIB }))), []);
  assert.deepEqual(judge(samples(40, (index) => ({ residentBytes: (70 + index * 2) * MIB }))), [
    'relay grew by 52 MiB behind 26 faults',
  ]);
});

test('descriptors are as many in the end as in the beginning', () => {
  assert.deepEqual(judge(samples(20, (index) => ({ descriptors: index === 10 ? 90 : 30 }))), []);
  assert.deepEqual(judge(samples(20, (index) => ({ descriptors: 30 + index }))), [
    'relay has 49 descriptors, and had 30',
  ]);
});

test('a process that was started again begins anew', () => {
  const killed = samples(30, (index) => ({ pid: index < 15 ? 1 : 2, descriptors: index < 15 ? 30 : 60 }));
  assert.deepEqual(judge(killed), []);
});
