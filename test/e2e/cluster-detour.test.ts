import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TUNNEL_PORT } from '../support/cluster/node.ts';
import { describeLosses } from '../support/cluster/oracle.ts';
import { openClusterLab } from '../support/cluster-lab.ts';

test('a pair of nodes that cannot reach each other is joined by a third one, and directly as soon as it can', async (t) => {
  const lab = await openClusterLab(t);
  if (lab === undefined) return;
  const { oracle, underlay } = lab;
  const [one, two] = [lab.site(1).host, lab.site(2).host];
  // The servers of the store still reach each other: only tunnels are cut.
  await underlay.cut([one], [two], TUNNEL_PORT);
  await lab.startNodes();
  await lab.startStations();
  await oracle.settled('from the start');
  const begin = await oracle.steady('by the third node');
  const carried = await oracle.settled('by the third node, later');
  assert.equal(describeLosses(await oracle.losses(begin, carried)), '', 'a detour loses nothing');

  await underlay.join();
  await lab.whole();
  const direct = await oracle.steady('directly');
  await underlay.cut([one], [two], TUNNEL_PORT);
  const again = await oracle.settled('by the third node again');
  const third = (await oracle.losses(direct, again)).filter(({ from, to }) => from === 3 || to === 3);
  assert.equal(describeLosses(third), '', 'the third node is reached all the time');
});
