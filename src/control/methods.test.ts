import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeSwitch } from '../../test/support/fake-switch.ts';
import { controlMethods, methodsOf } from './methods.ts';
import { METHOD_PREFIX, METHODS } from './schema.ts';

describe('control methods', () => {
  it('are those of the schema, with their prefix and nothing inherited', () => {
    const methods = controlMethods(new FakeSwitch());
    const names = Object.keys(METHODS).map((name) => METHOD_PREFIX + name);
    assert.deepEqual(Object.keys(methods), names);
    assert.equal(Object.getPrototypeOf(methods), null);
  });

  it('command the switch and always answer entries', async () => {
    const service = new FakeSwitch();
    const methods = controlMethods(service);
    const call = async (name: string, params?: unknown): Promise<unknown> => {
      const result = (await methods[METHOD_PREFIX + name]?.(params)) as { entries: unknown[] };
      assert.deepEqual(Object.keys(result), ['entries']);
      return result.entries;
    };
    const idle = {
      tx: 0,
      rx: 0,
      txOctets: 0,
      rxOctets: 0,
      txDiscards: {},
      rxDiscards: {},
      reason: null,
      wire: null,
      roundTripMs: null,
      url: null,
      netns: null,
      name: null,
      description: null,
      rxFrameRate: 0,
      txFrameRate: 0,
      rxBitRate: 0,
      txBitRate: 0,
      queuedOctets: 0,
      queuedMs: 0,
      stations: 0,
      settings: {},
      config: null,
      network: 'default',
    };
    const tap = { port: 1, type: 'tap', target: 'tap0', shut: false, state: 'up', ...idle };
    const device = {
      port: 1,
      type: 'tap',
      target: 'tap0',
      address: '',
      netmask: '',
      mtu: 1500,
      addresses: [],
      netns: null,
      portName: null,
    };

    assert.deepEqual(await call('addPort', { type: 'tap', target: 'tap0' }), [tap]);
    assert.deepEqual(await call('setInterface', { port: 1, mtu: 1400, addresses: ['10.0.0.1/24'] }), [
      { ...device, mtu: 1400, addresses: ['10.0.0.1/24'] },
    ]);
    assert.deepEqual(await call('listInterface', null), [{ ...device, mtu: 1400, addresses: ['10.0.0.1/24'] }]);
    assert.deepEqual(await call('setPort', { port: 1, shut: true }), [{ ...tap, shut: true, state: 'shut' }]);
    assert.deepEqual(await call('listPort'), [{ ...tap, shut: true, state: 'shut' }]);
    const moves = { moves: 0, movedFrom: null, flapping: false };
    const learned = {
      vid: 0,
      mac: 'aa:bb:cc:dd:ee:ff',
      port: 1,
      age: 3,
      ...moves,
      portName: null,
      network: 'default',
      kind: 'learned',
    } as const;
    service.fdb.push(learned);
    assert.deepEqual(await call('listFdb', {}), [learned]);
    const set = { ...learned, mac: '02:00:00:00:00:01', vid: 5, age: 0, kind: 'sticky' };
    const spec = { mac: '02:00:00:00:00:01', vid: 5 };
    assert.deepEqual(await call('addFdb', { ...spec, port: 1, sticky: true }), [set]);
    assert.deepEqual(await call('delFdb', spec), [set]);
    assert.deepEqual(await call('flushFdb', {}), [{ removed: 1 }]);
    const rest = { portName: null, state: 'permanent', expires: null, network: 'default' };
    const sources = { filterMode: 'exclude', sourceList: [] };
    const member = { kind: 'member', vid: 10, address: 'ff05::5', port: 1, ...sources, ...rest };
    const joining = { group: 'FF05:0::5', port: 1, vid: 10 };
    assert.deepEqual(await call('addMdb', joining), [member]);
    assert.deepEqual(await call('listMdb', {}), [member]);
    assert.deepEqual(await call('delMdb', joining), [member]);
    assert.deepEqual(await call('delPort', { port: 1 }), [{ ...tap, shut: true, state: 'shut' }]);
    assert.deepEqual(await call('listPort'), []);

    const lab = { network: 'lab', ports: 0, addresses: 0, auto: false, settings: { ageout: 60 }, config: null };
    assert.deepEqual(await call('addNet', { network: 'lab', ageout: 60 }), [lab]);
    assert.deepEqual(await call('setNet', { network: 'lab', fdbSize: 9 }), [{ ...lab, settings: { fdbSize: 9 } }]);
    assert.deepEqual(await call('listNet'), [{ ...lab, settings: { fdbSize: 9 } }]);
    assert.deepEqual(await call('delNet', { network: 'lab' }), [{ ...lab, settings: { fdbSize: 9 } }]);
    assert.deepEqual(await call('listNet'), []);
  });

  it('have the rights of a user at the time of each call', async () => {
    let networks: readonly string[] = ['lab'];
    let may = true;
    const rights = { mayCall: () => may, networksOf: () => networks };
    const addNet = methodsOf(controlMethods(new FakeSwitch()), 'ada', rights)[`${METHOD_PREFIX}addNet`];
    await addNet?.({ network: 'lab' });
    networks = ['home'];
    await assert.rejects(async () => addNet?.({ network: 'lab' }), { code: 'METHOD_FORBIDDEN' });
    await addNet?.({ network: 'home' });
    may = false;
    await assert.rejects(async () => addNet?.({ network: 'home' }), { code: 'METHOD_FORBIDDEN' });
  });

  it('that are refused say whether a policy can allow them at all', async () => {
    const of = (networks: readonly string[] | undefined) =>
      methodsOf(controlMethods(new FakeSwitch()), 'tutor', { mayCall: () => false, networksOf: () => networks });
    const refused = async (networks: readonly string[] | undefined, name: string): Promise<unknown> =>
      Promise.resolve()
        .then(() => of(networks)[METHOD_PREFIX + name]?.(undefined))
        .then(
          () => assert.fail('it was not refused'),
          ({ hint }: { hint: unknown }) => hint,
        );
    const canBe = 'The operator of the switch can allow it in its policy';
    assert.equal(await refused(undefined, 'getStatus'), canBe);
    assert.equal(await refused(['lab'], 'listPort'), canBe);
    assert.equal(
      await refused(['lab', 'home'], 'getStatus'),
      'It is about the whole switch, and the policy limits this user to the networks lab, home',
    );
  });
});
