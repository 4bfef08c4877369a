import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { joinPair, LEFT, LEFT_TAP, macOf, openPair, pings } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import { missingModules, Peer } from '../support/peer.ts';

async function hasDevice(host: Host, name: string): Promise<boolean> {
  return (await host.run(['ip', 'link', 'show', name])).status === 0;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} closes the tunnels with 1001, removes the TAP devices, and ends with status 0`, async (t) => {
    const missing = missingModules('websocket', 'websockets');
    if (missing !== false) return t.skip(missing);
    const host = await (await openTapLab(t))?.host('lan');
    if (host === undefined) return;
    await host.check(['ip', 'tuntap', 'add', 'keep0', 'mode', 'tap']);
    const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
    const dialling = await Peer.start(host, 'websocket_client_peer.py', ['ws://127.0.0.1:8000/']);
    const dialled = await Peer.start(host, 'websockets_peer.py', ['server', '127.0.0.1', '9000'], /^listening$/m);
    await lan.done('addport', 'client', 'ws://127.0.0.1:9000/');
    await lan.done('addport', 'tap', 'ethws0');
    await lan.done('addport', 'tap', 'keep0');

    const { status, signal: killedBy } = await lan.stop(signal);
    assert.deepEqual({ status, killedBy }, { status: 0, killedBy: null });
    assert.equal(await dialling.closeCode(), 1001);
    assert.equal(await dialled.closeCode(), 1001);
    assert.equal(await hasDevice(host, 'ethws0'), false);
    assert.equal(await hasDevice(host, 'keep0'), true, 'a persistent TAP device is not ours to destroy');
  });
}

test('a peer that does not answer cannot keep the switch from ending', async (t) => {
  const host = await (await openTapLab(t))?.host('lan');
  if (host === undefined) return;
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  const peer = await Peer.start(host, 'raw_peer.py', ['127.0.0.1', '8000', '/']);
  peer.process.signal('SIGSTOP');
  const { status } = await lan.stop();
  assert.equal(status, 0);
});

test('an addport that still dials does not keep the switch from ending, and is told so', async (t) => {
  const pair = await openPair(t, 'nft', 'ss');
  if (pair === undefined) return;
  const { left, right } = pair;
  await left.check(['nft', 'add table ip t { chain c { type filter hook input priority 0; tcp dport 8000 drop; }; }']);
  const ethernet = await EtherwsSwitch.start(right, ['--port', '8000']);
  const adding = ethernet.ctl(['addport', 'client', `ws://${LEFT.v4}:8000/`]);
  await eventually(
    () => right.check(['ss', '-Htn', 'state', 'syn-sent']),
    (connections) => connections !== '',
  );
  assert.equal((await ethernet.stop()).status, 0);
  const { status, stderr } = await adding;
  assert.equal(status, 1);
  assert.match(stderr, /The switch is stopping/);
});

test('an existing persistent TAP device is attached, and survives delport', async (t) => {
  const host = await (await openTapLab(t))?.host('lan');
  if (host === undefined) return;
  await host.check(['ip', 'tuntap', 'add', 'keep0', 'mode', 'tap']);
  const before = await macOf(host, 'keep0');
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  await lan.done('addport', 'tap', 'keep0');
  assert.equal(await macOf(host, 'keep0'), before);
  await lan.done('delport', '1');
  assert.equal(await hasDevice(host, 'keep0'), true);
  await lan.done('addport', 'tap', 'keep0');
});

test('a tap port follows its device down, up, and away', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { left, right, leftSwitch } = await joinPair(pair);
  assert.ok(await pings(right, LEFT_TAP.v4));
  await left.check(['ip', 'link', 'set', 'ethws0', 'down']);
  const down = await eventually(
    () => leftSwitch.port(1),
    ({ state }) => state === 'down',
  );
  assert.notEqual(down.reason, null);
  await left.check(['ip', 'link', 'set', 'ethws0', 'up']);
  const up = await eventually(
    () => leftSwitch.port(1),
    ({ state }) => state === 'up',
  );
  assert.equal(up.reason, null);
  assert.ok(await pings(right, LEFT_TAP.v4));
  await left.check(['ip', 'link', 'delete', 'ethws0']);
  const gone = await eventually(
    () => leftSwitch.port(1),
    ({ state, reason }) => state === 'down' && reason === 'waiting for ethws0',
  );
  assert.equal(gone.rx > 0, true);
  await leftSwitch.done('delport', '1');
  await leftSwitch.done('addport', 'tap', 'ethws0');
});

test('when the far end goes away, the port that dialled shows it and comes back, and the accepted one goes', async (t) => {
  const pair = await openPair(t);
  if (pair === undefined) return;
  const { leftSwitch, rightSwitch } = await joinPair(pair);
  assert.equal((await leftSwitch.stop()).status, 0);
  const lost = await eventually(
    () => rightSwitch.port(2),
    ({ state }) => state !== 'up',
  );
  assert.notEqual(lost.reason, null);
  assert.match(await rightSwitch.done('listport'), /^ {5}2 {2}client {2}(?!up)\w+ .*ws:\/\/10\.1\.0\.1:8000\//m);

  const again = await EtherwsSwitch.start(pair.left, ['--port', '8000', '--grace', '1']);
  // The client port dials again by itself.
  await eventually(
    () => again.ports(),
    (ports) => ports.length === 1,
  );
  assert.equal((await rightSwitch.ports()).length, 2);
  await rightSwitch.stop('SIGKILL');
  await eventually(
    () => again.ports(),
    (ports) => ports.length === 0,
  );
});
