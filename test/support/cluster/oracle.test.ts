import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLab } from '../lab-test.ts';
import { describeLosses, Oracle } from './oracle.ts';
import { macOfStation, Station } from './station.ts';

/** Each way of a faulty cable, by nft's hook at the device. */
const FAULT = 'nft add table netdev t; nft add chain netdev t c';
const HOOK = '{ type filter hook ingress device eth0 priority 0; }';
/** Sends one frame of another incarnation of station 1 twice. */
const TWICE = `
import socket, struct
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(('eth0', 0))
frame = b'\\xff' * 6 + bytes([2, 0, 0, 0, 1, 1]) + struct.pack('>HBBBBIQ', 0x88b5, 1, 0, 0, 9, 7, 0) + bytes(30)
for _ in range(2): link.send(frame)
`;

test('the oracle of frames finds what is lost and what comes twice, and only that', async (t) => {
  const lab = await openLab(t, 'python3', 'nft');
  if (lab === undefined) return;
  const [left, right] = [await lab.host('left'), await lab.host('right')];
  await lab.link({ host: left, device: 'eth0', addresses: [] }, { host: right, device: 'eth0', addresses: [] });
  for (const [host, id] of [
    [left, 1],
    [right, 2],
  ] as const) {
    await host.check(['ip', 'link', 'set', 'eth0', 'address', macOfStation(id)]);
  }
  const stations = [new Station(left, 'eth0', 1, [1, 2, 3], 10), new Station(right, 'eth0', 2, [1, 2], 10)];
  await Promise.all(stations.map((station) => station.ready()));
  const oracle = new Oracle(stations);
  const begin = await oracle.steady('at first');

  const quiet = await oracle.settled('without a fault');
  assert.equal(describeLosses(await oracle.losses(begin, quiet)), '');
  assert.ok((await oracle.strays()) > 0, 'frames for station 3 come to station 2');

  await right.check(['bash', '-c', `${FAULT} '${HOOK}'; nft add rule netdev t c drop`]);
  const cut = await oracle.mark();
  await assert.rejects(oracle.settled('while it is cut', 300), /while it is cut/);
  await right.check(['nft', 'flush chain netdev t c']);
  const joined = await oracle.settled('when it is joined');
  const losses = await oracle.losses(cut, joined);
  assert.deepEqual(
    losses.map(({ from, to, kind }) => `${kind} ${from} ${to}`),
    ['broadcast 1 2', 'multicast 1 2', 'unicast 1 2'],
  );
  for (const { frames, longestMs } of losses) {
    assert.ok(frames > 10 && longestMs >= 10 * frames && longestMs < 10_000, describeLosses(losses));
  }

  await left.check(['python3', '-c', TWICE]);
  await assert.rejects(oracle.settled('with a duplicate'), /with a duplicate: twice at 2/);
});
