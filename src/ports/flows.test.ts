import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import {
  CountingBridge,
  nativeTunnel,
  openTapHost,
  prepareNamespace,
  stationFrame,
  type TapHost,
} from '../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import { numberOf } from '../../test/support/port-recorder.ts';
import { anyIdentity } from '../../test/support/socket-pair.ts';
import { missingTools } from '../../test/support/tools.ts';
import type { ServerIdentity } from '../../test/support/web-socket-peer.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Wire } from './stream/packing.ts';

const skip = enterOwnNamespace();
const FRAMES = 1000;
const BURST = 50;
/** Stations behind either end. */
const [LEFT, RIGHT] = [1, 2];

before(() => {
  if (skip === false) prepareNamespace();
});

let devices = 0;

/** A way between two TAP devices. */
interface Way {
  readonly left: TapHost;
  readonly right: TapHost;
  /** from left to right */
  readonly bridges: readonly CountingBridge[];
  /** in the order in which a frame from the left meets them */
  readonly ports: readonly BridgePort[];
}

/** TAP devices at the ends of a chain of bridges, between any two of which is a tunnel. */
async function openWay(t: TestContext, count: number, wire: Wire, identity?: ServerIdentity): Promise<Way> {
  const [left, right] = [await openTapHost(t, `way${devices++}`), await openTapHost(t, `way${devices++}`)];
  const bridges = Array.from({ length: count }, () => new CountingBridge());
  const ports: BridgePort[] = [];
  let bridge = bridges[0] as CountingBridge;
  ports.push(bridge.attach(left.port));
  for (const next of bridges.slice(1)) {
    const { client, server } = await nativeTunnel(identity, wire);
    t.after(() => Promise.all([client.close(), server.close()]));
    ports.push(bridge.attach(client), next.attach(server));
    bridge = next;
  }
  ports.push(bridge.attach(right.port));
  return { left, right, bridges, ports };
}

async function learn({ left, right }: Way): Promise<void> {
  for (let round = 0; round < 2; round++) {
    left.send(stationFrame(LEFT, RIGHT, 0));
    await right.heard.take(1);
    right.send(stationFrame(RIGHT, LEFT, 0));
    await left.heard.take(1);
  }
}

/** Sends frames of all lengths that a device takes. @returns how many octets they have */
async function cross(from: TapHost, to: TapHost, source: number, destination: number): Promise<number> {
  let octets = 0;
  for (let first = 0; first < FRAMES; first += BURST) {
    const frames = Array.from({ length: BURST }, (_, i) =>
      stationFrame(source, destination, first + i, 60 + (((first + i) * 37) % 1455)),
    );
    from.send(...frames);
    const arrived = await to.heard.take(BURST);
    for (const [i, frame] of frames.entries()) {
      assert.equal(numberOf(arrived[i] as Buffer), first + i, 'the order');
      assert.ok(arrived[i]?.equals(frame), `the octets of frame ${first + i}`);
      octets += frame.length;
    }
  }
  return octets;
}

interface Counts {
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

function countsOf({ rx, tx }: BridgePort): Counts {
  return { rx: [rx.frames, rx.octets], tx: [tx.frames, tx.octets] };
}

for (const [what, bridges, wire, isSecure] of [
  ['one bridge', 1, 'batched', false],
  ['a tunnel', 2, 'batched', false],
  ['a tunnel under TLS', 2, 'batched', true],
  ['two tunnels and the bridge between them', 3, 'batched', false],
  ['two tunnels under TLS', 3, 'batched', true],
  ['a raw tunnel', 2, 'raw', false],
  ['a raw tunnel under TLS', 2, 'raw', true],
] as const) {
  const missing = skip || (isSecure ? missingTools('openssl') : false);
  test(`frames from TAP to TAP over ${what} pass the bridge by, in order, and are counted`, {
    skip: missing,
  }, async (t) => {
    const way = await openWay(t, bridges, wire, isSecure ? await anyIdentity() : undefined);
    await learn(way);
    for (const isForth of [true, false]) {
      const before = way.ports.map(countsOf);
      for (const bridge of way.bridges) bridge.frames = 0;
      const { left, right } = way;
      const octets = isForth ? await cross(left, right, LEFT, RIGHT) : await cross(right, left, RIGHT, LEFT);

      const first = isForth ? 0 : way.bridges.length - 1;
      for (const [at, { frames }] of way.bridges.entries()) {
        // Nothing leaves by a raw tunnel but by its port.
        if (wire === 'raw' && at === first) assert.equal(frames, FRAMES, 'all frames are the bridge’s');
        else assert.ok(frames < FRAMES / 2, `bridge ${at} was given ${frames} of ${FRAMES} frames`);
      }
      for (const [at, port] of way.ports.entries()) {
        const isIngress = (at % 2 === 0) === isForth;
        const [was, is] = [before[at] as Counts, countsOf(port)];
        const [more, same] = isIngress ? (['rx', 'tx'] as const) : (['tx', 'rx'] as const);
        assert.deepEqual(is[same], was[same], `port ${at}, ${same}`);
        const [frames = 0, bytes = 0] = was[more];
        assert.deepEqual(is[more], [frames + FRAMES, bytes + octets], `port ${at}, ${more}`);
        assert.ok(Object.values(port.rx.discards).every((discards) => discards === 0));
        assert.ok(Object.values(port.tx.discards).every((discards) => discards === 0));
      }
    }
  });
}
