import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EtherwsSwitch } from '../support/etherws.ts';
import { LEFT, openPair, type Pair, RIGHT } from '../support/lan.ts';
import { missingModules, Peer } from '../support/peer.ts';

/** Longer than the interval of the switch's pings. */
const PINGED_MS = 60_000;
/** The idle time in seconds; by default until the first ping has come. */
const { ETHERWS_SELECT_LOOP_IDLE_S = '0' } = process.env;
const IDLE_MS = Number(ETHERWS_SELECT_LOOP_IDLE_S) * 1000;
const LASTING = { timeoutMs: IDLE_MS + 120_000 };

/** Keeps the host's kernel from sending frames by itself, so that only pings of the switch wake the peer. */
async function silence(pair: Pair): Promise<void> {
  for (const host of [pair.left, pair.right]) {
    await host.check([
      'bash',
      '-c',
      'for f in /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6; do echo 1 > $f; done',
    ]);
  }
}

async function startPeer(pair: Pair, lan: EtherwsSwitch, role: 'client' | 'server'): Promise<Peer> {
  const device = ['tap0', '192.0.2.2/24'];
  if (role === 'client') {
    return Peer.start(
      pair.right,
      'select_loop_peer.py',
      ['client', `ws://${LEFT.v4}:8000/`, ...device],
      /^open$/m,
      LASTING,
    );
  }
  const peer = await Peer.start(
    pair.right,
    'select_loop_peer.py',
    ['server', RIGHT.v4, '8000', ...device],
    /^listening$/m,
    LASTING,
  );
  await lan.done('addport', 'client', `ws://${RIGHT.v4}:8000/`);
  return peer;
}

async function staysAlive(t: TestContext, role: 'client' | 'server'): Promise<void> {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  await silence(pair);
  const lan = await EtherwsSwitch.start(pair.left, ['--port', '8000'], [], LASTING);
  await lan.done('addport', 'tap', 'ethws0');
  await lan.done('setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0');
  const peer = await startPeer(pair, lan, role);
  const idlesUntil = Date.now() + IDLE_MS;
  await peer.process.output(/^pinged$/m, PINGED_MS);
  await delay(Math.max(0, idlesUntil - Date.now()));
  const { stdout } = await pair.right.run(['ping', '-c5', '-i0.2', '-W5', '192.0.2.1']);
  assert.match(stdout, /5 received/);
  assert.doesNotMatch(peer.process.stdout, /closed/);
}

test('a switch that is one select loop over websocket-client goes on behind our pings', {
  concurrency: true,
}, async (t) => {
  const missing = missingModules('websocket');
  if (missing !== false) return t.skip(missing);
  // Both waits are for the ping after 20 s.
  await Promise.all([
    t.test('when it has dialled us', (t) => staysAlive(t, 'client')),
    t.test('when we have dialled it', (t) => staysAlive(t, 'server')),
  ]);
});
