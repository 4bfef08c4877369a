import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { describeLosses } from '../support/cluster/oracle.ts';
import { openClusterLab } from '../support/cluster-lab.ts';

/** Longer than the lease of a node and the grace of a mesh tunnel together. */
const STOPPED_MS = 12_000;

test('clocks apart by an hour, and a node that was stopped for longer than its lease and comes back with old knowledge', async (t) => {
  const lab = await openClusterLab(t, { hasSecret: true, clocks: ['+1h', undefined, '-1h'] }, 'faketime');
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  await lab.addClient(11, 1);
  await lab.addClient(13, 3, 2);
  await lab.startStations();
  const { oracle } = lab;
  const begin = await oracle.steady('with clocks apart');
  // Longer than a lease: no clock but the own one judges an announcement.
  await delay(STOPPED_MS / 2);
  const quiet = await oracle.settled('with clocks apart, later');
  assert.equal(describeLosses(await oracle.losses(begin, quiet)), '');

  const r3 = lab.node(3);
  r3.signal('SIGSTOP');
  await delay(STOPPED_MS / 2);
  // r3 still has station 3 at its own port, and station 1 at r1.
  await lab.moveStation(3, 1);
  await lab.moveStation(1, 2);
  await delay(STOPPED_MS / 2);
  const alone = await oracle.steady('while r3 is stopped');
  r3.signal('SIGCONT');
  await lab.whole();
  const back = await oracle.settled('with r3 again');
  const losses = await oracle.losses(alone, back);
  t.diagnostic(`lost while r3 came back: ${describeLosses(losses)}`);
  // The client has left r3 meanwhile, so nothing needs r3.
  assert.equal(describeLosses(losses), '');
});
