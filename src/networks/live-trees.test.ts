import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock, TableReader } from '../../test/support/live-lab.ts';
import { LiveSource } from '../control/live/live-source.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';
import { RunningSwitch } from './switch-control.ts';

const PORTS = 1000;
const MOST_OCTETS = 1000;

test('a change of one port in a spanning tree of 1000 is told without the others', async (t) => {
  const target = new Switch();
  t.after(() => target.close());
  target.configureNetwork('default', { stp: 'on' });
  for (let at = 0; at < PORTS; at++) target.attach(new MemoryPort());
  const clock = new HandClock();
  const live = new LiveSource(
    new RunningSwitch(target, () => Promise.reject(new Error('not asked for'))),
    SILENT,
    clock,
  );
  const readers = (['trees', 'treePorts'] as const).map((table) => {
    const reader = new TableReader(table);
    live.observe(table, { sink: reader, intervalMs: 1000, mayRead: () => true });
    return reader;
  });
  await clock.pass(1000);
  const [trees, ports] = readers as [TableReader, TableReader];
  assert.deepEqual([trees.table.rows.size, ports.table.rows.size], [1, PORTS]);
  for (const reader of readers) reader.pieces.length = 0;

  target.administration.setValues(7, { pathCost: 12_345 });
  await clock.pass(1000);
  assert.deepEqual(trees.pieces, []);
  assert.deepEqual(ports.pieces, [{ table: 'treePorts', change: [['default|7', { cost: 12_345 }]], done: true }]);
  target.administration.setShut(7, true);
  await clock.pass(1000);
  const octets = JSON.stringify([...trees.pieces, ...ports.pieces]).length;
  assert.ok(octets < MOST_OCTETS, `${octets} octets`);
});
