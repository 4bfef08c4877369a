import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { once, until } from '../../../../test/support/waits.ts';
import type { UpgradedSocket } from '../upgraded-socket.ts';
import { SwitchingProtocols } from './switching-protocols.ts';

const HANDSHAKE = [
  'GET /lan HTTP/1.1',
  'Host: switch',
  'Connection: Upgrade',
  'Upgrade: h2c, websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

test('the answer has the fields of its own request only, and the socket comes with what was sent behind the handshake', async (t) => {
  const switching = new SwitchingProtocols();
  const got: UpgradedSocket[] = [];
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    t.after(() => socket.destroy());
    const fields = got.length === 0 ? ['Etherws-Test: first'] : [];
    switching.answer({ request, socket, head }, fields, (upgraded) => got.push(upgraded));
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  for (const [count, field] of [/\r\nEtherws-Test: first\r\n/, undefined].entries()) {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(`${HANDSHAKE}early`);
    const [answer] = await once(socket, 'data');
    await until(() => got.length === count + 1);
    assert.match(String(answer), /^HTTP\/1.1 101 .*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/s);
    if (field === undefined) assert.doesNotMatch(String(answer), /Etherws-Test/);
    else assert.match(String(answer), field);
    assert.equal(String(got[count]?.head), 'early');
  }
});
