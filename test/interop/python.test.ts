import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsSwitch } from '../support/etherws.ts';
import { createCredentials, LEFT, openPair, PASSWORD, pings, RIGHT, USER } from '../support/lan.ts';
import { missingModules, Peer } from '../support/peer.ts';

/*
 * A host that is simulated by a Python program, behind a tunnel of another
 * WebSocket library. The kernel finds it by ARP and pings it, and each octet of
 * each frame is compared.
 */
const COMPUTER = ['--host', '02:00:00:00:00:77', '192.0.2.77'] as const;

for (const [name, script, module] of [
  ['websocket-client', ['websocket_client_peer.py'], 'websocket'],
  ['websockets', ['websockets_peer.py', 'client'], 'websockets'],
] as const) {
  test(`${name} dials us, with TLS and a password`, async (t) => {
    const missing = missingModules(module);
    if (missing !== false) return t.skip(missing);
    const pair = await openPair(t, 'openssl', 'htpasswd', 'ping');
    if (pair === undefined) return;
    const { authority, options } = await createCredentials(pair);
    const lan = await EtherwsSwitch.start(pair.left, options);
    await lan.done('addport', 'tap', 'ethws0');
    await lan.done('setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0');
    const [file, ...role] = script;
    const dial = [...role, `wss://${LEFT.name}/`, '--cafile', authority.certificate, ...COMPUTER];
    const peer = await Peer.start(pair.right, file, [...dial, '--user', `${USER}:${PASSWORD}`]);
    assert.ok(await pings(pair.left, '192.0.2.77'));
    assert.ok(await pingsWithSize(pair.left, '192.0.2.77', 1472), 'frames of the full length');
    assert.doesNotMatch(peer.process.stdout, /unexpected/);

    peer.close();
    assert.equal(await peer.closeCode(), 1000);
    const refused = await Peer.start(pair.right, file, [...dial, '--user', `${USER}:wrong`], /^failed .*401/m);
    assert.notEqual((await refused.process.exited).status, 0);
  });
}

test('we dial websockets, with TLS and a password', async (t) => {
  const missing = missingModules('websockets');
  if (missing !== false) return t.skip(missing);
  const pair = await openPair(t, 'openssl', 'htpasswd', 'ping');
  if (pair === undefined) return;
  const { authority } = await createCredentials(pair);
  const { key, certificate } = await authority.issue('right', ['right.example']);
  await pair.lab.nameHosts({ 'right.example': RIGHT.v4 });
  const listen = ['server', RIGHT.v4, '8443', '--key', key, '--cert', certificate, '--user', `${USER}:${PASSWORD}`];
  const peer = await Peer.start(pair.right, 'websockets_peer.py', [...listen, ...COMPUTER], /^listening$/m);
  const lan = await EtherwsSwitch.start(pair.left, ['--port', '8000']);
  await lan.done('addport', 'tap', 'ethws0');
  await lan.done('setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0');

  const url = 'wss://right.example:8443/';
  const trust = ['--cacerts', authority.certificate, '--user', USER];
  const refused = await lan.ctl(['addport', 'client', url, ...trust, '--passwd', 'wrong']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /401/);
  await lan.done('addport', 'client', url, ...trust, '--passwd', PASSWORD);
  assert.ok(await pings(pair.left, '192.0.2.77'));
  assert.ok(await pingsWithSize(pair.left, '192.0.2.77', 1472));
  assert.doesNotMatch(peer.process.stdout, /unexpected/);

  await lan.done('delport', '2');
  assert.equal(await peer.closeCode(), 1000);
});

async function pingsWithSize(from: EtherwsSwitch['host'], address: string, bytes: number): Promise<boolean> {
  const { status } = await from.run(['ping', '-c3', '-i0.2', '-W5', '-Mdo', '-s', String(bytes), address]);
  return status === 0;
}
