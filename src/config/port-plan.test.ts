import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bridgePortValues } from '../schema/bridge-port-options.ts';
import { wantedOf } from './kept-ports.ts';
import { type PortAction, planPorts, type RunningPort } from './port-plan.ts';
import type { WantedPort } from './wanted-ports.ts';

function tap(target: string, more: { name?: string; options?: { mac: string }; shut?: boolean } = {}): WantedPort {
  const { shut, ...spec } = more;
  return wantedOf({ type: 'tap', target, ...spec }, shut === undefined ? {} : { shut });
}

function client(target: string, more: { name?: string; options?: { user?: string; wait?: boolean } } = {}): WantedPort {
  return wantedOf({ type: 'client', target, ...more });
}

function running(number: number, opened: WantedPort, more: Partial<RunningPort> = {}): RunningPort {
  const { spec, settings } = opened;
  return {
    number,
    opened,
    origin: 'file',
    name: spec.name ?? '',
    description: spec.description ?? '',
    shut: settings.shut ?? false,
    values: bridgePortValues(settings),
    addresses: settings.addresses ?? [],
    mtu: settings.mtu,
    firstMtu: spec.type === 'client' ? undefined : 1500,
    ...more,
  };
}

function said(wanted: readonly WantedPort[], now: readonly RunningPort[]): string[] {
  return planPorts(wanted, now).actions.map((action) => {
    const { target, name } = action.port.spec;
    const change = action.do === 'change' ? ` ${JSON.stringify(action.change)}` : '';
    return `${action.do} ${action.do === 'add' ? '-' : action.number} ${name ?? target}${change}`;
  });
}

test('a plan has the fewest steps, and what goes comes first', () => {
  const [one, two] = [tap('one0'), client('ws://a/', { name: 'up' })];
  assert.deepEqual(said([one, two], [running(1, one), running(2, two)]), []);
  assert.deepEqual(said([tap('one0', { options: { mac: '02:00:00:00:00:01' } })], [running(1, one)]), [
    'replace 1 one0',
  ]);
  assert.deepEqual(said([tap('new0'), one], [running(1, one), running(2, two)]), ['remove 2 up', 'add - new0']);
  assert.deepEqual(said([one], [running(1, one, { shut: true, mtu: 1400, addresses: ['10.0.0.1/8'] })]), [
    'change 1 one0 {"shut":false,"withoutAddresses":["10.0.0.1/8"],"mtu":1500}',
  ]);
});

test('a tunnel with another URL is the one with its name, and one with another name that with its URL', () => {
  const up = client('ws://a/', { name: 'up' });
  assert.deepEqual(said([client('ws://b/', { name: 'up' })], [running(4, up)]), ['replace 4 up']);
  assert.deepEqual(said([client('ws://a/', { name: 'other' })], [running(4, up)]), ['change 4 other {"name":"other"}']);
  assert.deepEqual(said([client('ws://a/', { name: 'up', options: { wait: true } })], [running(4, up)]), []);
});

test('names that ports exchange are given up first', () => {
  const now = [running(1, tap('one0', { name: 'a' })), running(2, tap('two0', { name: 'b' }))];
  assert.deepEqual(said([tap('one0', { name: 'b' }), tap('two0', { name: 'a' })], now), [
    'change 1 b {"name":""}',
    'change 2 a {"name":""}',
    'change 1 b {"name":"b"}',
    'change 2 a {"name":"a"}',
  ]);
});

test('a port of a call stays, and becomes one of the file when that wants it', () => {
  const added = running(3, tap('extra0'), { origin: 'ctl' });
  assert.deepEqual(said([], [added]), []);
  const { actions, kept } = planPorts([tap('extra0')], [added]);
  assert.deepEqual([actions, [...kept.keys()]], [[], [3]]);
  assert.deepEqual(said([tap('extra0', { name: 'x' })], [added]), ['change 3 x {"name":"x"}']);
});

const NAMES = [undefined, 'a', 'b', 'c'];
const wantedPorts = fc.uniqueArray(
  fc.record({
    target: fc.constantFrom('t0', 't1', 't2', 't3'),
    name: fc.constantFrom(...NAMES),
    shut: fc.boolean(),
    mac: fc.constantFrom(undefined, '02:00:00:00:00:01'),
  }),
  {
    selector: ({ target, name }) => [target, name],
    comparator: ([target, name], [other, another]) => target === other || (name !== undefined && name === another),
  },
);

test('whatever ran and is wanted, the steps lead from one to the other, and a second plan has none', () => {
  const toPort = ({
    target,
    name,
    shut,
    mac,
  }: (typeof wantedPorts extends fc.Arbitrary<infer T> ? T : never)[number]): WantedPort =>
    tap(target, { ...(name && { name }), shut, ...(mac && { options: { mac } }) });
  fc.assert(
    fc.property(wantedPorts, wantedPorts, (before, after) => {
      const wanted = after.map(toPort);
      const now = new Map(before.map(toPort).map((port, at) => [at + 1, running(at + 1, port)]));
      const { actions, kept } = planPorts(wanted, [...now.values()]);
      for (const [number, opened] of kept) now.set(number, { ...(now.get(number) as RunningPort), opened });
      for (const action of actions) if (action.do === 'replace') now.delete(action.number);
      for (const action of actions) take(action, now);
      assert.deepEqual(planPorts(wanted, [...now.values()]).actions, []);
      assert.deepEqual(
        [...now.values()].map(({ opened }) => opened.spec.target).sort(),
        after.map(({ target }) => target).sort(),
      );
    }),
    { numRuns: 300 },
  );
});

/** A model of a switch: it refuses a name or a device that another port has. */
function take(action: PortAction, now: Map<number, RunningPort>): void {
  const requireFree = (number: number, part: (port: RunningPort) => string, value: string): void => {
    const owner = [...now.values()].find((port) => port.number !== number && part(port) === value);
    assert.ok(value === '' || owner === undefined, `${action.do}: ${value} is that of port ${owner?.number}`);
  };
  if (action.do === 'remove') {
    now.delete(action.number);
    return;
  }
  const number = action.do === 'add' ? Math.max(100, ...now.keys()) + 1 : action.number;
  if (action.do === 'change') {
    const port = now.get(number) as RunningPort;
    requireFree(number, ({ name }) => name, action.change.name ?? '');
    const { withoutAddresses: _, ...change } = action.change;
    now.set(number, { ...port, ...change });
    return;
  }
  requireFree(number, ({ name }) => name, action.port.spec.name ?? '');
  requireFree(number, ({ opened }) => opened.spec.target, action.port.spec.target);
  now.set(number, running(number, action.port));
}
