import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  createCredentials,
  joinPair,
  LEFT,
  LEFT_TAP,
  macOf,
  openPair,
  PASSWORD,
  pings,
  RIGHT_TAP,
  USER,
} from '../support/lan.ts';

const TRANSFER = [process.execPath, fileURLToPath(new URL('../../demo/transfer.js', import.meta.url))];
const TRANSFER_BYTES = '33554432';

test('two hosts share one Ethernet through a tunnel with a verified certificate and a password', async (t) => {
  const pair = await openPair(t, 'openssl', 'htpasswd', 'ping');
  if (pair === undefined) return;
  const { authority, options } = await createCredentials(pair);
  const { left, right, leftSwitch, rightSwitch } = await joinPair(pair, `wss://${LEFT.name}/`, {
    sw: options,
    addport: ['--cacerts', authority.certificate, '--user', USER, '--passwd', PASSWORD],
  });

  await t.test('pings cross, IPv4 and IPv6, both ways', async () => {
    assert.ok(await pings(right, LEFT_TAP.v4));
    assert.ok(await pings(left, RIGHT_TAP.v4));
    assert.ok(await pings(right, LEFT_TAP.v6));
    assert.ok(await pings(left, RIGHT_TAP.v6));
  });

  await t.test('a TCP transfer arrives as it was sent, each way', async () => {
    for (const [to, from, address] of [
      [left, right, LEFT_TAP.v4],
      [right, left, RIGHT_TAP.v6],
    ] as const) {
      const receiver = to.spawn([...TRANSFER, 'receive', address, '5001']);
      await receiver.output(/listening/);
      const sent = await from.run([...TRANSFER, 'send', address, '5001', TRANSFER_BYTES]);
      assert.equal(sent.status, 0, sent.stderr);
      const received = await receiver.exited;
      assert.match(received.stdout, new RegExp(`"bytes":${TRANSFER_BYTES},`));
      assert.equal(sha256Of(received.stdout), sha256Of(sent.stdout));
    }
  });

  await t.test('both ends show the tunnel, its traffic, and the stations behind it', async () => {
    const [server] = (await leftSwitch.ports()).filter(({ type }) => type === 'server');
    const client = await rightSwitch.port(2);
    assert.equal(client.type, 'client');
    assert.equal(client.target, `wss://${LEFT.name}/`);
    assert.match(server?.target ?? '', /^10\.1\.0\.2:\d+$/);
    for (const port of [server, client]) {
      assert.equal(port?.state, 'up');
      assert.equal(port?.shut, false);
      assert.ok((port?.rx ?? 0) > 0 && (port?.tx ?? 0) > 0);
    }
    const macOfRight = await macOf(right, 'ethws0');
    const behind = (await leftSwitch.fdb()).find(({ mac }) => mac === macOfRight);
    assert.equal(behind?.port, server?.port);
  });
});

function sha256Of(output: string): string {
  const [, sha256] = /"sha256":"(\w{64})"/.exec(output) ?? [];
  assert.ok(sha256 !== undefined, output);
  return sha256;
}
