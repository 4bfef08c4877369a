import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wantedOf } from '../config/kept-ports.ts';
import type { PortSettings, WantedPort } from '../config/wanted-ports.ts';
import type { PortSpec } from '../control/schema.ts';
import { Switch } from '../networks/switch.ts';
import { RunningSwitch } from '../networks/switch-control.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { ConfiguredPorts } from './configured-ports.ts';

const specOf = (name: string): PortSpec => ({ type: 'client', target: `ws://${name}/`, name });

const fromFile = (name: string, settings: PortSettings = {}): WantedPort => ({
  ...wantedOf(specOf(name), settings),
  place: `etherws.yaml:${name}`,
});

interface Start {
  /** the section that the run before has left */
  readonly section?: unknown;
  readonly hasFile?: boolean;
  /** names of ports that cannot be opened */
  readonly failing?: Set<string>;
}

/** The ports of one run of a switch. */
function startOf(t: TestContext, { section, hasFile = true, failing = new Set() }: Start = {}) {
  const errors: string[] = [];
  const logger: Logger = { ...SILENT, error: (_fields, message) => errors.push(message) };
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const running = new RunningSwitch(etherSwitch, async ({ name = '', target }) => {
    if (failing.has(name)) throw new Error(`${name} is not there`);
    return new MemoryPort({ target });
  });
  const ports = new ConfiguredPorts({ running, logger, section, hasFile });
  etherSwitch.reserveNumbers(ports.lastNumber);
  const marks = () =>
    running.listPorts().map((entry) => {
      const { port, name, shut, config } = ports.marked(entry);
      return `${port} ${name} ${shut ? 'shut ' : ''}${config}`;
    });
  return { ports, running, etherSwitch, errors, marks };
}

/** As the state file has it. */
const written = (ports: ConfiguredPorts): unknown => JSON.parse(JSON.stringify(ports.section()));

test('ports have their numbers, their origins and the changes by calls again after a restart', async (t) => {
  const file = ['left', 'right', 'third'].map((name) => fromFile(name));
  const before = startOf(t);
  await before.ports.open(file);
  await before.ports.add(specOf('extra'));
  before.running.setPort('right', { shut: true });
  assert.equal((await before.ports.remove('third')).config, 'file');
  const expected = ['1 left file', '2 right shut changed', '4 extra added'];
  assert.deepEqual(before.marks(), expected);

  const after = startOf(t, { section: written(before.ports) });
  await after.ports.open(file);
  assert.deepEqual(after.marks(), expected);
  assert.deepEqual(written(after.ports), written(before.ports));
  assert.deepEqual(
    after.ports.deviations().map((action) => [action.do, action.port.spec.name]),
    [
      ['change', 'right'],
      ['add', 'third'],
    ],
  );
  assert.equal((await after.ports.add(specOf('next'))).port, 5, 'the numbers of removed ports are not used again');
});

test('another file takes back changes by calls, and touches no port that is as it wants', async (t) => {
  const { ports, running, etherSwitch, marks } = startOf(t);
  await ports.open(['left', 'right'].map((name) => fromFile(name)));
  await ports.add(specOf('extra'));
  running.setPort('right', { shut: true });
  etherSwitch.attach(new MemoryPort(), { name: 'tunnel' });
  const [left, right] = [etherSwitch.port('left'), etherSwitch.port('right')];

  const steps = await ports.apply(['left', 'right', 'extra'].map((name) => fromFile(name)));
  assert.deepEqual(
    steps.map(({ action, error }) => [action.do, action.port.spec.name, error]),
    [['change', 'right', undefined]],
  );
  assert.deepEqual(marks(), ['1 left file', '2 right file', '3 extra file', '4 tunnel null']);
  assert.deepEqual([etherSwitch.port('left'), etherSwitch.port('right')], [left, right]);

  await ports.apply([fromFile('extra')]);
  assert.deepEqual(marks(), ['3 extra file', '4 tunnel null'], 'a port that no file and no call has added stays');
  assert.deepEqual(ports.deviations(), []);
});

test('a step that fails keeps no other one from being taken, and leaves no port behind', async (t) => {
  const { ports, marks } = startOf(t, { failing: new Set(['absent']) });
  await ports.open([fromFile('left')]);
  const withAddress = fromFile('right', { addresses: ['192.0.2.1/24'] });
  const steps = await ports.apply([fromFile('absent'), withAddress, fromFile('left', { shut: true })]);
  assert.deepEqual(
    steps.map(({ action, error }) => [action.do, action.port.spec.name, error?.code, error?.message.split(': ')[0]]),
    [
      ['add', 'absent', 'CONFIG_INVALID', 'etherws.yaml:absent'],
      ['add', 'right', 'INTERFACE_UNSUPPORTED', 'etherws.yaml:right'],
      ['change', 'left', undefined, undefined],
    ],
  );
  assert.deepEqual(marks(), ['1 left shut file'], 'the port without its address is closed again');
});

test('a port of the state file that cannot be opened stays there until a call adds it or a restart opens it', async (t) => {
  const before = startOf(t, { hasFile: false });
  for (const name of ['left', 'right']) await before.ports.add(specOf(name));
  assert.deepEqual(before.marks(), ['1 left null', '2 right null'], 'without a file there is nothing to differ from');

  const after = startOf(t, { section: written(before.ports), failing: new Set(['left']) });
  await after.ports.open([]);
  assert.deepEqual(after.errors, ['a port of the state cannot be opened: client ws://left/ (left)']);
  assert.deepEqual(after.marks(), ['2 right added']);

  const again = startOf(t, { section: written(after.ports) });
  await again.ports.open([]);
  assert.deepEqual(again.marks(), ['1 left added', '2 right added']);

  await after.ports.add({ ...specOf('left'), name: 'other' });
  const last = startOf(t, { section: written(after.ports) });
  await last.ports.open([]);
  assert.deepEqual(last.marks(), ['2 right added', '3 other added']);
});

test('a port of the file that cannot be opened is an error with its place', async (t) => {
  const { ports, marks } = startOf(t, { failing: new Set(['right']) });
  await assert.rejects(ports.open([fromFile('left'), fromFile('right')]), {
    code: 'CONFIG_INVALID',
    message: 'etherws.yaml:right: right is not there',
  });
  assert.deepEqual(marks(), ['1 left file']);
});
