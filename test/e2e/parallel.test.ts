import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { LEFT, LEFT_TAP, openPair, pings, RIGHT, RIGHT_TAP, startSwitches } from '../support/lan.ts';
import { RELAYED, Relay } from '../support/triangle.ts';

const PROXY = [process.execPath, fileURLToPath(new URL('programs/proxy.js', import.meta.url))];
const DIRECT = `ws://${LEFT.v4}:8000/`;
/** Numbers of the ports, at both ends: 1 is the TAP device. */
const [RELAYED_PORT, DIRECT_PORT] = [2, 3];

test('a tunnel of a switch to itself is refused, whatever lies between', async (t) => {
  const host = await (await openLab(t))?.host('lan');
  if (host === undefined) return;
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  await host.spawn([...PROXY, 'http', '3128']).output(/listening/);
  const url = 'ws://127.0.0.1:8000/';
  for (const more of [[], ['--wire', 'raw'], ['--allow-parallel'], ['--proxy', 'http://127.0.0.1:3128']]) {
    const { status, stderr } = await lan.ctl(['addport', 'client', url, ...more]);
    assert.equal(status, 1, more.join(' '));
    assert.match(stderr, /ws:\/\/127\.0\.0\.1:8000\/ leads back to this switch/);
    assert.match(stderr, /TUNNEL_TO_SELF/);
  }
  assert.deepEqual(await lan.ports(), []);
  // With --no-wait the reason is in the list of ports.
  await lan.done('addport', 'client', url, '--no-wait');
  await eventually(
    () => lan.port(1),
    ({ state, reason }) => state === 'backoff' && /leads back to this switch/.test(reason ?? ''),
  );
});

test('a second tunnel to the same switch stands by, and takes over when the first is lost', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { left, right, leftSwitch, rightSwitch } = await startSwitches(pair);
  const relay = new Relay(right);
  await relay.start();
  await rightSwitch.done('addport', 'client', RELAYED, '--reconnect-min', '0.2', '--reconnect-max', '0.5');
  assert.match(await rightSwitch.done('addport', 'client', DIRECT), /^ {5}3 {2}client {2}standby .*8000\/$/m);
  for (const each of [leftSwitch, rightSwitch]) {
    const { state, reason, rx, tx } = await each.port(DIRECT_PORT);
    assert.deepEqual([state, reason, rx, tx], ['standby', `parallel to port ${RELAYED_PORT}`, 0, 0]);
    assert.match(await each.done('listport', '--long'), /standby .*parallel to port 2$/m);
  }
  const { stdout } = await right.run(['ping', '-c', '5', '-i', '0.2', '-W', '5', LEFT_TAP.v4]);
  assert.match(stdout, /5 received/);
  assert.doesNotMatch(stdout, /DUP|duplicates/, 'frames circle');

  await relay.kill();
  await eventually(
    () => Promise.all([leftSwitch.port(DIRECT_PORT), rightSwitch.port(DIRECT_PORT)]),
    (ports) => ports.every(({ state, reason }) => state === 'up' && reason === null),
  );
  assert.ok(await pings(left, RIGHT_TAP.v4));
  assert.equal((await leftSwitch.port(RELAYED_PORT)).state, 'away', 'its client has time to come back');

  await relay.start();
  for (const each of [leftSwitch, rightSwitch]) {
    await eventually(
      () => each.port(RELAYED_PORT),
      ({ state, reason }) => state === 'standby' && reason === `parallel to port ${DIRECT_PORT}`,
    );
  }
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.match(rightSwitch.process.stderr, /a second tunnel to the same switch stands by/);
});

test('--allow-parallel, where something else breaks the loop, is obeyed by both ends', async (t) => {
  const pair = await openPair(t);
  if (pair === undefined) return;
  const leftSwitch = await EtherwsSwitch.start(pair.left, ['--port', '8000']);
  const rightSwitch = await EtherwsSwitch.start(pair.right, ['--port', '8000']);
  await rightSwitch.done('addport', 'client', DIRECT);
  await rightSwitch.done('addport', 'client', DIRECT, '--allow-parallel');
  await leftSwitch.done('addport', 'client', `ws://${RIGHT.v4}:8000/`);
  for (const each of [leftSwitch, rightSwitch]) {
    await eventually(
      () => each.ports(),
      (ports) => ports.map(({ state }) => state).join() === 'up,up,standby',
    );
  }
});
