import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import {
  CountingBridge,
  nativeTunnel,
  openTapHost,
  prepareNamespace,
  stationFrame,
  type TapHost,
  turns,
} from '../../test/support/fast-lab.ts';
import { collectUntil } from '../../test/support/garbage.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import { numberOf, PortRecorder } from '../../test/support/port-recorder.ts';
import { until } from '../../test/support/waits.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import { IngressPolicy, SourceClaims } from '../bridge/ingress-policy.ts';
import { nativeAddon } from '../native/addon.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { closeDescriptor } from './device/link-monitor.ts';
import { ServerPort } from './tunnel/resume/server-port.ts';
import type { TunnelPort } from './tunnel/tunnel-port.ts';

const skip = enterOwnNamespace();
const [HERE, THERE] = [1, 2];
/** More than one wake-up. */
const FRAMES = 40;

before(() => {
  if (skip === false) prepareNamespace();
});

let devices = 0;

interface Ended {
  readonly bridge: CountingBridge;
  readonly host: TapHost;
  readonly ingress: BridgePort;
}

async function openHost(t: TestContext, bridge = new CountingBridge()): Promise<Ended> {
  const host = await openTapHost(t, `end${devices++}`);
  return { bridge, host, ingress: bridge.attach(host.port) };
}

/** A far end that says frames of station THERE, and hears. */
interface Far {
  readonly heard: PortRecorder;
  send(...frames: readonly Buffer[]): void;
}

function farEndOf(port: TunnelPort): Far {
  const heard = new PortRecorder();
  port.open(heard);
  const send = (...frames: readonly Buffer[]): void => {
    const batch = batchOf(...frames);
    for (let index = 0; index < batch.count; index++) assert.equal(port.send(batch, index), undefined);
    port.flush(false);
  };
  return { heard, send };
}

/** Lets both stations be heard, and shows that frames from here to there pass the bridge by. */
async function installFlow({ bridge, host }: Ended, far: Far): Promise<void> {
  for (let round = 0; round < 2; round++) {
    far.send(stationFrame(THERE, HERE, 0));
    await host.heard.take(1);
    host.send(stationFrame(HERE, THERE, 0));
    await far.heard.take(1);
  }
  const before = bridge.frames;
  host.send(...numbered(FRAMES));
  await far.heard.take(FRAMES);
  assert.ok(bridge.frames - before < FRAMES, 'there is no flow');
}

function numbered(count: number): Buffer[] {
  return Array.from({ length: count }, (_, number) => stationFrame(HERE, THERE, number));
}

/** Sends frames, and waits until they are counted where they came in, and had the time to leave. */
async function sendAll({ host, ingress }: Ended, ...frames: readonly Buffer[]): Promise<void> {
  const was = seenBy(ingress);
  host.send(...frames);
  await until(() => seenBy(ingress) >= was + frames.length);
  await turns();
}

async function sendInVain(from: Ended, far: Far): Promise<void> {
  const { length } = far.heard.frames;
  await sendAll(from, ...numbered(FRAMES));
  assert.equal(far.heard.frames.length, length, 'frames went the old way');
}

function seenBy({ rx }: BridgePort): number {
  return Object.values(rx.discards).reduce((sum, discards) => sum + discards, rx.frames);
}

test('what was closed long ago takes nothing along when its memory is collected', { skip }, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  const collected: boolean[] = [];
  const registry = new FinalizationRegistry(() => collected.push(true));
  const openAndClose = async (): Promise<void> => {
    const descriptor = nativeAddon().openLinkEvents();
    registry.register(descriptor, undefined);
    nativeAddon().watch(descriptor, () => undefined);
    await closeDescriptor(descriptor);
  };
  let hasHeld = false;
  // A flow lives for a second: a busy machine may need more than one attempt.
  for (let attempts = 1; attempts <= 10 && !hasHeld; attempts++) {
    await openAndClose();
    await installFlow(here, there.host);
    const before = here.bridge.frames;
    await collectUntil(() => collected.length === attempts);
    assert.equal(collected.length, attempts, 'nothing was collected');
    await turns();
    await sendAll(here, ...numbered(FRAMES));
    await there.host.heard.take(FRAMES);
    hasHeld = here.bridge.frames === before;
  }
  assert.ok(hasHeld, 'frames came to the bridge, whose flow was to be left');
});

