import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import type { EventKind, SwitchEvent } from './event.ts';
import { EventHub } from './event-hub.ts';

/** The calls of a subscriber. */
interface Heard {
  readonly events: SwitchEvent[];
  lost: number;
}

function listen(hub: EventHub, ...kinds: EventKind[]): Heard & { end(): void } {
  const heard: Heard = { events: [], lost: 0 };
  const listener = (events: readonly SwitchEvent[], lost: number): void => {
    heard.events.push(...events);
    heard.lost += lost;
  };
  const end = kinds.length === 0 ? hub.subscribe(listener) : hub.subscribe(listener, kinds);
  return Object.assign(heard, { end });
}

test('subscribers get the kinds that they want, in order and numbered, and the source learns what is wanted', () => {
  const hub = new EventHub();
  const demands: boolean[] = [];
  hub.onDemand = () => demands.push(hub.isWanted('address-learned'));
  hub.publish('port-up', { port: 1 });
  assert.equal(hub.sequence, 0, 'an event that no subscriber wants is none');
  const all = listen(hub);
  const ports = listen(hub, 'port-up', 'port-down');
  hub.publish('port-up', { port: 1, portName: 'a' });
  hub.publish('address-learned', { port: 1, portName: 'a', mac: '02:00:00:00:00:01' });
  hub.publish('port-down', { port: 1, portName: 'a' });
  assert.equal(all.events.length, 0, 'nothing is told within the turn in which it happens');
  hub.flush();
  assert.deepEqual(
    all.events.map(({ sequence, event }) => `${sequence} ${event}`),
    ['1 port-up', '2 address-learned', '3 port-down'],
  );
  assert.deepEqual(
    ports.events.map(({ sequence }) => sequence),
    [1, 3],
  );
  assert.match(all.events[0]?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  all.end();
  all.end();
  assert.deepEqual(demands, [true, true, false]);
  ports.end();
  assert.deepEqual([hub.isWanted('port-up'), all.lost, ports.lost], [false, 0, 0]);
});

test('a flood of addresses costs a bounded number of events, and those that want them learn how many were lost', () => {
  const hub = new EventHub();
  const all = listen(hub);
  const ports = listen(hub, 'port-up');
  for (let count = 0; count < 10_000; count++) hub.publish('address-learned', { port: 1, portName: null });
  hub.publish('port-up', { port: 1, portName: null });
  hub.flush();
  assert.deepEqual([all.events.length, all.lost, hub.sequence], [201, 9800, 10_001]);
  assert.equal(all.events.at(-1)?.sequence, 10_001, 'addresses keep no place from others');
  assert.deepEqual([ports.events.length, ports.lost], [1, 0]);
  hub.publish('address-learned', { port: 1, portName: null });
  hub.flush();
  assert.deepEqual([all.events.length, all.lost], [202, 9800], 'and then there is room again');
});

test('events of ports take no place of addresses, and have a bound of their own', () => {
  const hub = new EventHub();
  const all = listen(hub);
  for (let count = 0; count < 300; count++) hub.publish('port-up', { port: 1, portName: null });
  hub.publish('address-learned', { port: 1, portName: null });
  hub.flush();
  assert.deepEqual([all.events.length, all.lost], [301, 0]);
  for (let count = 0; count < 20_003; count++) hub.publish('port-up', { port: 1, portName: null });
  hub.flush();
  assert.deepEqual([all.events.length, all.lost], [20_301, 3]);
});

test('a subscriber all of whose events were lost learns that, and the next ones come by themselves', async () => {
  const hub = new EventHub();
  const all = listen(hub);
  const aged = listen(hub, 'address-aged');
  for (let count = 0; count < 200; count++) hub.publish('address-learned', { port: 1, portName: null });
  for (let count = 0; count < 3; count++) hub.publish('address-aged', { port: 1, portName: null });
  hub.flush();
  assert.deepEqual([aged.events.length, aged.lost, all.lost], [0, 3, 3]);
  hub.publish('address-aged', { port: 1, portName: null });
  await until(() => aged.events.length === 1);
  assert.equal(aged.lost, 3);
});
