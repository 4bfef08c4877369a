import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { once, within } from '../../../test/support/waits.ts';
import { listen, stop, TestTunnelServer, webServer } from '../../../test/support/web-socket-peer.ts';
import { formatSwitchField, parseSwitchField, SWITCH_HEADER } from '../../wire/tunnel/switch-header.ts';
import { dialTunnel } from './dial/dial-tunnel.ts';
import { SwitchInstance } from './switch-instance.ts';

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

test('both ends of a tunnel know the same rank and id of it, and a later one has a higher rank', () => {
  const [one, other] = [new SwitchInstance(), new SwitchInstance()];
  let last = 0;
  for (const [client, server] of [
    [one, other],
    [other, one],
    [one, other],
  ] as const) {
    const offer = client.offer(false);
    const accepted = server.accept(parseSwitchField(offer.field));
    const atClient = client.accepted(offer, parseSwitchField(accepted?.answer ?? ''));
    assert.deepEqual(atClient, { ...accepted?.acquaintance, instance: server.id });
    assert.equal(accepted?.acquaintance.instance, client.id);
    assert.ok((atClient?.rank ?? 0) > last);
    last = atClient?.rank ?? 0;
  }
});

test('each network of a switch has an identity of its own, and all share the ranks', () => {
  const [here, there] = [new SwitchInstance(), new SwitchInstance()];
  const lab = here.of('lab');
  assert.equal(here.of('default'), here);
  assert.deepEqual([lab.id, lab.id.length], [here.of('lab').id, here.id.length]);
  assert.equal(new Set([here.id, lab.id, here.of('home').id, there.of('lab').id]).size, 4);
  const offer = parseSwitchField(lab.offer(false).field);
  assert.deepEqual([lab.isOwn(offer), here.isOwn(offer)], [true, false]);
  const ranks = [here, lab, here.of('lab')].map((each) => each.accept(parseSwitchField(there.offer(false).field)));
  assert.deepEqual(
    ranks.map((accepted) => accepted?.acquaintance.rank),
    [1, 2, 3],
  );
});

test('a peer that claims a rank without end does not keep later tunnels from ranking above it', () => {
  const instance = new SwitchInstance();
  const claim = { instance: 'x'.repeat(22), tunnelId: 'y'.repeat(22), rank: 10 ** 15 - 1, isParallelAllowed: false };
  const ranks = [1, 2, 3].map(
    () => instance.accept(parseSwitchField(formatSwitchField(claim)))?.acquaintance.rank ?? 0,
  );
  assert.deepEqual([...new Set(ranks)].sort(), ranks);
  const answer = instance.accept(parseSwitchField(formatSwitchField({ ...claim, rank: 0 })))?.answer ?? '';
  assert.ok((parseSwitchField(answer)?.rank ?? 0) > Math.max(...ranks), 'it can still be said');
});

test('a server answers its own switch with 508', async (t) => {
  const instance = new SwitchInstance();
  const server = new TestTunnelServer({ instance });
  await server.start();
  t.after(() => server.stop());
  const headers = { ...UPGRADE, [SWITCH_HEADER]: instance.offer(true).field };
  const [response] = (await once(get(server.url.replace('ws:', 'http:'), { headers }), 'response')) as [
    IncomingMessage,
  ];
  response.resume();
  assert.equal(response.statusCode, 508);
});

test('a client that gets an answer of its own switch closes, though the server was not told', async (t) => {
  const instance = new SwitchInstance();
  const web = webServer();
  const webSockets = new WebSocketServer({ server: web, perMessageDeflate: false });
  const said: unknown[] = [];
  webSockets.on('headers', (headers, request) => {
    said.push(request.headers[SWITCH_HEADER.toLowerCase()]);
    headers.push(`${SWITCH_HEADER}: instance=${instance.id}; rank=1`);
  });
  const closed = new Promise((resolve) => webSockets.on('connection', (peer) => peer.on('close', resolve)));
  const url = `ws://127.0.0.1:${await listen(web)}/`;
  t.after(() => stop(web));
  await assert.rejects(dialTunnel({ url, instance }), { code: 'TUNNEL_TO_SELF' });
  await within(closed, 'end of the connection at the server');
  assert.equal(said.length, 1);
});
