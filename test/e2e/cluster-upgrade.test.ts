import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROMISED, patiently } from '../support/cluster/bounds.ts';
import { describeLosses, longestOf } from '../support/cluster/oracle.ts';
import { addressOf, openClusterLab } from '../support/cluster-lab.ts';
import { PingStream } from '../support/ping-stream.ts';

test('a rolling restart of all nodes under traffic: stations of the standing nodes lose nothing, clients at most the time of a dial', async (t) => {
  const lab = await openClusterLab(t);
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  const [first, second] = [await lab.addClient(11, 1, 2, 3), await lab.addClient(12, 3, 2, 1)];
  await lab.startStations();
  const { oracle } = lab;
  const pings = new PingStream(first.host, addressOf(second.id));
  t.after(() => pings.end());
  await pings.answered();

  for (const { number, node } of lab.sites) {
    const begin = await oracle.steady(`before ${node.name}`);
    await node.kill('SIGTERM');
    await node.start();
    await lab.whole();
    const end = await oracle.settled(`with ${node.name} again`);
    const losses = await oracle.losses(begin, end);
    // The station at its own cable has no other way while the node is away.
    const others = losses.filter(({ from, to }) => from !== number && to !== number);
    t.diagnostic(`${node.name}: ${describeLosses(others)}`);
    const standing = others.filter(({ from, to }) => from < 10 && to < 10);
    assert.equal(describeLosses(standing), '', `between the other nodes while ${node.name} was restarted`);
    assert.ok(longestOf(others) < patiently(PROMISED.clientBackMs), describeLosses(others));
    await pings.answered();
  }
});
