import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  CountingBridge,
  nativePair,
  nativePort,
  openTapHost,
  prepareNamespace,
  stationFrame,
} from '../../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { PortRecorder } from '../../../test/support/port-recorder.ts';
import { anyIdentity } from '../../../test/support/socket-pair.ts';
import { until } from '../../../test/support/waits.ts';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import type { TlsRecords } from '../../native/tls.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { NativeTransport } from '../stream/native-transport.ts';
import { hasRecords } from '../stream/tls/record-keys.ts';
import { TunnelPort } from './tunnel-port.ts';

const skip = enterOwnNamespace();
const [HERE, THERE] = [1, 2];
const LIMIT = 16;
const FRAMES = 400;

before(() => {
  if (skip === false) prepareNamespace();
});

/**
 * The addon, with a limit of LIMIT records a key instead of 2^24 for tunnels that open by it.
 * @param sealed gets how many records each of our keys had sealed when it was replaced
 */
function addonWithLimit(sealed: number[]): NativeAddon {
  const addon = nativeAddon();
  assert.ok(hasRecords(addon));
  const { countTlsRecords, endTlsRecords, startTlsRecords } = addon;
  const sealing = new Set<TlsRecords>();
  return {
    ...addon,
    startTlsRecords: (suite, key, iv, sequence, isSealing) => {
      const records = startTlsRecords(suite, key, iv, sequence, isSealing);
      if (isSealing) sealing.add(records);
      return records;
    },
    endTlsRecords: (records) => {
      if (sealing.delete(records)) sealed.push(countTlsRecords(records));
      endTlsRecords(records);
    },
    sealTunnel: (descriptor, opening, sealing, _limit, prefetched, onRecord) =>
      addon.sealTunnel(descriptor, opening, sealing, LIMIT, prefetched, onRecord),
  };
}

for (const type of ['client', 'server'] as const) {
  test(`a flow into a ${type}'s tunnel seals no more records under a key than AES-GCM allows`, { skip }, async (t) => {
    const host = await openTapHost(t, `worn-${type}`);
    const bridge = new CountingBridge();
    const ingress = bridge.attach(host.port);
    const pair = await nativePair(await anyIdentity());
    const sealed: number[] = [];
    const transport = NativeTransport.adopt(pair.accepted, Buffer.alloc(0), () => addonWithLimit(sealed));
    assert.equal(transport?.kind, 'native-tls');
    const port = new TunnelPort({ type, target: 'peer', transport, wire: 'batched', limits: { closeTimeoutMs: 200 } });
    const far = nativePort(pair.dialled, type === 'client' ? 'server' : 'client');
    t.after(() => Promise.all([far.cut('over'), port.cut('over')]));
    bridge.attach(port);
    const heard = new PortRecorder();
    far.open(heard);
    // The bridge learns where the station is.
    assert.equal(far.send(batchOf(stationFrame(THERE, HERE, 0)), 0), undefined);
    far.flush(false);
    await host.heard.take(1);

    // Each frame is a batch, a message and a record of its own.
    for (let number = 0; number < FRAMES; number++) {
      host.send(stationFrame(HERE, THERE, number));
      await until(() => ingress.rx.frames > number);
    }
    await until(() => heard.frames.length >= FRAMES);
    assert.ok(heard.frames.every((frame, number) => frame.equals(stationFrame(HERE, THERE, number))));
    assert.ok(bridge.frames < FRAMES / 2, `the flow carried all but ${bridge.frames} of ${FRAMES} frames`);
    // Each key but the present one: LIMIT records, those of the handshake among them, and the KeyUpdate that ends it.
    assert.ok(sealed.length >= Math.floor(FRAMES / LIMIT), `${sealed.length} keys`);
    assert.deepEqual(
      sealed,
      sealed.map(() => LIMIT + 1),
    );
  });
}
