import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { until } from '../../test/support/waits.ts';
import type { SwitchEvent } from '../events/event.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';

const BROADCAST = 0xffff_ffff_ffff;

/** A frame between stations, whose addresses are made of a number; its last octet is `mark`. */
function frame(to: number, from: number, mark: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.writeUIntBE(to === BROADCAST ? to : 0x02_0000_0000_00 + to, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + from, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  bytes.writeUInt8(mark, 59);
  return bytes;
}

/** A port that notes the marks of the frames that it is sent. */
class Station {
  readonly port = new MemoryPort();
  readonly marks: number[] = [];

  constructor() {
    this.port.onFrames((frames) => this.marks.push(...frames.map((bytes) => bytes.readUInt8(59))));
  }
}

const NAMES = ['default', 'lab', 'home'] as const;

interface Step {
  readonly port: number;
  readonly to: number;
  readonly from: number;
}

/** What six ports, two a network, are sent by these steps; alone: each network on a switch of its own. */
function marksOf(steps: readonly Step[], isAlone: boolean): { marks: number[][]; fdb: string[] } {
  const shared = new Switch();
  const switches = NAMES.map(() => (isAlone ? new Switch() : shared));
  if (!isAlone) for (const name of NAMES) if (name !== 'default') shared.addNetwork(name, { lldp: 'off', stp: 'off' });
  const stations = NAMES.flatMap((network, at) =>
    [0, 1].map(() => {
      const station = new Station();
      (switches[at] as Switch).attach(station.port, isAlone ? {} : { network });
      return station;
    }),
  );
  for (const [mark, { port, to, from }] of steps.entries())
    stations[port]?.port.deliver(frame(to === 0 ? BROADCAST : to, from, mark));
  const fdb = NAMES.flatMap((network, at) =>
    (switches[at] as Switch)
      .fdb(isAlone ? undefined : network)
      .map(({ entry }) => `${network} ${entry.mac} ${isAlone ? at * 2 + entry.port.number : entry.port.number}`),
  );
  for (const one of new Set(switches)) void one.close();
  return { marks: stations.map(({ marks }) => marks), fdb };
}

test('each network forwards, floods and learns as if it were a switch of its own', () => {
  const step = fc.record({ port: fc.nat(5), to: fc.nat(4), from: fc.integer({ min: 1, max: 4 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      assert.deepEqual(marksOf(steps, false), marksOf(steps, true));
    }),
  );
});

test('numbers and names of ports are unique over all networks', async (t) => {
  const target = new Switch();
  t.after(() => target.close());
  target.addNetwork('lab', { stp: 'off' });
  const numbers = [undefined, 'lab', undefined, 'lab'].map((network) => target.attach(new MemoryPort(), { network }));
  assert.deepEqual(numbers, [1, 2, 3, 4]);
  assert.equal(target.attach(new MemoryPort(), { network: 'lab', number: 1 }), 5, 'a number of another network');
  assert.equal(target.attach(new MemoryPort(), { network: 'lab', name: 'uplink' }), 6);
  assert.throws(() => target.attach(new MemoryPort(), { name: 'uplink' }), { code: 'PORT_NAME_TAKEN' });
  assert.equal(target.attachedPort('uplink').network.name, 'lab');
  assert.deepEqual([...target.ports.keys()], [1, 2, 3, 4, 5, 6]);
  assert.equal(target.network('lab').bridge.ports.size, 4);
});

test('a network comes and goes, and the default one stays', async (t) => {
  const target = new Switch();
  t.after(() => target.close());
  const events: SwitchEvent[] = [];
  target.events.subscribe((told) => events.push(...told));
  target.addNetwork('lab', { stp: 'off' });
  assert.throws(() => target.addNetwork('lab'), { code: 'NETWORK_EXISTS' });
  assert.throws(() => target.attach(new MemoryPort(), { network: 'lob' }), {
    code: 'NETWORK_NOT_FOUND',
    hint: 'Did you mean lab?',
  });
  const port = new MemoryPort();
  target.attach(port, { network: 'lab' });
  port.deliver(frame(BROADCAST, 7, 0));
  await assert.rejects(target.removeNetwork('lab'), { code: 'NETWORK_IN_USE', hint: /^Remove it first with delport/ });
  await assert.rejects(target.removeNetwork('default', true), { code: 'REQUEST_REFUSED' });
  await target.removeNetwork('lab', true);
  assert.deepEqual([target.ports.size, target.hasNetwork('lab'), target.fdb()], [0, false, []]);
  target.addNetwork('lab', { stp: 'off' });
  await until(() => events.length === 8);
  assert.deepEqual(
    events.map(({ event, network }) => [event, network]),
    [
      ['network-added', 'lab'],
      ['port-added', 'lab'],
      ['port-up', 'lab'],
      ['address-learned', 'lab'],
      ['port-down', 'lab'],
      ['port-removed', 'lab'],
      ['network-removed', 'lab'],
      ['network-added', 'lab'],
    ],
  );
});

test('settings of a network have precedence over those of the switch, and 0 takes them back', (t) => {
  const target = new Switch({ fdbCapacity: 5 });
  t.after(() => target.close());
  const lab = target.addNetwork('lab', { fdbSize: 2, stp: 'off' });
  const port = new MemoryPort();
  target.attach(port, { network: 'lab' });
  const learn = (count: number): number => {
    for (let from = 1; from <= count; from++) port.deliver(frame(BROADCAST, from, 0));
    return target.fdb('lab').length;
  };
  assert.equal(learn(9), 2);
  lab.configure({ fdbSize: 0 });
  assert.equal(learn(9), 5);
  target.setFdbLimits({ ageingTimeMs: 300_000, fdbCapacity: 7 });
  assert.equal(learn(9), 7);
  lab.configure({ fdbSize: 3 });
  assert.equal(target.fdb('lab').length, 3, 'at once');
  target.setFdbLimits({ ageingTimeMs: 1, fdbCapacity: 7 });
  lab.configure({ ageout: 500 });
  assert.deepEqual([lab.settings.ageout, lab.settings.fdbSize], [500, 3]);
  assert.equal(target.network('default').bridge.fdbCapacity, 7);
});

test('the tunnels of a peer in two networks are no loop: neither stands by', (t) => {
  const target = new Switch();
  t.after(() => target.close());
  target.addNetwork('lab', { stp: 'off' });
  const peer = { instance: 'other', isParallelAllowed: false, isDialled: true, user: null };
  const attach = (rank: number, network?: string) => {
    const tunnel = {
      peer: { ...peer, tunnelId: `tunnel ${rank}`, rank },
      announceLoss: () => undefined,
      abandon: () => undefined,
    };
    return target.port(target.attach(Object.assign(new MemoryPort(), { tunnel }), { network }));
  };
  const ports = [attach(0), attach(1, 'lab'), attach(2, 'lab')];
  assert.deepEqual(
    ports.map(({ standsByFor }) => standsByFor?.number),
    [undefined, undefined, 2],
  );
});
