import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshLab } from '../support/mesh-lab.ts';

test('a timer of a node in a lab ends at its time, also if a second begins before', () => {
  const lab = new MeshLab('ab');
  const startMs = lab.nowMs + 5000;
  const [one, other] = lab.nodes.map((node) => {
    const ticks: number[] = [];
    node.mesh.tick = (nowMs) => void ticks.push(nowMs - startMs);
    return { node, ticks };
  });
  assert.ok(one !== undefined && other !== undefined);
  // What the nodes have asked for at their start is over then.
  lab.pass(5000);
  for (const { ticks } of [one, other]) ticks.length = 0;
  lab.pass(100);
  one.node.wakeBy(startMs + 1700);
  one.node.wakeBy(startMs + 400);
  lab.pass(500);
  one.node.wakeBy(startMs + 1700);
  other.node.wakeBy(startMs + 1200);
  lab.pass(2400);
  assert.deepEqual(one.ticks, [400, 1000, 1700, 2000, 3000]);
  assert.deepEqual(other.ticks, [1000, 1200, 2000, 3000]);
});
