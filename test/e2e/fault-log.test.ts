import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { missingModules, Peer } from '../support/peer.ts';
import { frameOf } from '../support/peer-frames.ts';

test('a port that begins to drop frames for a fault says so once, with an example', async (t) => {
  const missing = missingModules('websocket');
  if (missing !== false) {
    t.skip(missing);
    return;
  }
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const host = await lab.host('lan');
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  await lan.done('addport', 'tap', 'ethws0');
  await lan.done('setif', '1', '--mtu', '600');
  const peer = await Peer.start(host, 'websocket_client_peer.py', ['ws://127.0.0.1:8000/']);
  for (let sent = 0; sent < 5; sent++) {
    peer.send(frameOf({ from: '02:00:00:00:00:0a', vid: 7, payload: 'x'.repeat(1000 + sent) }));
  }
  const { txDiscards } = await eventually(
    () => lan.port(1),
    ({ txDiscards: { tooLong = 0 } }) => tooLong === 5,
  );
  assert.deepEqual(Object.keys(txDiscards), ['tooLong']);
  await lan.stop();
  const lines = lan.process.stderr.split('\n').filter((line) => line.includes('begins to drop frames'));
  assert.equal(lines.length, 1, lines.join('\n'));
  const [line = ''] = lines;
  assert.match(line, /WARN.*port 1 begins to drop frames that are longer than it takes/);
  assert.match(line, /"target":"ethws0","direction":"tx","reason":"tooLong","maxFrameBytes":614/);
  assert.match(line, /"frame":"02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, VLAN 7, type 0x88b5, 1018 octets"/);
});
