import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsSwitch } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { joinPair, LEFT, LEFT_TAP, openPair, pings, RIGHT } from '../support/lan.ts';

test('a tunnel over IPv6, between addresses of IPv6 only', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const url = `ws://[${LEFT.v6}]:8000/`;
  const { right, leftSwitch, rightSwitch } = await joinPair(pair, url, { sw: ['--host', LEFT.v6, '--port', '8000'] });
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.ok(await pings(right, LEFT_TAP.v6));
  assert.equal((await rightSwitch.port(2)).target, url);
  assert.ok((await leftSwitch.port(2)).target.startsWith(`[${RIGHT.v6}]:`));
});

test('without --host tunnels are accepted over IPv4 and IPv6', async (t) => {
  const pair = await openPair(t);
  if (pair === undefined) return;
  await EtherwsSwitch.start(pair.left, ['--port', '8000']);
  const lan = await EtherwsSwitch.start(pair.right, ['--port', '8000']);
  await lan.done('addport', 'client', `ws://[${LEFT.v6}]:8000/`);
  await lan.done('addport', 'client', `ws://${LEFT.v4}:8000/`);
});

test('control over IPv6', async (t) => {
  const host = await (await openLab(t))?.host('lan');
  if (host === undefined) return;
  const options = ['--port', '8000', '--ctlhost', '::1'];
  const lan = await EtherwsSwitch.start(host, options, ['--ctlurl', 'http://[::1]:7867/ctl']);
  assert.deepEqual(await lan.ports(), []);
});
