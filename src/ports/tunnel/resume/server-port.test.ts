import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTransport } from '../../../../test/support/memory-transport.ts';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { once } from '../../../../test/support/waits.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { ServerPort } from './server-port.ts';

function connection(): { near: TunnelPort; far: TunnelPort; farTransport: MemoryTransport } {
  const [transport, farTransport] = MemoryTransport.pair();
  const limits = { closeTimeoutMs: 50 };
  const near = new TunnelPort({ type: 'server', target: 'near', transport, wire: 'batched', limits });
  const far = new TunnelPort({ type: 'client', target: 'far', transport: farTransport, wire: 'batched', limits });
  return { near, far, farTransport };
}

test('frames that wait for a connection that is replaced are discards, and later ones go by the new one', async () => {
  const [first, second] = [connection(), connection()];
  const port = new ServerPort({ tunnel: first.near, graceMs: 3_600_000 });
  const events = new PortRecorder();
  const [heardByFirst, heardBySecond] = [new PortRecorder(), new PortRecorder()];
  port.open(events);
  first.far.open(heardByFirst);
  first.farTransport.stall(true);
  for (let number = 0; number < 10; number++) {
    assert.equal(port.send(batchOf(testFrame(number, 1400)), 0), undefined);
    port.flush(false);
  }
  port.resume(second.near);
  second.far.open(heardBySecond);
  // The kernel had the first one already.
  assert.deepEqual(Object.fromEntries(events.discards), { 'tx linkDown': 9 });
  assert.equal(port.send(batchOf(testFrame(10, 60)), 0), undefined);
  port.flush(false);
  await heardBySecond.take(1);
  first.farTransport.stall(false);
  await Promise.all([port.close(), first.far.close(), second.far.close()]);
});

test('a connection that is replaced before the port was opened is gone when the port is closed', async () => {
  const [first, second] = [connection(), connection()];
  let isGone = false;
  const onGone = (): void => {
    isGone = true;
  };
  const port = new ServerPort({ tunnel: first.near, graceMs: 3_600_000, onGone });
  port.resume(second.near);
  const events = new PortRecorder();
  port.open(events);
  second.far.open(new PortRecorder());
  second.far.send(batchOf(testFrame(1, 60)), 0);
  second.far.flush(true);
  await events.take(1);
  assert.deepEqual(events.linkChanges, []);
  const closing = port.close();
  assert.equal(isGone, false);
  await closing;
  assert.ok(isGone);
  await Promise.all([first.far.close(), second.far.close()]);
});

test('waiting can be given up, and only waiting', async () => {
  const { near, far, farTransport } = connection();
  const port = new ServerPort({ tunnel: near, graceMs: 3_600_000 });
  const events = new PortRecorder();
  port.open(events);
  far.open(new PortRecorder());
  port.giveUp('enough');
  assert.deepEqual([events.linkChanges, port.isOver], [[], false]);
  farTransport.destroy();
  while (events.linkChanges.length === 0) await once(events, 'change');
  port.giveUp('enough');
  assert.deepEqual(events.linkChanges.at(-1), { state: 'closed', reason: 'enough' });
  assert.ok(port.isOver);
  await Promise.all([port.close(), far.close()]);
});