test('what changes in one bridge leaves the flows of another as they are', { skip }, async (t) => {
  const [here, elsewhere] = [await openHost(t), await openHost(t)];
  const there = await openHost(t, here.bridge);
  const old = await openHost(t, elsewhere.bridge);
  let hasHeld = false;
  // A flow lives for a second: a busy machine may need more than one attempt.
  for (let attempts = 0; attempts < 10 && !hasHeld; attempts++) {
    await installFlow(elsewhere, old.host);
    await installFlow(here, there.host);
    const before = here.bridge.frames;
    elsewhere.bridge.bridge.setShut(old.ingress, true);
    await sendAll(here, ...numbered(FRAMES));
    await there.host.heard.take(FRAMES);
    hasHeld = here.bridge.frames === before;
    const beforeElsewhere = elsewhere.bridge.frames;
    await sendInVain(elsewhere, old.host);
    assert.equal(elsewhere.bridge.frames, beforeElsewhere + FRAMES, 'the flows did not end where the change was');
    elsewhere.bridge.bridge.setShut(old.ingress, false);
  }
  assert.ok(hasHeld, 'frames came to the bridge in which nothing had changed');
});

test('a station that moved is found where it is, from the next frame on', { skip }, async (t) => {
  const here = await openHost(t);
  const [old, other] = [await openHost(t, here.bridge), await openHost(t, here.bridge)];
  await installFlow(here, old.host);
  other.host.send(stationFrame(THERE, HERE, 1));
  await here.host.heard.take(1);
  const before = old.host.heard.frames.length;
  await sendAll(here, ...numbered(FRAMES));
  assert.equal(old.host.heard.frames.length, before);
  await other.host.heard.takeUntil(FRAMES - 1);
});

test('no frame goes by a port that was shut, on either side', { skip }, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  const { bridge } = here.bridge;
  await installFlow(here, there.host);
  bridge.setShut(there.ingress, true);
  await sendInVain(here, there.host);
  assert.equal(there.ingress.tx.discards.shut, FRAMES);
  bridge.setShut(there.ingress, false);
  await installFlow(here, there.host);
  bridge.setShut(here.ingress, true);
  await sendInVain(here, there.host);
  assert.equal(here.ingress.rx.discards.shut, FRAMES);
});

test('a policy sees every frame from the moment at which it is set', { skip }, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  await installFlow(here, there.host);
  here.ingress.policy = new IngressPolicy({ sources: new Set() }, new SourceClaims(), performance.now());
  await sendInVain(here, there.host);
  assert.equal(here.ingress.rx.discards.sourceDenied, FRAMES);
});

test('rates of group frames leave unicast its flow, until other rules come', { skip }, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  const groupFrames = { perSecond: 0.001, burst: 1 };
  const policy = new IngressPolicy({ groupFrames }, new SourceClaims(), performance.now());
  here.ingress.policy = policy;
  await installFlow(here, there.host);
  const broadcast = stationFrame(HERE, THERE, 1);
  broadcast.fill(0xff, 0, 6);
  await sendAll(here, broadcast, broadcast, broadcast);
  assert.equal(here.ingress.rx.discards.rateExceeded, 2, 'group frames are judged meanwhile');
  policy.change({ groupFrames, etherTypes: new Set([0x0800]) }, performance.now());
  await sendInVain(here, there.host);
  assert.equal(here.ingress.rx.discards.typeDenied, FRAMES);
});

