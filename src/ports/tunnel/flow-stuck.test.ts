import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import {
  CountingBridge,
  narrowSockets,
  nativePair,
  nativePort,
  openTapHost,
  prepareNamespace,
  stationFrame,
  type TapHost,
  turns,
} from '../../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { numberOf, PortRecorder } from '../../../test/support/port-recorder.ts';
import { anyIdentity } from '../../../test/support/socket-pair.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { until } from '../../../test/support/waits.ts';
import type { BridgePort } from '../../bridge/bridge-port.ts';
import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import type { TunnelPort } from './tunnel-port.ts';

const skip = enterOwnNamespace();
const [HERE, THERE] = [1, 2];
const BURST = 40;
const FRAME_BYTES = 1500;
const QUEUE_BYTES = 256 * 1024;
/** A write of the fast path, in records, of which nothing may have left. */
const WRITE_BYTES = 80 * 1024;

before(() => {
  if (skip !== false) return;
  prepareNamespace();
  narrowSockets();
});

let devices = 0;

/** A TAP device whose frames go into a tunnel, and the far end, which reads when it is told to. */
interface Bench {
  readonly host: TapHost;
  readonly bridge: CountingBridge;
  readonly ingress: BridgePort;
  readonly egress: BridgePort;
  readonly port: TunnelPort;
  readonly heard: PortRecorder;
  stand(): void;
  goOn(): void;
}

async function openBench(t: TestContext, isSecure: boolean, type: 'client' | 'server'): Promise<Bench> {
  const host = await openTapHost(t, `stuck${devices++}`);
  const bridge = new CountingBridge();
  const ingress = bridge.attach(host.port);
  const pair = await nativePair(isSecure ? await anyIdentity() : undefined);
  const port = nativePort(pair.accepted, type, 'batched', { queueBytes: QUEUE_BYTES, closeTimeoutMs: 20_000 });
  const far = nativePort(pair.dialled, type === 'client' ? 'server' : 'client');
  t.after(() => Promise.all([far.cut('over'), port.cut('over')]));
  const egress = bridge.attach(port);
  const heard = new PortRecorder();
  far.open(heard);
  const descriptor = far.flowTarget as Descriptor;
  for (let round = 0; round < 2; round++) {
    assert.equal(far.send(batchOf(stationFrame(THERE, HERE, 0)), 0), undefined);
    far.flush(false);
    await host.heard.take(1);
    host.send(stationFrame(HERE, THERE, 0));
    await heard.take(1);
  }
  return {
    host,
    bridge,
    ingress,
    egress,
    port,
    heard,
    stand: () => nativeAddon().pause(descriptor),
    goOn: () => nativeAddon().resume(descriptor),
  };
}

/** Sends frames by bursts, each of which the port has read before the next. */
async function send(bench: Bench, first: number, count: number): Promise<void> {
  for (let at = first; at < first + count; at += BURST) {
    const was = bench.ingress.rx.frames;
    const frames = Array.from({ length: BURST }, (_, i) => stationFrame(HERE, THERE, at + i, FRAME_BYTES));
    bench.host.send(...frames);
    await until(() => bench.ingress.rx.frames >= was + BURST);
    assert.ok(bench.port.queuedBytes <= QUEUE_BYTES + WRITE_BYTES, `${bench.port.queuedBytes} octets wait`);
  }
}

function discardsOf({ egress }: Bench): number {
  return Object.values(egress.tx.discards).reduce((sum, discards) => sum + discards, 0);
}

/** What is left to arrive does: all but what was dropped, in order, each once, and as it was sent. */
async function expectAll(bench: Bench, sent: number): Promise<void> {
  const ours = (): Buffer[] => bench.heard.frames.filter((frame) => frame.length === FRAME_BYTES);
  await until(() => ours().length + discardsOf(bench) >= sent);
  await turns();
  const arrived = ours();
  assert.equal(arrived.length + discardsOf(bench), sent, 'sent is received and discarded');
  let last = -1;
  for (const frame of arrived) {
    const number = numberOf(frame);
    assert.ok(number > last, `frame ${number} behind ${last}`);
    assert.ok(frame.equals(stationFrame(HERE, THERE, number, FRAME_BYTES)), `the octets of frame ${number}`);
    last = number;
  }
}

for (const isSecure of [false, true]) {
  for (const type of ['server', 'client'] as const) {
    const how = `${type}${isSecure ? ' under TLS' : ''}`;
    const missing = skip || (isSecure ? missingTools('openssl') : false);
    test(`a ${how} whose peer stands still loses nothing but what it says, and no order`, {
      skip: missing,
    }, async (t) => {
      const bench = await openBench(t, isSecure, type);
      let sent = 0;
      const sendMore = async (count: number): Promise<void> => {
        await send(bench, sent, count);
        sent += count;
      };
      for (let round = 0; round < 3; round++) {
        bench.bridge.frames = 0;
        await sendMore(80);
        if (round === 0) assert.ok(bench.bridge.frames < 80, 'there is no flow');
        await expectAll(bench, sent);
        bench.stand();
        // More than the kernel holds and less than the queue takes; the third time more than both.
        await sendMore(round < 2 ? 320 : 1200);
        assert.ok(bench.port.queuedBytes > 0, 'nothing had to wait');
        assert.equal(discardsOf(bench) > 0, round === 2);
        bench.goOn();
        await expectAll(bench, sent);
        assert.equal(bench.port.queuedBytes, 0);
      }
      assert.equal(bench.egress.tx.frames, sent + 2);
    });

    test(`nothing overtakes in a ${how} whose peer reads in fits and starts`, { skip: missing }, async (t) => {
      const bench = await openBench(t, isSecure, type);
      let sent = 0;
      for (let round = 0; round < 40; round++) {
        // Room comes and goes while frames of both ways, and the rest of a message, wait for it.
        if (round % 5 === 0) bench.stand();
        if (round % 5 === 3) bench.goOn();
        await send(bench, sent, 2 * BURST);
        sent += 2 * BURST;
      }
      bench.goOn();
      await expectAll(bench, sent);
    });

    test(`a ${how} that is closed meanwhile ends with its close message, whole`, { skip: missing }, async (t) => {
      const bench = await openBench(t, isSecure, type);
      bench.stand();
      let sent = 0;
      while (bench.port.queuedBytes === 0) {
        assert.ok(sent < 1_000_000, 'a peer that does not read takes all');
        await send(bench, sent, BURST);
        sent += BURST;
      }
      const closing = bench.port.close();
      await turns();
      bench.goOn();
      await expectAll(bench, sent);
      const { reason } = await bench.heard.linkChange();
      assert.match(reason ?? '', /^closed by the peer: 1000/);
      await closing;
    });
  }
}
