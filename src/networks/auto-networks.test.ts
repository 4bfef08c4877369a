import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { AutoNetworks } from './auto-networks.ts';
import { Switch } from './switch.ts';

function open(t: TestContext, most: number): { target: Switch; autos: AutoNetworks; names: () => string[] } {
  const target = new Switch({ fdbCapacity: 65_536 });
  t.after(() => target.close());
  return { target, autos: new AutoNetworks(target, most), names: () => [...target.networks].map(({ name }) => name) };
}

test('an automatic network goes with its last port, whoever has added that', async (t) => {
  const { target, autos, names } = open(t, 10);
  autos.ensure('room', 'ann');
  autos.ensure('room', 'bob');
  const attach = (): number => target.attach(new MemoryPort(), { network: 'room' });
  const [one, other] = [attach(), attach()];
  await target.detach(one);
  assert.deepEqual(names(), ['default', 'room']);
  await target.detach(other);
  assert.deepEqual(names(), ['default']);
  target.addNetwork('lab');
  await target.detach(target.attach(new MemoryPort(), { network: 'lab' }));
  assert.deepEqual(names(), ['default', 'lab'], 'one that a call has added stays');
});

test('adding an automatic network lets it stay; a second one of that name is refused', async (t) => {
  const { target, autos, names } = open(t, 10);
  autos.ensure('room', 'ann');
  assert.equal(target.network('room').bridge.fdbCapacity, 6553, 'its share of the addresses');
  assert.equal(target.network('room').settings.lldp, 'off', 'any client may be in it');
  const port = target.attach(new MemoryPort(), { network: 'room' });
  target.addNetwork('room', { ageout: 5 });
  assert.equal(target.network('room').settings.lldp, 'on');
  assert.deepEqual([target.network('room').settings.ageout, target.network('room').bridge.fdbCapacity], [5, 65_536]);
  await target.detach(port);
  assert.deepEqual(names(), ['default', 'room']);
  assert.throws(() => target.addNetwork('room'), { code: 'NETWORK_EXISTS' });
});

test('there is a bound for all of them, and one for each owner', (t) => {
  const { target, autos } = open(t, 100);
  for (let at = 0; at < 10; at++) autos.ensure(`a${at}`, 'ann');
  assert.equal(autos.refusalOf('a10', 'ann'), 'full');
  assert.throws(() => autos.ensure('a10', 'ann'), { code: 'REQUEST_REFUSED' });
  for (let at = 0; at < 90; at++) autos.ensure(`b${at}`, `owner ${at}`);
  assert.equal(autos.refusalOf('b90', 'owner 90'), 'full');
  autos.setMost(200);
  assert.equal(autos.refusalOf('b90', 'owner 90'), undefined);
  assert.deepEqual(
    [...target.networks].filter(({ bridge }) => bridge.fdbCapacity < 500).length,
    0,
    'each has its share of the addresses',
  );
});

test('a name that is none makes no network, and without the option no name does', (t) => {
  const { autos } = open(t, 10);
  for (const name of ['', '.', '..', '-a', 'a b', 'a%20b', 'ä', 'x'.repeat(64), 'a/b', '__proto__'])
    assert.equal(autos.refusalOf(name, 'ann'), 'unknown', name);
  for (const name of ['a', '0', 'A.b-c_d', 'x'.repeat(63), 'constructor'])
    assert.equal(autos.refusalOf(name, 'ann'), undefined, name);
  const off = open(t, 0).autos;
  assert.equal(off.refusalOf('a', 'ann'), 'unknown');
  assert.throws(() => off.ensure('a', 'ann'), { code: 'NETWORK_NOT_FOUND' });
});
