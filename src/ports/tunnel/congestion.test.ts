import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTransport } from '../../../test/support/memory-transport.ts';
import { PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import { within } from '../../../test/support/waits.ts';
import type { Congestion } from '../../bridge/port.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { TunnelPort } from './tunnel-port.ts';

interface Stalled {
  readonly port: TunnelPort;
  readonly transport: MemoryTransport;
  readonly far: MemoryTransport;
  readonly farPort: TunnelPort;
  readonly congestion: Congestion;
}

/** A tunnel with so much to send to a far end that does not read that it is congested. */
function stalledTunnel(): Stalled {
  const [transport, far] = MemoryTransport.pair();
  const port = new TunnelPort({ type: 'server', target: 'near', transport });
  const farPort = new TunnelPort({ type: 'client', target: 'far', transport: far });
  for (const end of [port, farPort]) end.open(new PortRecorder());
  assert.equal(port.congestion, undefined);
  far.stall(true);
  const batch = batchOf(testFrame(1, 1500));
  for (;;) {
    assert.equal(port.send(batch, 0), undefined);
    port.flush(false);
    const { congestion } = port;
    if (congestion !== undefined) return { port, transport, far, farPort, congestion };
  }
}

for (const [name, end] of [
  ['its far end reads again', ({ far }) => far.stall(false)],
  ['its connection is cut', ({ transport }) => transport.destroy()],
  ['its far end vanishes', ({ far }) => far.destroy()],
] as const satisfies [string, (stalled: Stalled) => void][]) {
  test(`a device that waits for a tunnel is called once, however often it asked, when ${name}`, async () => {
    const stalled = stalledTunnel();
    const { port, farPort, congestion } = stalled;
    let calls = 0;
    const called = new Promise<void>((resolve) => {
      const relieved = (): void => {
        calls++;
        resolve();
      };
      for (let times = 0; times < 1000; times++) congestion.onceRelieved(relieved);
    });
    await new Promise(setImmediate);
    assert.equal(calls, 0);
    end(stalled);
    await within(called, 'call that the congestion is over');
    await new Promise(setImmediate);
    assert.equal(calls, 1);
    assert.equal(port.congestion, undefined);
    await Promise.all([port.close(), farPort.close()]);
    assert.equal(calls, 1);
  });
}

test('a callback may ask again at once', async () => {
  const { port, far, farPort, congestion } = stalledTunnel();
  let calls = 0;
  const relieved = (): void => {
    if (++calls < 1000) congestion.onceRelieved(relieved);
  };
  congestion.onceRelieved(relieved);
  far.stall(false);
  await new Promise(setImmediate);
  assert.ok(calls > 0 && calls < 1000, `${calls} calls`);
  await Promise.all([port.close(), farPort.close()]);
});
