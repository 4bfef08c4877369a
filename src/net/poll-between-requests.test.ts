import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { closeDescriptor } from '../../test/support/descriptors.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import { once } from '../../test/support/waits.ts';
import { nativeAddon } from '../native/addon.ts';
import { deviceSlab } from '../ports/device/device-slab.ts';
import { HttpListener } from './http-listener.ts';

const skip = enterOwnNamespace();
/** Node says so before our listener hears of a request. */
const REQUEST_BEGINS = 'http.server.request.start';
const REQUESTS = 200;

test('a frame does not wait for all the requests that one turn of the loop has found', { skip }, async (t) => {
  const addon = nativeAddon();
  const loopback = addon.readLink('lo');
  addon.changeLink(loopback.index, 1, -1, -1);
  const { descriptor: tap } = addon.openTap('between', 0, 1 << 20);
  const { index } = addon.readLink('between');
  addon.changeLink(index, 1, -1, -1);
  const host = addon.openPacketSocket(index, false, 1 << 20);
  for (const descriptor of [tap, host]) t.after(() => closeDescriptor(descriptor));

  const listener = new HttpListener({ host: '127.0.0.1', listenPort: 0 });
  listener.route('/', { handleRequest: (_request, response) => void response.end() });
  await listener.listen();
  t.after(() => listener.close());
  const clients: Socket[] = [];
  t.after(() => clients.map((client) => client.destroy()));
  for (let i = 0; i < REQUESTS; i++) {
    const client = connect(listener.address.port, '127.0.0.1');
    clients.push(client);
    await once(client, 'connect');
  }
  const ask = async (): Promise<void> => {
    const answers = clients.map((client) => once(client, 'data'));
    for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(answers);
  };
  await ask(); // all of them are accepted

  const order: ('request' | 'frame')[] = [];
  const note = (): void => void order.push('request');
  subscribe(REQUEST_BEGINS, note);
  t.after(() => unsubscribe(REQUEST_BEGINS, note));
  deviceSlab();
  addon.readsFrames(tap, 2000);
  addon.watch(tap, (_status, count) => {
    if (count > 0) order.push('frame');
  });
  const answered = ask();
  // Behind all requests, in the same turn.
  const word = (value: number): Uint32Array => Uint32Array.of(value);
  assert.equal(
    addon.writeFrames(host, new Uint8Array(60), word(0), word(60), word(0), 1, false, 0, new Uint32Array(5)),
    1,
  );
  await answered;
  assert.equal(order.filter((event) => event === 'request').length, REQUESTS);
  const before = order.indexOf('frame');
  assert.ok(before >= 0 && before < REQUESTS / 2, `${before} of ${REQUESTS} requests went before the frame`);
});
