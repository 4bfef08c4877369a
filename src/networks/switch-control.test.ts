import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Port } from '../bridge/port.ts';
import type { PortDetails } from '../bridge/port-details.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';
import { RunningSwitch } from './switch-control.ts';

const COUNTERS = { tx: 0, rx: 0, txOctets: 0, rxOctets: 0, txDiscards: {}, rxDiscards: {} };

/** The first fields of an entry, in this order; newer ones follow. */
const FIELD_NAMES =
  'port type target tx rx shut state reason txOctets rxOctets txDiscards rxDiscards wire roundTripMs url netns'.split(
    ' ',
  );

/** The entry of `listPort` for one port with these details, as on the wire; only the fields of FIELD_NAMES. */
function listed(t: TestContext, details: PortDetails | undefined, isUp = true): object {
  const target = new Switch();
  t.after(() => target.close());
  const port = new MemoryPort();
  target.attach(details === undefined ? port : (Object.assign(port, { details }) as Port));
  if (!isUp) port.setLink('down', 'told when it went down');
  const control = new RunningSwitch(target, () => Promise.reject(new Error('not asked for')));
  const entry = JSON.parse(JSON.stringify(control.listPorts()))[0] as object;
  assert.deepEqual(Object.keys(entry).slice(0, FIELD_NAMES.length), FIELD_NAMES);
  return Object.fromEntries(Object.entries(entry).slice(0, FIELD_NAMES.length));
}

const FIELDS = { port: 1, type: 'memory', target: 'memory', ...COUNTERS, shut: false };
const UP = { ...FIELDS, state: 'up', reason: null };
const NO_TUNNEL = { wire: null, roundTripMs: null, url: null };
const networkInterface = { read: () => ({ addresses: [], mtu: 1500 }), configure: () => undefined };

test('listPort has every field for a port that tells nothing', (t) => {
  assert.deepEqual(listed(t, undefined), { ...UP, ...NO_TUNNEL, netns: null });
});

test('listPort shows the network namespace of a device that is elsewhere', (t) => {
  const here: PortDetails = { kind: 'device', networkInterface, netns: undefined };
  assert.deepEqual(listed(t, here), { ...UP, ...NO_TUNNEL, netns: null });
  assert.deepEqual(listed(t, { ...here, netns: 'blue' }), { ...UP, ...NO_TUNNEL, netns: 'blue' });
});

test('listPort shows the connection of a tunnel', (t) => {
  const connection = {
    wire: 'batched',
    roundTripMs: 1.25,
    url: 'wss://b.example/',
    localAddress: '192.0.2.1',
    peer: '192.0.2.2:443',
    tls: undefined,
    transport: 'native',
    queuedBytes: 0,
  } as const;
  const shown = { wire: 'batched', roundTripMs: 1.25, url: 'wss://b.example/' };
  assert.deepEqual(listed(t, { kind: 'tunnel', connection, linkReason: undefined }), { ...UP, ...shown, netns: null });
  const young: PortDetails = {
    kind: 'tunnel',
    connection: { ...connection, roundTripMs: undefined, url: undefined },
    linkReason: undefined,
  };
  assert.deepEqual(listed(t, young), { ...UP, ...NO_TUNNEL, wire: 'batched', netns: null });
});

test('listPort takes the reason from the tunnel where time changes it, else what was told with the link', (t) => {
  const DOWN = { ...FIELDS, state: 'down', ...NO_TUNNEL, netns: null };
  const tunnel = { kind: 'tunnel', connection: undefined } as const;
  assert.deepEqual(listed(t, { ...tunnel, linkReason: 'next try in 3 s' }, false), {
    ...DOWN,
    reason: 'next try in 3 s',
  });
  assert.deepEqual(listed(t, { ...tunnel, linkReason: undefined }, false), {
    ...DOWN,
    reason: 'told when it went down',
  });
});

test('a port is not the port of its own copies', async (t) => {
  const target = new Switch();
  t.after(() => target.close());
  const control = new RunningSwitch(target, async () => new MemoryPort());
  await control.addPort({ type: 'tap', target: 'one', name: 'one' });
  await control.addPort({ type: 'tap', target: 'two', name: 'two' });
  const itself = { code: 'ARGUMENT_INVALID', message: /mirrorTo "\w+" is the port itself/ };
  assert.throws(() => control.setPort('one', { mirrorTo: '1' }), itself);
  assert.throws(() => control.setPort(1, { mirrorTo: 'one', isolated: true }), itself);
  assert.throws(() => control.setPort(1, { name: 'new', mirrorTo: 'new' }), itself);
  await assert.rejects(control.addPort({ type: 'tap', target: 'x', name: 'x', mirrorTo: 'x' }), itself);
  assert.deepEqual(
    control.listPorts().map(({ name, settings }) => ({ name, settings })),
    [
      { name: 'one', settings: {} },
      { name: 'two', settings: {} },
    ],
    'what was refused changed nothing',
  );
  control.setPort('one', { mirrorTo: 'two' });
  control.setPort('one', { mirrorTo: '' });
});
