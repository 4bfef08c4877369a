import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { OtherNodes } from './other-nodes.ts';

const node = (name: string, more: Partial<NodeAnnouncement> = {}): NodeAnnouncement =>
  ({
    ...{ node: name, url: `wss://${name}.example/`, isDraining: false },
    load: { tunnels: 1, mostTunnels: 100, loopDelayMs: 0 },
    ...more,
  }) as NodeAnnouncement;

test('clients are told once of changes that come together, and of a node that is full within 5 s', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  let others: NodeAnnouncement[] = [];
  let changed: () => void = () => undefined;
  let told = 0;
  const cluster = {
    others: () => others,
    onChange: (listener: () => void) => {
      changed = listener;
      return () => {
        changed = () => undefined;
      };
    },
  };
  const nodes = new OtherNodes(cluster, () => void told++);
  t.after(() => nodes.close());
  others = [node('r2')];
  changed();
  others = [node('r3'), node('r2')];
  changed();
  t.mock.timers.tick(249);
  assert.deepEqual([told, nodes.urlsFor(undefined)], [0, []]);
  t.mock.timers.tick(1);
  assert.deepEqual([told, nodes.urlsFor(undefined)], [1, ['wss://r2.example/', 'wss://r3.example/']]);
  assert.deepEqual(nodes.urlsFor('lab'), ['wss://r2.example/lab', 'wss://r3.example/lab']);
  assert.deepEqual(nodes.urlsFor('../x'), [], 'nothing of a client that cannot be in a URL');
  changed();
  t.mock.timers.tick(250);
  assert.equal(told, 1, 'no news');
  others = [node('r2', { load: { tunnels: 100, mostTunnels: 100, loopDelayMs: 0 } }), node('r3')];
  t.mock.timers.tick(5000);
  assert.deepEqual([told, nodes.urlsFor(undefined)], [2, ['wss://r3.example/']]);
  nodes.close();
  others = [];
  changed();
  t.mock.timers.tick(10_000);
  assert.equal(told, 2);
});
