import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outageMs } from '../support/cluster/bounds.ts';
import { describeLosses } from '../support/cluster/oracle.ts';
import { openClusterLab } from '../support/cluster-lab.ts';

test('kill -9 of each NATS server, and of all of them: no frame between standing nodes is lost, or comes twice', async (t) => {
  const lab = await openClusterLab(t, { hasSecret: true });
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  await lab.addClient(11, 1, 2, 3);
  await lab.startStations();
  const { oracle } = lab;
  const begin = await oracle.steady('at first');
  for (const server of lab.servers) {
    await server.kill();
    await oracle.settled(`without ${server.name}`);
    server.start();
    await server.healthy();
  }
  const each = await oracle.settled('with all servers again');
  assert.equal(describeLosses(await oracle.losses(begin, each)), '', 'one server at a time');

  await Promise.all(lab.servers.map((server) => server.kill()));
  await delay(outageMs());
  const dead = await oracle.settled('without the store');
  assert.equal(describeLosses(await oracle.losses(each, dead)), '', 'all servers at once');
  // Without the store a client can dial, and a station can move.
  const late = await lab.addClient(12, 2);
  assert.equal((await late.host.run(['ping', '-c', '3', '-i', '0.2', '-W', '5', '192.0.2.3'])).status, 0);
  await lab.moveStation(3, 1);
  const moved = await oracle.steady('moved without the store');

  for (const server of lab.servers) server.start();
  await Promise.all(lab.servers.map((server) => server.healthy()));
  const end = await oracle.settled('with the store again');
  assert.equal(describeLosses(await oracle.losses(moved, end)), '', 'when the servers come back');
});
