import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MemoryPort } from '../../ports/memory-port.ts';
import { Switch } from '../switch.ts';
import { RunningReach } from './reach-control.ts';

function open(t: TestContext): { target: Switch; reach: RunningReach; ports: MemoryPort[] } {
  const target = new Switch();
  t.after(() => target.close());
  const ports = [new MemoryPort(), new MemoryPort()];
  for (const port of ports) target.attach(port);
  return { target, reach: new RunningReach(target), ports };
}

test('a ping to a group is refused, and nothing is sent', async (t) => {
  const { reach, ports } = open(t);
  for (const port of ports) port.onFrames((frames) => assert.fail(`${frames.length} frames were sent`));
  for (const target of ['ff:ff:ff:ff:ff:ff', '01:80:c2:00:00:00', '01-80-c2-00-00-0e', '00:00:00:00:00:00']) {
    await assert.rejects(reach.ping({ target }), /is no address of a station/, target);
  }
});

test('the flood of an unknown address is told without ports that get no such frames', (t) => {
  const { target, reach } = open(t);
  const floodOf = (): number[] => reach.trace({ target: '02:00:00:00:00:01' }).map(({ port }) => port);
  assert.deepEqual(floodOf(), [1, 2]);
  target.administration.setValues(1, { floodUnicast: false });
  assert.deepEqual(floodOf(), [2]);
});
