import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshLab, stationFrame } from '../../../test/support/mesh-lab.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { encodeMeshFrame } from '../../wire/mesh/mesh-frame.ts';

const KIND = 200;

/** What each node has heard of this kind: sender and payload. */
function listen(lab: MeshLab): string[][] {
  return lab.nodes.map(({ mesh }) => {
    const heard: string[] = [];
    mesh.join({
      messageReceived: (kind, node, payload) =>
        heard.push(kind === KIND ? `${node} ${Buffer.from(payload).toString()}` : `${node} of kind ${kind}`),
    });
    return heard;
  });
}

test('a message reaches one node or all, also by a port that discards', () => {
  const lab = new MeshLab('abc');
  const heard = listen(lab);
  const [a] = lab.nodes;
  assert.deepEqual([...(a?.mesh.nodes() ?? [])], ['b', 'c']);
  assert.equal(a?.mesh.send(KIND, Buffer.from('all')), true);
  assert.equal(a?.mesh.send(KIND, Buffer.from('one'), 'c'), true);
  assert.equal(a?.mesh.send(KIND, Buffer.from('none'), 'x'), false);
  lab.pass(10);
  assert.deepEqual(heard, [[], ['a all'], ['a all', 'a one']]);
  const link = lab.link('a', 'b');
  lab.node('b').bridge.setStpState(link.ports[1], 'discarding');
  a?.mesh.send(KIND, Buffer.from('more'), 'b');
  lab.pass(10);
  assert.deepEqual(heard[1], ['a all', 'a more']);
});

test('a station cannot speak for a node: its frames of the mesh are discards', () => {
  const lab = new MeshLab('ab');
  const heard = listen(lab);
  const { memory, port } = lab.node('a').addStations();
  memory.deliver(encodeMeshFrame(2 as MacAddress, { kind: KIND, payload: Buffer.from('lie') }));
  lab.pass(10);
  assert.deepEqual(heard, [[], []]);
  assert.equal(port.rx.discards.reserved, 1);
  memory.deliver(stationFrame(0xffff_ffff_ffff, 0x0200_0000_0001));
  assert.equal(lab.link('a', 'b').ports[0].tx.frames >= 1, true);
});

test('nodes come and go with their links', () => {
  const lab = new MeshLab('abc');
  const { mesh } = lab.node('a');
  const seen: string[] = [];
  mesh.join({ nodesChanged: () => seen.push([...mesh.nodes()].join()) });
  const link = lab.link('a', 'b');
  link.cut();
  link.join();
  lab.node('a').bridge.setShut(link.ports[0], true);
  mesh.portChanged(link.ports[0]);
  assert.deepEqual(seen, ['c', 'c,b', 'c']);
});
