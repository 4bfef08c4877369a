import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Switch } from '../networks/switch.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { linesOf } from './exposition.ts';
import { portFamilies } from './port-families.ts';

test('a family pauses at each port, also where ports have nothing to tell', async (t) => {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  for (let port = 0; port < 3; port++) etherSwitch.attach(new MemoryPort());
  for (const family of portFamilies(etherSwitch.attachedPorts())) {
    if (family.name === 'etherws_ports') continue;
    assert.equal([...family.samples()].length, 3, family.name);
  }
});

test('a port has no series of a reason that has not occurred, and a removed one has none', async (t) => {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const first = etherSwitch.attach(new MemoryPort(), { name: 'a' });
  etherSwitch.attach(new MemoryPort(), { name: 'b' });
  const text = (): string => [...linesOf(portFamilies(etherSwitch.attachedPorts()), 'text')].join('');
  assert.doesNotMatch(text(), /discards/);
  etherSwitch.port(first).discard('rx', 'badOffload', 2);
  etherSwitch.port(first).discard('tx', 'queueFull', 3);
  assert.match(
    text(),
    /^etherws_port_receive_discards_total\{port="1",name="a",type="memory",reason="badOffload"\} 2$/m,
  );
  assert.match(
    text(),
    /^etherws_port_transmit_discards_total\{port="1",name="a",type="memory",reason="queueFull"\} 3$/m,
  );
  assert.equal([...text().matchAll(/reason=/g)].length, 2);
  await etherSwitch.detach(first);
  assert.doesNotMatch(text(), /port="1"/);
  assert.match(text(), /^etherws_ports 1$/m);
});

test('a tunnel has what its connection measures, in base units', async (t) => {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const queue = { queuedBytes: 1500, oldestWaitedMs: () => 12.5 };
  const connection = { wire: 'batched', roundTripMs: 2.5, ...queue, url: 'wss://a:pw@b.example/?token=x' };
  etherSwitch.attach(Object.assign(new MemoryPort(), { details: { kind: 'tunnel', connection } }) as MemoryPort);
  const text = [...linesOf(portFamilies(etherSwitch.attachedPorts()), 'text')].join('');
  const labels = 'port="1",name="",type="memory"';
  assert.match(text, new RegExp(`^etherws_port_round_trip_seconds\\{${labels}\\} 0\\.0025$`, 'm'));
  assert.match(text, new RegExp(`^etherws_port_queue_bytes\\{${labels}\\} 1500$`, 'm'));
  assert.match(text, new RegExp(`^etherws_port_queue_wait_seconds\\{${labels}\\} 0\\.0125$`, 'm'));
  assert.match(text, new RegExp(`^etherws_port_reconnects_total\\{${labels}\\} 0$`, 'm'));
  assert.ok(text.includes('url="wss://(hidden)@b.example/?token=(hidden)",wire="batched"'), text);
});
