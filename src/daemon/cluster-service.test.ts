import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { MemoryHub, MemoryStore } from '../cluster/memory-store.ts';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { ClusterService } from './cluster-service.ts';

function nodeOf(t: { after: (end: () => unknown) => void }) {
  const hub = new MemoryHub();
  const [store, observer] = [new MemoryStore(hub), new MemoryStore(hub)];
  const etherSwitch = new Switch();
  const listener = {
    callerOf: () => ({ address: '192.0.2.1', tcpPort: undefined }),
    route: () => undefined,
    routeBelow: () => undefined,
  };
  const service = new ClusterService({
    ...{ config: { name: 'prod', node: 'r1', cacertsFile: undefined }, store, etherSwitch, logger: SILENT },
    keys: () => [Buffer.alloc(32)],
    url: async () => null,
    tunnels: { counters: new EndpointCounters(), listener, path: '/' },
    load: () => ({ tunnels: 0, mostTunnels: 1, loopDelayMs: 0 }),
  });
  const heard: NodeAnnouncement[] = [];
  observer.subscribe('node', (message) => void heard.push(message as NodeAnnouncement));
  t.after(() => etherSwitch.close());
  t.after(() => service.close());
  return { service, observer, heard };
}

test('changes that follow each other closely are announced together', async (t) => {
  const { service, heard } = nodeOf(t);
  await service.start();
  for (let change = 0; change < 50; change++) void service.setDraining(false);
  void service.setDraining(true);
  await until(() => heard.some(({ isDraining }) => isDraining));
  assert.equal(heard[0]?.isDraining, false, 'the first one does not wait');
  assert.ok(heard.length <= 3, `${heard.length} announcements`);
});

test('a node whose name is taken takes part again when the other one has left', async (t) => {
  const { service, observer, heard } = nodeOf(t);
  await service.start();
  await until(() => heard.length > 0);
  assert.equal(service.isNameTaken, false);
  const other: NodeAnnouncement = { ...(heard[0] as NodeAnnouncement), boot: ' lower than any other' };
  observer.publish('node', other);
  await until(() => service.isNameTaken);
  assert.equal(service.status().isNameTaken, true);
  const before = heard.length;
  observer.publish('node', { ...other, sequence: 2, isLeaving: true });
  await until(() => !service.isNameTaken);
  await until(() => heard.slice(before).some(({ boot }) => boot === service.boot));
});
