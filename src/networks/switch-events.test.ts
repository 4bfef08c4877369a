import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import type { SwitchEvent } from '../events/event.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';

interface World {
  readonly lan: Switch;
  readonly ports: readonly [MemoryPort, MemoryPort];
  readonly events: SwitchEvent[];
}

function open(t: TestContext): World {
  const lan = new Switch();
  t.after(() => lan.close());
  const ports = [new MemoryPort(), new MemoryPort()] as const;
  for (const port of ports) lan.attach(port);
  const events: SwitchEvent[] = [];
  lan.events.subscribe((told) => events.push(...told), ['loop', 'address-flapping']);
  return { lan, ports, events };
}

/** Stations 1 to `count` send from two ports in turn. */
function flap({ ports }: World, count: number, times: number): void {
  for (let time = 0; time < times; time++) {
    for (let station = 1; station <= count; station++) {
      ports[time % 2]?.deliver(Buffer.from(`ffffffffffff02000000000${station}88b5${'00'.repeat(46)}`, 'hex'));
    }
  }
}

test('an address that moves to and fro is an event, with the ports and how often', async (t) => {
  const world = open(t);
  flap(world, 1, 20);
  await until(() => world.events.length > 0);
  const [{ sequence: _sequence, time: _time, withinMs, ...facts } = {} as SwitchEvent & { withinMs?: unknown }] =
    world.events;
  assert.deepEqual(facts, {
    event: 'address-flapping',
    ports: [1, 2],
    network: 'default',
    vid: 0,
    mac: '02:00:00:00:00:01',
    moves: 19,
  });
  assert.ok(Number(withinMs) >= 0 && Number(withinMs) < 60_000);
});

test('several addresses that do are one event, a loop', async (t) => {
  const world = open(t);
  flap(world, 4, 20);
  await until(() => world.events.length > 0);
  const [{ sequence: _sequence, time: _time, ...facts } = {} as SwitchEvent] = world.events;
  assert.deepEqual(facts, { event: 'loop', ports: [1, 2], network: 'default', addresses: 4, moves: 76 });
  assert.equal(world.events.length, 1);
});

test('what a protocol entity tells of a port has its name and its network', async (t) => {
  const lan = new Switch();
  t.after(() => lan.close());
  lan.addNetwork('lab', { stp: 'off' });
  const [noisy, other] = [new MemoryPort(), new MemoryPort()];
  lan.attach(noisy, { name: 'noisy', network: 'lab', values: { storm: 'broadcast=1' } });
  lan.attach(other, { network: 'lab' });
  const events: SwitchEvent[] = [];
  lan.events.subscribe((told) => events.push(...told), ['storm']);
  const broadcast = Buffer.from(`ffffffffffff02000000000188b5${'00'.repeat(46)}`, 'hex');
  noisy.deliver(...Array.from({ length: 10 }, () => broadcast));
  await until(() => events.length > 0);
  const [{ event, port, portName, network, kind, phase } = {} as SwitchEvent] = events;
  assert.deepEqual([event, port, portName, network, kind, phase], ['storm', 1, 'noisy', 'lab', 'broadcast', 'start']);
});
