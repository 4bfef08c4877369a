import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { listNeighbors, neighborsAt } from './neighbor-list.ts';
import { Switch } from './switch.ts';

test('neighbours are listed of all networks, of one, or of a port', async (t) => {
  const [near, far] = [new Switch(), new Switch()];
  for (const each of [near, far]) {
    t.after(() => each.close());
    each.configureNetwork('default', { lldp: 'on' });
    each.addNetwork('lab', { lldp: 'on', stp: 'off' });
    each.addNetwork('quiet', { lldp: 'off', stp: 'off' });
  }
  for (const network of ['default', 'lab', 'quiet']) {
    const [here, there] = [new MemoryPort(), new MemoryPort()];
    here.onFrames((frames) => there.deliver(...frames));
    there.onFrames((frames) => here.deliver(...frames));
    far.attach(there, { network, name: `far-${network}` });
    near.attach(here, { network, name: `near-${network}` });
  }
  await until(() => listNeighbors(near, undefined).length === 2);
  assert.deepEqual(
    listNeighbors(near, undefined).map(({ network, port, portName }) => [network, port, portName]),
    [
      ['default', 1, 'near-default'],
      ['lab', 2, 'near-lab'],
    ],
  );
  const lab = listNeighbors(near, 'lab');
  assert.deepEqual(
    lab.map(({ network }) => network),
    ['lab'],
  );
  assert.match(String(lab[0]?.neighborPort), /far-lab/);
  assert.deepEqual(neighborsAt(near.attachedPort('near-lab')), lab);
  assert.deepEqual(neighborsAt(near.attachedPort('near-quiet')), []);
  assert.throws(() => listNeighbors(near, 'other'), { code: 'NETWORK_NOT_FOUND' });
});