test('frames that no station can have sent are discarded beside a flow between the same stations', {
  skip,
}, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  await installFlow(here, there.host);
  const sourced = (hex: string): Buffer => {
    const frame = stationFrame(HERE, THERE, 1);
    frame.write(hex, 6, 'hex');
    return frame;
  };
  const tagged = (tci: number): Buffer => {
    const frame = stationFrame(HERE, THERE, 2);
    return Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0, tci >> 8, tci & 0xff]), frame.subarray(12)]);
  };
  const { tx } = there.ingress;
  const before = tx.frames;
  for (let round = 0; round < 2; round++) {
    await sendAll(here, sourced('000000000000'), sourced('ffffffffffff'), sourced('030000000001'));
    await sendAll(here, tagged(0x0fff), tagged(0xffff));
    await sendAll(here, stationFrame(HERE, THERE, 3), sourced('000000000000'), tagged(0x0fff));
  }
  const { badSource, badVid } = here.ingress.rx.discards;
  assert.deepEqual({ badSource, badVid }, { badSource: 8, badVid: 6 });
  assert.equal(tx.frames - before, 2, 'the frames in between have passed');
});

test('a port that is taken out gets nothing more, and gives nothing', { skip }, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  await installFlow(here, there.host);
  here.bridge.bridge.detach(there.ingress);
  const { tx } = there.ingress;
  const before = tx.frames;
  await sendInVain(here, there.host);
  assert.equal(tx.frames, before);
});

test('frames that are too long after a change of the MTU are discards', { skip }, async (t) => {
  const here = await openHost(t);
  const there = await openHost(t, here.bridge);
  await installFlow(here, there.host);
  const { index } = nativeAddon().readLink(there.host.port.target);
  nativeAddon().changeLink(index, -1, 600, -1);
  await until(() => there.host.port.maxFrameBytes === 614);
  const before = there.host.heard.frames.length;
  await sendAll(here, stationFrame(HERE, THERE, 1, 615), stationFrame(HERE, THERE, 2, 614));
  assert.equal(there.ingress.tx.discards.tooLong, 1);
  await there.host.heard.taken(before + 1);
  assert.equal(there.host.heard.frames.length, before + 1);
});

test('behind the close message of a tunnel there is no frame', { skip }, async (t) => {
  const here = await openHost(t);
  const { client, server } = await nativeTunnel();
  t.after(() => Promise.all([client.close(), server.close()]));
  const egress = here.bridge.attach(server);
  const far = farEndOf(client);
  await installFlow(here, far);
  // Its owner has not taken it out of the bridge yet.
  const closing = server.close();
  const before = egress.tx.frames;
  await sendInVain(here, far);
  assert.equal(egress.tx.frames, before);
  assert.equal(egress.tx.discards.linkDown, FRAMES);
  await closing;
});

test('a tunnel whose connection is replaced goes on by the new one alone', { skip }, async (t) => {
  const here = await openHost(t);
  const [first, second] = [await nativeTunnel(), await nativeTunnel()];
  t.after(() => Promise.all([first, second].flatMap(({ client, server }) => [client.close(), server.close()])));
  const port = new ServerPort({ tunnel: first.server, graceMs: 60_000 });
  const egress = here.bridge.attach(port);
  const [old, fresh] = [farEndOf(first.client), farEndOf(second.client)];
  await installFlow(here, old);
  port.resume(second.server);
  const [heard, sent] = [old.heard.frames.length, egress.tx.frames];
  here.host.send(...numbered(FRAMES));
  assert.deepEqual((await fresh.heard.take(FRAMES)).map(numberOf), [...Array(FRAMES).keys()]);
  assert.equal(old.heard.frames.length, heard);
  assert.equal(egress.tx.frames, sent + FRAMES);
  await installFlow(here, fresh);
  // Its client is away: nothing is sent, and nothing of it arrives later.
  await second.client.cut('gone');
  await until(() => !(egress.link !== 'away' && egress.link !== 'closed'));
  await sendInVain(here, fresh);
});
