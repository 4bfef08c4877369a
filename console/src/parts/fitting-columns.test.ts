import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fittingColumns } from './fitting-columns.ts';

const COLUMNS = [
  { id: 'port', width: '5rem' },
  { id: 'network', width: '100px', rank: 2 },
  { id: 'name', width: 'minmax(10rem, 1fr)' },
  { id: 'vlans', width: '100px', rank: 2 },
  { id: 'sends', width: '100px', rank: 1 },
];

const idsAt = (widthPx: number): string =>
  fittingColumns(COLUMNS, widthPx)
    .map(({ id }) => id)
    .join(' ');

test('columns of the highest rank go first, the last of them before others; those without a rank stay', () => {
  // 80 + 100 + 160 + 100 + 100, four gaps of 12 and a padding of 32
  assert.equal(idsAt(620), 'port network name vlans sends');
  assert.equal(idsAt(619), 'port network name sends');
  assert.equal(idsAt(500), 'port name sends');
  assert.equal(idsAt(300), 'port name');
  assert.equal(idsAt(10), 'port name');
});

test('a column that wants more room gets it from those with a rank, and shrinks only when they are gone', () => {
  const columns = [
    { id: 'time', width: '4rem' },
    { id: 'sentence', width: 'minmax(8rem, 1fr)', wants: '20rem' },
    { id: 'kind', width: '100px', rank: 1 },
  ];
  // 64 + 320 + 100, two gaps of 12 and a padding of 32
  assert.equal(fittingColumns(columns, 540).length, 3);
  assert.deepEqual(
    fittingColumns(columns, 539).map(({ id }) => id),
    ['time', 'sentence'],
  );
});
