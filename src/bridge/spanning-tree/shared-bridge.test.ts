import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../test/support/random.ts';
import { differences, findLoop } from '../../../test/support/tree-oracle.ts';
import { type VirtualBridge, VirtualLan, type VirtualPort } from '../../../test/support/virtual-lan.ts';
import { VirtualMesh, type VirtualNode } from '../../../test/support/virtual-mesh.ts';
import { decodeTreeReport, type TreeReport } from '../../wire/bpdu/tree-report.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';

const MESH = 0x0200_0000_0fff as MacAddress;
const SITE = 0x0200_0000_0001 as MacAddress;

interface Lab {
  readonly lan: VirtualLan;
  readonly mesh: VirtualMesh;
  readonly nodes: readonly [VirtualNode, VirtualNode];
  readonly site: VirtualBridge;
}

/** A bridge that is joined to both nodes of a mesh. */
function open(isSiteRoot: boolean, seed = 1): Lab {
  const lan = new VirtualLan(new Random(seed));
  const mesh = new VirtualMesh(lan, { address: MESH, priority: isSiteRoot ? 32_768 : 4096 }, 2);
  const site = lan.addBridge({ address: SITE, priority: isSiteRoot ? 4096 : 32_768 });
  for (const [at, node] of mesh.nodes.entries()) {
    node.addPort(lan.segment(`up ${at}`));
    site.addPort(lan.segment(`up ${at}`));
  }
  lan.run(60_000);
  assert.deepEqual(differences(lan), []);
  return { lan, mesh, nodes: mesh.nodes as never, site };
}

function statesOf({ ports }: VirtualBridge): string {
  return ports.map(({ state }) => state).join(' ');
}

function setLink({ lan }: Lab, name: string, isUp: boolean): void {
  for (const { bridge, port } of lan.segment(name).members) bridge.setUp(port, isUp);
}

for (const isSiteRoot of [true, false]) {
  const root = isSiteRoot ? 'the site' : 'the mesh';
  test(`${root} is the root: when either way to the site is lost, the other one takes over within 1 s, without a loop`, () => {
    const lab = open(isSiteRoot);
    const { lan, nodes, site } = lab;
    lan.stateChanged = () => assert.equal(findLoop(lan), undefined, `at ${lan.nowMs} ms`);
    for (const lost of [0, 1]) {
      setLink(lab, `up ${lost}`, false);
      lan.run(1000);
      assert.equal(nodes[1 - lost]?.ports[0]?.state, 'forwarding');
      assert.equal(site.ports[1 - lost]?.state, 'forwarding');
      setLink(lab, `up ${lost}`, true);
      lan.run(60_000);
      assert.deepEqual(differences(lan), []);
    }
  });

  test(`${root} is the root: cut in two and joined again, the mesh has no loop at any time`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { lan, mesh, nodes } = open(isSiteRoot, seed);
      lan.stateChanged = () => assert.equal(findLoop(lan), undefined, `seed ${seed}, at ${lan.nowMs} ms`);
      mesh.setLink(nodes[0], nodes[1], false);
      lan.run(60_000);
      // By the site, which is nearer to the root, both parts are one LAN; otherwise it blocks one of its ways.
      assert.deepEqual(nodes.map(statesOf), ['forwarding', 'forwarding']);
      mesh.setLink(nodes[0], nodes[1], true);
      lan.run(1000);
      assert.deepEqual([...nodes[0].openNodes()], [nodes[1]]);
      lan.run(59_000);
      assert.deepEqual(differences(lan), []);
    }
  });
}

test('a segment without a bridge that joins both parts of a cut mesh is blocked at one of them', () => {
  const lan = new VirtualLan(new Random(1));
  const mesh = new VirtualMesh(lan, { address: MESH }, 2);
  for (const node of mesh.nodes) node.addPort(lan.segment('hub'));
  const [one, two] = mesh.nodes as [VirtualNode, VirtualNode];
  mesh.setLink(one, two, false);
  lan.run(60_000);
  assert.deepEqual([one, two].map(statesOf), ['forwarding', 'discarding']);
  assert.equal(two.tree.ports.get(1)?.role, 'backup');
});

test('while the other node does not answer, the root port waits for forward delay, and agrees to nothing', () => {
  const lab = open(true);
  const { lan, mesh, nodes } = lab;
  mesh.conditions.lossOneIn = 1;
  setLink(lab, 'up 0', false);
  lan.run(1000);
  // The node that lost its way knows it, but cannot tell; the other one does not know.
  assert.deepEqual(nodes.map(statesOf), ['discarding', 'discarding']);
  mesh.conditions.lossOneIn = 0;
  lan.run(2000);
  assert.equal(nodes[1].ports[0]?.state, 'forwarding');
});

