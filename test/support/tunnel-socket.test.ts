import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { pingFiller } from '../../src/wire/tunnel/ping-filler.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { once } from './waits.ts';

test('the frame behind a ping is no event of a TunnelSocket, every other message is', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  t.after(() => tunnel.terminate());
  const heard: string[] = [];
  tunnel.on('message', (message: Buffer) => heard.push(message.toString('latin1')));
  await once(tunnel, 'open');
  const [peer] = await connected;
  const filler = pingFiller(Buffer.from('0242ac110002', 'hex'));
  const other = Buffer.from(filler).fill(0xff, 0, 6);
  for (const message of [filler, 'a text', Buffer.alloc(0), filler, other]) peer.send(message);
  peer.close();
  await once(tunnel, 'close');
  assert.deepEqual(heard, ['a text', '', other.toString('latin1')]);
});
