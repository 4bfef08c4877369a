import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FdbEntry } from '../../control/schema.ts';
import { UsageError } from '../usage-error.ts';
import { selected } from './selection.ts';
import { ALL_FDB_COLUMNS } from './tables.ts';

function entry(port: number, vid: number, age: number, movedFrom: number | null = null): FdbEntry {
  const mac = `02:00:00:00:00:${age.toString(16).padStart(2, '0')}`;
  const portName = port === 2 ? 'uplink' : null;
  const rest = { moves: 0, movedFrom, flapping: false, portName, network: 'default', kind: 'learned' } as const;
  return { port, vid, mac, age, ...rest };
}

const ENTRIES = [entry(2, 1, 9), entry(10, 1, 100), entry(2, 0, 30, 7), entry(1, 1, 9)];

function ages(options: Parameters<typeof selected>[2]): string {
  return selected(ENTRIES, ALL_FDB_COLUMNS, options)
    .map(({ port, age }) => `${port}:${age}`)
    .join(' ');
}

test('rows are filtered by the cells of any column and sorted by several, numbers by their value', () => {
  for (const [options, expected] of [
    [{}, '2:9 10:100 2:30 1:9'],
    [{ sort: 'port' }, '1:9 2:9 2:30 10:100'],
    [{ sort: '-age,port' }, '10:100 2:30 1:9 2:9'],
    [{ sort: 'VLAN,-Port' }, '2:30 10:100 2:9 1:9'],
    [{ sort: 'name,age' }, '1:9 10:100 2:9 2:30'],
    [{ filter: ['name=uplink'] }, '2:9 2:30'],
    [{ filter: ['Port=2', 'vlan=0'] }, '2:30'],
    [{ filter: ['mac=02:00:00:00:00:09'], sort: '-port' }, '2:9 1:9'],
    [{ filter: ['from=7'] }, '2:30'],
    [{ filter: ['port=3'] }, ''],
  ] as const) {
    assert.equal(ages(options), expected, JSON.stringify(options));
  }
  assert.deepEqual(ENTRIES[0], entry(2, 1, 9), 'the entries themselves stay as they are');
});

test('a column that is not there is answered with the one that was meant', () => {
  for (const [options, message, hint] of [
    [{ sort: 'prot' }, "--sort: there is no column 'prot'", 'Did you mean port?'],
    [{ filter: ['colour=red'] }, "--filter: there is no column 'colour'", 'There are port, vlan, mac, '],
    [{ filter: ['port'] }, "--filter: 'port' is not COLUMN=VALUE", 'Write it as state=up'],
  ] as const) {
    assert.throws(
      () => selected([], ALL_FDB_COLUMNS, options),
      (error: UsageError) => error instanceof UsageError && error.message === message && !!error.hint?.startsWith(hint),
    );
  }
});