test('a topology change at one node reaches the neighbours of the others', () => {
  const lab = open(false);
  const { lan, nodes } = lab;
  const far = lan.addBridge({ address: 0x0200_0000_0002 as MacAddress });
  nodes[1].addPort(lan.segment('far'));
  far.addPort(lan.segment('far'));
  lan.run(60_000);
  const before = far.events.filter(({ kind }) => kind === 'topologyChange').length;
  const other = lan.addBridge({ address: 0x0200_0000_0003 as MacAddress });
  nodes[0].addPort(lan.segment('other'));
  other.addPort(lan.segment('other'));
  lan.run(10_000);
  assert.ok(far.events.filter(({ kind }) => kind === 'topologyChange').length > before);
});

test('the root port of a node agrees to nothing before the other node has synchronized its ports', () => {
  const lan = new VirtualLan(new Random(1));
  const mesh = new VirtualMesh(lan, { address: MESH, priority: 32_768 }, 2);
  const [one, two] = mesh.nodes as [VirtualNode, VirtualNode];
  // A neighbour that cannot agree, so that the port towards it is not synchronized while it forwards.
  const far = lan.addBridge({ address: 0x0200_0000_0002 as MacAddress, priority: 61_440, forceVersion: 'stp' });
  two.addPort(lan.segment('far'));
  far.addPort(lan.segment('far'));
  lan.run(60_000);
  assert.equal(two.ports[0]?.state, 'forwarding');
  mesh.conditions.lossOneIn = 1;
  const site = lan.addBridge({ address: SITE, priority: 4096 });
  one.addPort(lan.segment('up'));
  site.addPort(lan.segment('up'));
  lan.run(2000);
  assert.deepEqual([one.tree.ports.get(1)?.role, statesOf(site), statesOf(two)], ['root', 'discarding', 'forwarding']);
  mesh.conditions.lossOneIn = 0;
  lan.run(4000);
  assert.deepEqual([statesOf(site), statesOf(two)], ['forwarding', 'discarding']);
  lan.run(60_000);
  assert.deepEqual(differences(lan), []);
});

test('a new root port waits for its timers while the former one is at a node that does not answer', () => {
  const lab = open(true);
  const { lan, mesh, nodes } = lab;
  setLink(lab, 'up 0', false);
  lan.run(60_000);
  assert.equal(nodes[1].tree.ports.get(1)?.role, 'root');
  mesh.conditions.lossOneIn = 1;
  setLink(lab, 'up 0', true);
  lan.run(4000);
  assert.equal(nodes[0].tree.ports.get(1)?.role, 'root');
  assert.deepEqual(nodes.map(statesOf), ['discarding', 'forwarding']);
  mesh.conditions.lossOneIn = 0;
  lan.run(4000);
  assert.deepEqual(nodes.map(statesOf), ['forwarding', 'discarding']);
});

test('nodes that find each other with another root forward nothing by what the former one said', () => {
  const lab = open(true);
  const { lan, mesh, nodes } = lab;
  const far = lan.addBridge({ address: 0x0200_0000_0002 as MacAddress, priority: 61_440, forceVersion: 'stp' });
  nodes[1].addPort(lan.segment('far'));
  far.addPort(lan.segment('far'));
  // So that what the far port says changes with the root port.
  nodes[1].configure(nodes[1].ports[0] as VirtualPort, { pathCost: 40_000 });
  mesh.setLink(nodes[0], nodes[1], false);
  lan.run(60_000);
  assert.deepEqual(nodes.map(statesOf), ['forwarding', 'forwarding forwarding']);
  const demanded = new Set<string>();
  const { send } = mesh;
  mesh.send = (from, to, report) => {
    const { syncs, reRoots } = decodeTreeReport(report) as TreeReport;
    if (from === nodes[1]) demanded.add(`${syncs} ${reRoots}`);
    send.call(mesh, from, to, report);
  };
  mesh.setLink(nodes[0], nodes[1], true);
  lan.run(1000);
  const [before, after] = [...demanded].map((counts) => counts.split(' ').map(Number));
  assert.equal(demanded.size, 2, 'other nodes are told once, too');
  assert.deepEqual(
    after,
    before?.map((count) => count + 1),
  );
  assert.deepEqual(nodes.map(statesOf), ['forwarding', 'discarding discarding']);
  lan.run(60_000);
  assert.deepEqual(nodes.map(statesOf), ['forwarding', 'discarding forwarding']);
  assert.deepEqual(differences(lan), []);
});
