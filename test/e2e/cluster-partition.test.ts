import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PROMISED, patiently } from '../support/cluster/bounds.ts';
import { describeLosses, nowMs } from '../support/cluster/oracle.ts';
import { openClusterLab } from '../support/cluster-lab.ts';

/** Longer than a mesh tunnel needs to notice, and than a lease. */
const CUT_MS = 8000;

test('a cluster that is cut in two is one LAN again behind the join, without a loop or a station that is stuck', async (t) => {
  const lab = await openClusterLab(t, { hasSecret: true });
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  await lab.addClient(11, 1);
  await lab.startStations();
  const { oracle, underlay } = lab;
  await oracle.settled('at first');
  const one = lab.site(1).host;
  const others = [lab.site(2).host, lab.site(3).host];

  const rejoin = async (what: string): Promise<void> => {
    const begin = await oracle.mark();
    const joined = nowMs();
    await underlay.join();
    const end = await oracle.settled(what);
    const losses = await oracle.losses(begin, end);
    const backMs = Math.max(0, ...losses.map((loss) => loss.backMs - joined));
    t.diagnostic(`${what}: one LAN after ${backMs.toFixed(0)} ms`);
    assert.ok(backMs < patiently(PROMISED.joinedMs), `${what}: ${backMs} ms; ${describeLosses(losses)}`);
  };

  await underlay.cut([one], others);
  const cut = await oracle.mark();
  await delay(CUT_MS);
  const apart = await oracle.losses(cut, await oracle.mark());
  assert.ok(
    apart.some(({ from, to }) => from === 1 && to === 2),
    'the cut cuts',
  );
  await rejoin('joined');

  await t.test('stations that have moved across the cut, both ways', async () => {
    await underlay.cut([one], others);
    await delay(CUT_MS / 2);
    // Each side still knows the one that has left it.
    await lab.moveStation(1, 3);
    await lab.moveStation(3, 1);
    await delay(CUT_MS / 2);
    await rejoin('joined behind moves');
  });

  await t.test('one direction of a pair', async () => {
    await underlay.cutOneWay(one, lab.site(2).host);
    await delay(CUT_MS);
    await oracle.settled('by a third node');
    await rejoin('joined behind a cut of one direction');
  });
});
