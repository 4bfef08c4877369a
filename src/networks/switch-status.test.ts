import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';
import { NO_PROCESS, statusOf } from './switch-status.ts';

test('a status counts ports by state, and lists the twenty most frequent faults', (t) => {
  const etherSwitch = new Switch({ fdbCapacity: 7 });
  t.after(() => etherSwitch.close());
  for (let port = 1; port <= 25; port++) {
    const attached = etherSwitch.port(etherSwitch.attach(new MemoryPort(), { name: `p${port}` }));
    attached.discard('tx', 'tooLong', port);
    attached.discard('rx', 'filtered', 1000);
  }
  etherSwitch.administration.setShut(3, true);
  const limit = { limit: '--max-tunnels', used: 1, most: 2 };
  const status = statusOf(etherSwitch, { ...NO_PROCESS, limits: [limit] });
  assert.deepEqual(status.ports, { up: 24, shut: 1 });
  assert.deepEqual(status.tunnels, { dialled: 0, accepted: 0, users: 0 });
  assert.deepEqual(
    status.faults.map(({ frames }) => frames),
    Array.from({ length: 20 }, (_, index) => 25 - index),
  );
  const worst = { port: 25, portName: 'p25', direction: 'tx', reason: 'tooLong', frames: 25 };
  assert.deepEqual(status.faults[0], worst);
  assert.deepEqual(status.limits, [{ limit: '--fdb-size', used: 0, most: 7 }, limit]);
});
