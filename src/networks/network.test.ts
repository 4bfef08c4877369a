import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EventHub } from '../events/event-hub.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { portableEngine } from '../wire/offload/engine.ts';
import { Network } from './network.ts';
import type { EntityHost, NetworkEntity } from './network-entity.ts';
import { SwitchLogs, type SwitchSide } from './network-parts.ts';

interface World {
  readonly network: Network;
  /** what the entity was told */
  readonly told: string[];
  readonly host: EntityHost;
  /** Lets time pass. */
  pass(ms: number): void;
}

/** A network with one entity, which notes what it is told, on a virtual clock. */
function open(t: TestContext): World {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let clockMs = 1000;
  const told: string[] = [];
  let found: EntityHost | undefined;
  const entity: NetworkEntity = {
    configure: ({ ageout }) => told.push(`ageout ${ageout}`),
    portAdded: ({ number }) => told.push(`added ${number}`),
    portChanged: ({ number, isShut }) => told.push(`changed ${number} ${isShut}`),
    portRemoved: ({ number }) => told.push(`removed ${number}`),
    tick: () => told.push('tick'),
    close: () => told.push('close'),
  };
  const side: SwitchSide = {
    logs: new SwitchLogs(SILENT),
    events: new EventHub(),
    forwardReserved: 0,
    offloadEngine: portableEngine,
    addressSeed: 'test',
    labelsOf: () => ({}),
    portCalled: () => undefined,
    controlAddress: () => undefined,
    changed: () => undefined,
    announce: () => undefined,
  };
  const network = new Network(
    'lab',
    side,
    { ageingTimeMs: 300_000, fdbCapacity: 9 },
    {
      nowMs: () => clockMs,
      makeEntities: (host) => {
        found = host;
        return { entity };
      },
    },
  );
  const pass = (ms: number): void => {
    clockMs += ms;
    t.mock.timers.tick(ms);
  };
  return { network, told, host: found as EntityHost, pass };
}

test('an entity is told of settings, ports and time, in this order', (t) => {
  const { network, told } = open(t);
  const port = network.bridge.attach(new MemoryPort());
  network.portAdded(port);
  network.bridge.setShut(port, true);
  network.portChanged(port);
  network.configure({ ageout: 7 });
  network.tick(1000);
  network.bridge.detach(port);
  network.portRemoved(port);
  network.close();
  assert.deepEqual(told, ['ageout 0', 'added 1', 'changed 1 true', 'ageout 7', 'tick', 'removed 1', 'close']);
});

test('an entity that asks to be woken is woken once, by the earliest time that it asked for', (t) => {
  const { told, host, pass } = open(t);
  host.wakeBy(host.nowMs() + 500);
  host.wakeBy(host.nowMs() + 19.5);
  host.wakeBy(host.nowMs() + 30);
  pass(19);
  assert.deepEqual(told.splice(0), ['ageout 0']);
  pass(1);
  assert.deepEqual(told.splice(0), ['tick']);
  pass(1000);
  assert.deepEqual(told.splice(0), []);
  host.wakeBy(host.nowMs() - 5);
  pass(1);
  assert.deepEqual(told, ['tick'], 'a time that is over');
});

test('a closed network wakes no entity', (t) => {
  const { network, told, host, pass } = open(t);
  host.wakeBy(host.nowMs() + 1);
  network.close();
  host.wakeBy(host.nowMs());
  pass(100);
  assert.deepEqual(told, ['ageout 0', 'close']);
});
