import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Logger, SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';

function switchOf(t: TestContext) {
  const lines: string[] = [];
  const logger: Logger = { ...SILENT, info: (_fields, message) => lines.push(message) };
  const etherSwitch = new Switch({ logger });
  t.after(() => etherSwitch.close());
  for (const name of ['left', 'right']) etherSwitch.attach(new MemoryPort(), { name });
  lines.length = 0;
  const changed: number[] = [];
  etherSwitch.onChanged = ({ number }) => changed.push(number);
  return { etherSwitch, administration: etherSwitch.administration, lines, changed };
}

test('labels are changed one by one, and a name that another port has changes nothing', (t) => {
  const { etherSwitch, administration, changed } = switchOf(t);
  administration.setLabels('left', { name: 'up', description: 'to the site' });
  assert.throws(() => administration.setLabels(1, { name: 'right', description: 'other' }), {
    code: 'PORT_NAME_TAKEN',
  });
  assert.throws(() => administration.setLabels('left', {}), { code: 'PORT_NOT_FOUND' });
  administration.setLabels('up', { name: '' });
  const { name, description } = etherSwitch.attachedPort(1);
  assert.deepEqual([name, description], [undefined, 'to the site']);
  assert.deepEqual(changed, [1, 1]);
});

test('a setting is in force and told once, if it is another one', (t) => {
  const { etherSwitch, administration, changed, lines } = switchOf(t);
  administration.setValues('right', { isolated: true });
  administration.setValues('right', { isolated: true });
  assert.equal(etherSwitch.port('right').isIsolated, true);
  assert.deepEqual([changed, lines], [[2], ['port settings changed']]);
  administration.setValues('right', { isolated: false });
  assert.equal(etherSwitch.port('right').isIsolated, false);
});

test('of ports whose settings come from elsewhere only those with another one are changed', (t) => {
  const { etherSwitch, administration, changed } = switchOf(t);
  let isolated = false;
  for (const values of [{}, { isolated: true }]) {
    etherSwitch.attach(new MemoryPort(), { values, otherwise: () => ({ isolated }) });
  }
  isolated = true;
  administration.settingsChanged(etherSwitch.attachedPorts());
  assert.deepEqual(changed, [3]);
  assert.deepEqual(
    [...etherSwitch.ports.values()].map((port) => port.isIsolated),
    [false, false, true, true],
  );
});

test('a port that is shut sends and receives nothing until it is opened', (t) => {
  const { etherSwitch, administration, changed, lines } = switchOf(t);
  const heard: number[] = [];
  const far = new MemoryPort({ onFrames: (frames) => heard.push(frames.length) });
  const near = new MemoryPort();
  const number = etherSwitch.attach(far);
  etherSwitch.attach(near);
  const frame = Buffer.from(`ffffffffffff02000000000188b5${'00'.repeat(46)}`, 'hex');
  assert.equal(administration.setShut(number, true), etherSwitch.port(number));
  near.deliver(frame);
  administration.setShut(number, false);
  near.deliver(frame);
  assert.deepEqual(heard, [1]);
  assert.deepEqual(lines.slice(2), ['port shut', 'port opened']);
  assert.deepEqual(changed, [number, number]);
});
