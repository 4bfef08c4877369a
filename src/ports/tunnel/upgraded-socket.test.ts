import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { once } from '../../../test/support/waits.ts';
import { listen, stop, webServer } from '../../../test/support/web-socket-peer.ts';
import { UpgradingWebSocket } from './upgraded-socket.ts';

test('the seam: ws hands the bare socket over behind the handshake, on both sides, and lets go of it', async () => {
  const server = webServer();
  const handshakes = new WebSocketServer({ server, perMessageDeflate: false, WebSocket: UpgradingWebSocket });
  const accepted = once(handshakes, 'connection') as Promise<[UpgradingWebSocket]>;
  const client = new UpgradingWebSocket(`ws://127.0.0.1:${await listen(server)}/`, { perMessageDeflate: false });
  await once(client, 'upgraded');
  const [peer] = await accepted;
  for (const { upgraded } of [client, peer]) {
    assert.ok(upgraded?.socket instanceof Socket);
    assert.ok(Buffer.isBuffer(upgraded.head));
    for (const event of ['data', 'error', 'readable']) {
      assert.equal(upgraded.socket.listenerCount(event), 0, `a listener is left for ${event}`);
    }
    assert.notEqual(upgraded.socket.readableFlowing, true, 'it is read already');
  }
  client.upgraded?.socket.destroy();
  peer.upgraded?.socket.destroy();
  handshakes.close();
  await stop(server);
});
