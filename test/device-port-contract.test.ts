import { execFileSync } from 'node:child_process';
import type { Port } from '../src/bridge/port.ts';
import { nativeAddon } from '../src/native/addon.ts';
import { NetdevPort } from '../src/ports/device/netdev-port.ts';
import { TapPort } from '../src/ports/device/tap-port.ts';
import { batchOf } from '../src/wire/ethernet/frame-batch.ts';
import { type PortFixture, portContract } from './port-contract.ts';
import { enterOwnNamespace } from './support/own-namespace.ts';
import { FarEnd, PortRecorder } from './support/port-recorder.ts';
import { until } from './support/waits.ts';

const skip = enterOwnNamespace('ip');

for (const offload of [false, true]) {
  const mode = offload ? 'with offload' : 'without offload';

  portContract(
    `a tap port ${mode}`,
    async () => {
      const port = await TapPort.open('tap%d', { offload });
      const { index } = nativeAddon().readLink(port.target);
      return {
        port,
        // The kernel's side of the device, seen as any program on it would.
        ...farEndOn(await NetdevPort.open(port.target)),
        breakLink: () => nativeAddon().changeLink(index, 0, -1, -1),
      };
    },
    { skip },
  );

  portContract(
    `a netdev port ${mode}`,
    async () => {
      execFileSync('ip', ['link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far']);
      const far = nativeAddon().readLink('far').index;
      for (const name of ['near', 'far']) execFileSync('ip', ['link', 'set', name, 'up']);
      await until(() => !(!nativeAddon().readLink('near').isRunning || !nativeAddon().readLink('far').isRunning));
      const fixture = farEndOn(await NetdevPort.open('far'));
      return {
        port: await NetdevPort.open('near', { offload }),
        ...fixture,
        breakLink: () => nativeAddon().changeLink(far, 0, -1, -1),
        dispose: async () => {
          await fixture.dispose();
          execFileSync('ip', ['link', 'delete', 'near']);
        },
      };
    },
    { skip },
  );
}

function farEndOn(far: Port): Omit<PortFixture, 'port'> {
  const farEnd = new FarEnd();
  const recorder = new PortRecorder();
  recorder.onBatch = (batch) => {
    for (let index = 0; index < batch.count; index++) farEnd.reached(batch.frame(index));
  };
  far.open(recorder);
  return {
    farEnd,
    inject: (frames) => {
      const batch = batchOf(...frames);
      for (let index = 0; index < batch.count; index++) far.send(batch, index);
      far.flush(false);
    },
    dispose: () => far.close(),
  };
}
