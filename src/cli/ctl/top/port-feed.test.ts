import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../../test/support/etherws.ts';
import { FakeSwitch, startFakeControl } from '../../../../test/support/fake-switch.ts';
import { until } from '../../../../test/support/waits.ts';
import { ControlClient } from '../../../control/client.ts';
import type { MethodName, PortEntry } from '../../../control/schema.ts';
import { PortFeed } from './port-feed.ts';

/** The feed of `ctl top` from a control API over a fake switch with two ports. */
async function start(t: TestContext, mayCall: (user: string | null, method: MethodName) => boolean = () => true) {
  const fake = new FakeSwitch();
  for (const target of ['tap0', 'tap1']) await fake.addPort({ type: 'tap', target });
  const control = await startFakeControl({ fake, mayCall });
  t.after(() => control.close());
  const paints = { count: 0 };
  const feed = new PortFeed(new ControlClient({ url: control.url }), 1000, () => {
    paints.count++;
  });
  t.after(() => feed.close());
  const port = (number: number): PortEntry => fake.listPorts()[number - 1] as PortEntry;
  return { feed, control, paints, port };
}

test('the rates are those that the switch has measured, without a call', async (t) => {
  const { feed, paints, port } = await start(t);
  Object.assign(port(2), { rxBitRate: 8000, rxFrameRate: 10, rxOctets: 1e9 });
  await feed.take();
  assert.deepEqual(
    feed.ports.map(({ entry, rxBits, rxFrames }) => [entry.port, rxBits, rxFrames]),
    [
      [1, 0, 0],
      [2, 8000, 10],
    ],
  );
  const before = paints.count;
  Object.assign(port(1), { txBitRate: 500 });
  await until(() => paints.count > before);
  assert.equal(feed.ports[0]?.txBits, 500);
  await feed.take();
  const { length } = feed.ports[1]?.history ?? [];
  await feed.take();
  assert.equal(feed.ports[1]?.history.length, length + 1, 'a rate that stays is in the past as well');
});

test('the past begins with what the switch has kept of its ports', async (t) => {
  const { feed } = await start(t);
  await feed.take();
  assert.deepEqual(
    feed.ports.map(({ history }) => history),
    [
      [8, 16, 24, 32],
      [8, 16, 24, 32],
    ],
  );
});

test('a switch without the rates of the past shows those of the present', async (t) => {
  const { feed, port } = await start(t, (_user, method) => method !== 'listRate');
  Object.assign(port(1), { rxBitRate: 500 });
  await feed.take();
  assert.deepEqual([feed.ports[0]?.rxBits, feed.ports[0]?.history], [500, []]);
});

test('a switch that refuses to be observed is asked for its ports', async (t) => {
  const { feed, port } = await start(t, (_user, method) => method === 'listPort');
  await feed.take();
  Object.assign(port(1), { rxOctets: 1e6 });
  await feed.take();
  assert.ok((feed.ports[0]?.rxBits ?? 0) > 0, 'by the difference of the counters');
});

test('the end of the switch is told, and so is that the policy forbids the list', async (t) => {
  let allowed: readonly MethodName[] = ['observe', 'listPort'];
  const { feed, control, paints, port } = await start(t, (_user, method) => allowed.includes(method));
  await feed.take();
  allowed = ['observe'];
  Object.assign(port(1), { rxBitRate: 1 });
  const { count } = paints;
  const problem = (): Promise<string> =>
    feed.take().then(
      () => '',
      (error: Error & { readonly data?: string }) => error.data ?? error.message,
    );
  await eventually(problem, (text) => text.includes('may not observe ports'));
  assert.equal(paints.count, count);
  allowed = ['observe', 'listPort'];
  await feed.take();
  assert.equal(feed.ports[0]?.rxBits, 1);
  await control.close();
  await eventually(problem, (text) => text.includes('Nothing listens at'));
});
