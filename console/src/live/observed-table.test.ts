import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObservedTable } from './observed-table.ts';

interface Port {
  readonly port: number;
  readonly tx: number;
}

const tableOf = (...ports: Port[]): ObservedTable<Port> => {
  const table = new ObservedTable<Port>('ports');
  table.apply({ table: 'ports', reset: true, put: ports as never, done: true });
  return table;
};

test('a snapshot comes in pieces, and is complete with the last one', () => {
  const table = new ObservedTable<Port>('ports');
  table.apply({ table: 'ports', reset: true, put: [{ port: 1, tx: 0 }] });
  assert.deepEqual([table.rows.size, table.isComplete.value], [1, false], 'what is there is shown');
  table.apply({ table: 'ports', put: [{ port: 2, tx: 0 }], done: true });
  assert.deepEqual([[...table.rows.keys()], table.isComplete.value], [['1', '2'], true]);
});

test('differences make new entries of those that changed, and leave the others as they are', () => {
  const table = tableOf({ port: 1, tx: 0 }, { port: 2, tx: 0 }, { port: 3, tx: 0 });
  const [one, two] = [table.rows.get('1'), table.rows.get('2')];
  table.apply({ table: 'ports', change: [['1', { tx: 9 }]], drop: ['3'], put: [{ port: 4, tx: 1 }], done: true });
  assert.deepEqual(
    [...table.rows.values()].map(({ port, tx }) => [port, tx]),
    [
      [1, 9],
      [2, 0],
      [4, 1],
    ],
  );
  assert.deepEqual(one, { port: 1, tx: 0 }, 'the old entry is untouched');
  assert.equal(table.rows.get('2'), two);
});

test('a later snapshot replaces the rows at once when it is complete, so that the page is never empty', () => {
  const table = tableOf({ port: 1, tx: 0 }, { port: 2, tx: 0 });
  table.apply({ table: 'ports', reset: true, put: [{ port: 2, tx: 5 }] });
  assert.deepEqual([...table.rows.keys()], ['1', '2']);
  table.apply({ table: 'ports', put: [{ port: 3, tx: 5 }], done: true });
  assert.deepEqual(
    [...table.rows.values()],
    [
      { port: 2, tx: 5 },
      { port: 3, tx: 5 },
    ],
  );
});

test('the keys of tables are made of the members that identify an entry', () => {
  const table = new ObservedTable<object>('stations');
  const station = { network: 'lab', vid: 10, mac: '02:00:00:00:00:01', age: 0 };
  table.apply({ table: 'stations', reset: true, put: [station], done: true });
  assert.deepEqual([...table.rows.keys()], ['lab|10|02:00:00:00:00:01']);
});
