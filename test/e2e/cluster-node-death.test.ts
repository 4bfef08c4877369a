import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROMISED, patiently } from '../support/cluster/bounds.ts';
import type { ClusterNode } from '../support/cluster/node.ts';
import { describeLosses, longestOf, nowMs } from '../support/cluster/oracle.ts';
import { macOfStation } from '../support/cluster/station.ts';
import { addressOf, openClusterLab } from '../support/cluster-lab.ts';
import { PingStream } from '../support/ping-stream.ts';

/** Frames may be lost in each fault only between the stations whose way it cuts. */
const AT_R1 = [1, 11];

test('kill -9 of a node: its clients are back at another one, its stations are gone, and no other frame is lost', async (t) => {
  const lab = await openClusterLab(t);
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  const client = await lab.addClient(11, 1, 2, 3);
  await lab.addClient(12, 2, 3, 1);
  await lab.startStations();
  const { oracle } = lab;
  await oracle.settled('at first');
  const [r1, r2, r3] = [lab.node(1), lab.node(2), lab.node(3)];
  const pings = new PingStream(client.host, addressOf(3));
  t.after(() => pings.end());
  await pings.answered();
  for (const node of [r2, r3]) await node.knows(macOfStation(1));

  const begin = await oracle.steady('before');
  const killed = nowMs();
  await r1.kill();
  const goneMs = async (node: ClusterNode): Promise<number> => {
    await node.knows(macOfStation(1), false);
    return nowMs() - killed;
  };
  const [answeredMs, ...gone] = await Promise.all([pings.answered(), goneMs(r2), goneMs(r3)]);
  const alone = oracle.stations.findIndex(({ id }) => id === 1);
  const [first] = oracle.stations.splice(alone, 1);
  const end = await oracle.settled('without r1');
  const losses = await oracle.losses(begin, end);
  const found = `pings of the client after ${answeredMs.toFixed(0)} ms, stations gone after ${gone.map(Math.round).join(' and ')} ms`;
  t.diagnostic(`${found}; lost: ${describeLosses(losses)}`);
  assert.deepEqual(
    losses.filter(({ from, to }) => !AT_R1.includes(from) && !AT_R1.includes(to)),
    [],
  );
  assert.ok(longestOf(losses) < patiently(PROMISED.clientBackMs), describeLosses(losses));
  assert.ok(Math.max(...gone) < patiently(PROMISED.stationsGoneMs), found);

  await r1.start();
  await lab.whole();
  assert.ok(first !== undefined);
  oracle.stations.push(first);
  await oracle.settled('with r1 again');
});
