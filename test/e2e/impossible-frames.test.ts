import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { WebSocket } from 'ws';
import { eventually } from '../support/etherws.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

const A = '02:00:00:00:00:0a';
const reserved = (digit: number): string => `01:80:c2:00:00:0${digit.toString(16)}`;

interface Station {
  readonly tunnel: WebSocket;
  readonly heard: Buffer[];
}

async function join(t: TestContext, lan: SwitchProcess): Promise<Station> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  const heard: Buffer[] = [];
  tunnel.on('message', (frame: Buffer) => heard.push(frame));
  return { tunnel, heard };
}

/** Sends frames, then one that is flooded: when that has arrived, no earlier one can arrive any more. */
async function sendAll(from: Station, to: Station, frames: readonly Buffer[]): Promise<Buffer[]> {
  const end = frameOf({ from: A, payload: 'end' });
  to.heard.length = 0;
  for (const frame of [...frames, end]) from.tunnel.send(frame);
  await eventually(
    async () => to.heard.length,
    () => to.heard.at(-1)?.equals(end) === true,
  );
  return to.heard.slice(0, -1);
}

const ALL = Array.from({ length: 16 }, (_, digit) => frameOf({ to: reserved(digit), from: A }));

test('frames to reserved group addresses are not relayed, and counted', async (t) => {
  const lan = await SwitchProcess.start(t);
  const [a, b] = [await join(t, lan), await join(t, lan)];
  const others = [frameOf({ to: '01:80:c2:00:00:10', from: A }), frameOf({ to: '01:80:c2:00:00:20', from: A })];
  assert.deepEqual(await sendAll(a, b, [...ALL, ...others]), others);
  const [port] = await lan.ports();
  assert.deepEqual(port?.rxDiscards, { reserved: 16 });
  assert.equal(port?.rx, 19);
});

test('--forward-reserved relays those that it names', async (t) => {
  for (const [digits, relayed] of [
    ['0,E', [0, 14]],
    ['all', Array.from({ length: 16 }, (_, digit) => digit)],
  ] as const) {
    const lan = await SwitchProcess.start(t, ['--forward-reserved', digits]);
    const [a, b] = [await join(t, lan), await join(t, lan)];
    assert.deepEqual(
      await sendAll(a, b, ALL),
      relayed.map((digit) => ALL[digit]),
      digits,
    );
  }
});

test('impossible sources and the reserved VID are discarded, counted and never learned', async (t) => {
  const lan = await SwitchProcess.start(t);
  const [a, b] = [await join(t, lan), await join(t, lan)];
  const bad = ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '33:33:00:00:00:01'];
  const sent = [
    ...bad.map((from) => frameOf({ from })),
    frameOf({ from: A, vid: 4095 }),
    frameOf({ from: A, vid: 4094 }),
  ];
  assert.deepEqual(await sendAll(a, b, sent), sent.slice(-1));
  const [port] = await lan.ports();
  assert.deepEqual(port?.rxDiscards, { badSource: 4, badVid: 1 });
  const { entries } = await lan.call<{ entries: { vid: number; mac: string }[] }>('listFdb');
  assert.deepEqual(
    entries.map(({ vid, mac }) => `${vid} ${mac}`),
    [`4094 ${A}`, `0 ${A}`],
  );
});
