import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  CountingBridge,
  openTapHost,
  prepareNamespace,
  stationFrame,
  type TapHost,
} from '../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import type { PortTap } from '../bridge/port-tap.ts';

const skip = enterOwnNamespace();
const FRAMES = 500;

before(() => {
  if (skip === false) prepareNamespace();
});

/** Sends frames from a station at one device to a station at another. @returns the number that the bridge received */
async function cross(bridge: CountingBridge, from: TapHost, to: TapHost, source: number, destination: number) {
  const before = bridge.frames;
  for (let count = 0; count < FRAMES; count += 20) {
    from.send(...Array.from({ length: 20 }, (_, at) => stationFrame(source, destination, count + at)));
    await to.heard.take(20);
  }
  return bridge.frames - before;
}

test('a tapped port leaves the fast path, others stay on it, and it returns when it is not tapped any more', {
  skip,
}, async (t) => {
  const bridge = new CountingBridge();
  const hosts = [await openTapHost(t, 'tapped0'), await openTapHost(t, 'tapped1')];
  const others = [await openTapHost(t, 'other0'), await openTapHost(t, 'other1')];
  const [a, b, c, d] = [...hosts, ...others] as [TapHost, TapHost, TapHost, TapHost];
  const [tapped] = [a, b, c, d].map((host) => bridge.attach(host.port));
  const pairs = [
    [a, b, 1, 2],
    [b, a, 2, 1],
    [c, d, 3, 4],
  ] as const;
  // Frames to an unknown station, so that the bridge learns all sources.
  for (const [at, host] of [a, b, c, d].entries()) host.send(stationFrame(at + 1, 99, 0));
  for (const host of [a, b, c, d]) await host.heard.take(3);

  const counts = async (): Promise<number[]> => {
    const given: number[] = [];
    for (const [from, to, source, destination] of pairs) {
      given.push(await cross(bridge, from, to, source, destination));
    }
    return given;
  };
  const few = (count = 0): boolean => count < FRAMES / 2;

  const untapped = await counts();
  assert.ok(untapped.every(few), `${untapped}`);

  let [received, sent] = [0, 0];
  const tap: PortTap = {
    received: ({ count }) => {
      received += count;
    },
    sent: () => {
      sent++;
    },
    discarded: () => undefined,
  };
  bridge.bridge.addTap(tapped as NonNullable<typeof tapped>, tap);
  const [forth, back, elsewhere] = await counts();
  assert.deepEqual([forth, back, received, sent], [FRAMES, FRAMES, FRAMES, FRAMES], 'each frame is seen, either way');
  assert.ok(few(elsewhere), `${elsewhere} frames of other ports came to the bridge`);

  bridge.bridge.removeTap(tapped as NonNullable<typeof tapped>, tap);
  const after = await counts();
  assert.ok(after.every(few), `${after}`);
  assert.deepEqual([received, sent], [FRAMES, FRAMES]);
});
