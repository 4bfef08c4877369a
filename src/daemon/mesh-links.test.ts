import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFrame } from '../../test/support/port-recorder.ts';
import type { PortEvents } from '../bridge/port.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { MeshLinks } from './mesh-links.ts';

test('a link has the same number when its tunnel is accepted or dialled again', async (t) => {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const links = new MeshLinks(etherSwitch, 'r2', SILENT);
  const numbers = () => [...links.links()].map(({ node, network, port }) => `${node} ${network} ${port}`);
  etherSwitch.addNetwork('lab');
  links.accept(new MemoryPort(), 'r1', 'default');
  links.accept(new MemoryPort(), 'r1', 'lab');
  assert.deepEqual(numbers(), ['r1 default 1', 'r1 lab 2']);

  const uplink = etherSwitch.attach(new MemoryPort());
  links.accept(new MemoryPort(), 'r1', 'default');
  assert.deepEqual(numbers().sort(), ['r1 default 1', 'r1 lab 2'], 'in place of the former one');

  await etherSwitch.detach(1);
  assert.deepEqual(numbers(), ['r1 lab 2']);
  links.accept(new MemoryPort(), 'r3', 'default');
  links.accept(new MemoryPort(), 'r1', 'default');
  assert.deepEqual(numbers().sort(), ['r1 default 1', 'r1 lab 2', `r3 default ${uplink + 1}`]);

  const dialled = (boot: string): void => {
    const wanted = { node: 'r9', network: 'default', isDialled: true };
    links.setWanted([wanted], (link) => ({ ...link, end: boot, open: () => new MemoryPort() }));
  };
  dialled('first');
  const [former] = numbers();
  dialled('second');
  assert.deepEqual(numbers(), [former]);
  links.close();
  dialled('third');
  assert.deepEqual(numbers(), [former]);
});

test('a port that was removed has no part in the switch when another one has its number', async (t) => {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const heard: number[] = [];
  etherSwitch.attach(new MemoryPort({ onFrames: (frames) => void heard.push(frames.length) }));
  let events: PortEvents | undefined;
  const former = new MemoryPort();
  const open = former.open.bind(former);
  former.open = (given) => {
    events = given;
    open(given);
  };
  const number = etherSwitch.attach(former);
  const removed = etherSwitch.port(number);
  const detached = etherSwitch.detach(number);
  assert.equal(etherSwitch.attach(new MemoryPort(), { number }), number);
  const present = etherSwitch.port(number);
  events?.receive(batchOf(testFrame(1, 60)));
  events?.linkChanged('down', 'late');
  await detached;
  assert.deepEqual([heard, present.link, etherSwitch.port(number) === present], [[], 'up', true]);
  assert.equal(etherSwitch.nameOf(removed), undefined);
  assert.equal(etherSwitch.networkOf(number), 'default');
});
