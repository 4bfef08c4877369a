import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSwitch, startFakeControl } from '../../../test/support/fake-switch.ts';
import { LiveObserver } from '../../../test/support/live-observer.ts';
import { once, until } from '../../../test/support/waits.ts';
import type { MethodName } from '../schema.ts';

const PORTS = 4000;

/** Each second all ports of it have another text of 1 KiB. */
class BusySwitch extends FakeSwitch {
  round = 0;
  isBusy = true;

  override *eachPort() {
    if (this.isBusy) this.round++;
    const [first] = super.listPorts();
    if (first === undefined) return;
    const description = `${this.round}`.padEnd(1024, 'x');
    for (let port = 1; port <= PORTS; port++) yield { ...first, port, description };
  }
}

async function busy(): Promise<BusySwitch> {
  const fake = new BusySwitch();
  await fake.addPort({ type: 'tap', target: 'tap0' });
  return fake;
}

test('a reader that stops reading costs no more than what it may have waiting, and gets the table when it reads', async (t) => {
  const fake = await busy();
  const control = await startFakeControl({ fake });
  t.after(() => control.close());
  const url = control.url.replace('http', 'ws');
  const [slow, quick] = [await LiveObserver.dial(t, url), await LiveObserver.dial(t, url)];
  await slow.call('observe', { tables: ['ports'] });
  await until(() => slow.table('ports').rows.size === PORTS);
  slow.webSocket.pause();
  await quick.call('observe', { tables: ['ports'] });
  // The sockets of both ends hold a few of the 4 MiB of each round.
  const { round } = fake;
  await until(() => fake.round >= round + 6);
  await until(() => quick.table('ports').rows.size === PORTS);
  fake.isBusy = false;
  const before = slow.pieces.length;
  slow.webSocket.resume();
  const last = `${fake.round}`.padEnd(1024, 'x');
  const isCurrent = (): boolean =>
    [...slow.table('ports').rows.values()].every((entry) => Reflect.get(entry, 'description') === last);
  await until(isCurrent);
  const entries = slow.pieces
    .slice(before)
    .reduce((sum, { put = [], change = [] }) => sum + put.length + change.length, 0);
  assert.ok(entries < 6 * PORTS, `${entries} entries came, as if none had been left out`);
});

test('an observation ends with its connection, and the next one begins with a snapshot', async (t) => {
  const fake = await busy();
  const control = await startFakeControl({ fake });
  t.after(() => control.close());
  const url = control.url.replace('http', 'ws');
  const first = await LiveObserver.dial(t, url);
  await first.call('observe', { tables: ['ports', 'status'] });
  await until(() => first.table('ports').rows.size === PORTS && first.table('status').rows.size === 1);
  await first.call('observe', { tables: ['status'] });
  await until(() => first.pieces.filter(({ table, reset }) => table === 'status' && reset === true).length === 2);
  const closed = once(first.webSocket, 'close');
  first.webSocket.close();
  await closed;
  const { round } = fake;
  const second = await LiveObserver.dial(t, url);
  await second.call('observe', { tables: ['status'] });
  await until(() => second.table('status').rows.size === 1);
  assert.equal(fake.round, round, 'the ports are computed for no reader');
});

test('the policy may forbid observe itself', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let forbidden: MethodName | undefined;
  const control = await startFakeControl({ mayCall: (_user, method) => method !== forbidden });
  t.after(() => control.close());
  const observer = await LiveObserver.dial(t, control.url.replace('http', 'ws'));
  await observer.call('observe', { tables: ['ports'] });
  const closed = once(observer.webSocket, 'close');
  forbidden = 'observe';
  t.mock.timers.tick(30_000);
  const [code, reason] = await closed;
  assert.deepEqual([code, String(reason)], [1008, 'the policy has changed']);
});
