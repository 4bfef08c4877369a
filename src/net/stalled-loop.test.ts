import assert from 'node:assert/strict';
import { readSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { anyIdentity } from '../../test/support/socket-pair.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once, until } from '../../test/support/waits.ts';
import { HttpListener } from './http-listener.ts';
import type { ListenerOptions } from './listener-options.ts';
import { PendingUpgrades } from './pending-upgrades.ts';
import { descriptorOf } from './socket-descriptor.ts';
import { UnixListener } from './unix-listener.ts';

/** The limit of these tests. Each blocks the event loop for three times as long. */
const LIMIT_MS = 200;
const GET = 'GET / HTTP/1.1\r\nHost: switch\r\n\r\n';
const UPGRADE = `GET /lan HTTP/1.1\r\nHost: switch\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

/** Blocks the event loop of this process. */
function stall(ms: number = 3 * LIMIT_MS): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** A listener with a page, and a path for upgrades, which it answers with 101. */
async function listen(t: TestContext, options: Partial<ListenerOptions> = {}): Promise<HttpListener> {
  const limits = { timeoutMs: LIMIT_MS };
  const upgraded = new Set<Duplex>();
  const listener = new HttpListener({ host: '127.0.0.1', listenPort: 0, limits, ...options });
  listener.route('/', { handleRequest: (_request, response) => void response.end('page') });
  listener.route('/lan', {
    handleRequest: (_request, response) => void response.end(),
    handleUpgrade: (_request, socket) => {
      upgraded.add(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    },
  });
  await listener.listen();
  t.after(async () => {
    for (const socket of upgraded) socket.destroy();
    await listener.close();
  });
  return listener;
}

async function client(t: TestContext, listener: HttpListener): Promise<Socket> {
  const socket = connect(listener.address.port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('a request that came while the loop was blocked is answered, though its time is over', async (t) => {
  const listener = await listen(t);
  const sockets = [await client(t, listener), await client(t, listener)] as const;
  await until(() => listener.pending === 2);
  const answers = sockets.map((socket) => once(socket, 'data'));
  sockets[0].write(GET);
  sockets[1].write(UPGRADE);
  stall();
  const [[page], [switched]] = (await Promise.all(answers)) as [[Buffer], [Buffer]];
  assert.match(page.toString(), /^HTTP\/1.1 200 /);
  assert.match(switched.toString(), /^HTTP\/1.1 101 /);
});

test('upgrades that came while the loop was blocked are all served, one in a turn', async (t) => {
  const listener = await listen(t);
  const sockets: Socket[] = [];
  for (let count = 0; count < 100; count++) sockets.push(await client(t, listener));
  await until(() => listener.pending === 100);
  const answers = sockets.map((socket) => once(socket, 'data'));
  for (const socket of sockets) socket.write(UPGRADE);
  stall();
  for (const [answer] of await Promise.all(answers)) assert.match(String(answer), /^HTTP\/1.1 101 /);
});

test('a connection that says nothing is cut, also behind a stall', async (t) => {
  const listener = await listen(t);
  const socket = await client(t, listener);
  await until(() => listener.pending === 1);
  socket.resume();
  stall();
  await once(socket, 'close');
  assert.equal(listener.pending, 0);
});

test('a TLS handshake goes on that the loop has interrupted', { skip: missingTools('openssl') }, async (t) => {
  const listener = await listen(t, { tls: await anyIdentity() });
  const socket = connectTls({ port: listener.address.port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await until(() => listener.pending === 1);
  stall();
  await once(socket, 'secureConnect');
  socket.write(GET);
  const [page] = await once(socket, 'data');
  assert.match(String(page), /^HTTP\/1.1 200 /);
});

test('a verdict that came while the loop was blocked counts', async (t) => {
  const overdue: number[] = [];
  const pending = new PendingUpgrades({
    most: () => 1,
    timeoutMs: () => LIMIT_MS,
    onOverdue: () => void overdue.push(1),
  });
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  t.after(() => near.destroy());
  const [far] = (await once(server, 'connection')) as [Socket];
  t.after(() => far.destroy());
  const decided = pending.add(near);
  // The verdict comes by another connection.
  far.write('verdict');
  const verdict = once(near, 'readable').then(decided);
  stall();
  await verdict;
  assert.deepEqual([near.destroyed, overdue], [false, []]);
});

test('an answer whose reader made room while the loop was blocked goes on', async (t) => {
  const listener = await listen(t, { answers: { stalledMs: LIMIT_MS } });
  let answer: ServerResponse | undefined;
  const bytes = 32 * 1024 * 1024;
  listener.route('/large', {
    handleRequest: (_request, response) => {
      answer = response;
      response.end(Buffer.alloc(bytes));
    },
  });
  const socket = await client(t, listener);
  socket.pause();
  socket.write(GET.replace('/', '/large'));
  await until(() => answer?.socket !== null && (answer?.writableLength ?? 0) > 0);
  const descriptor = descriptorOf(socket) as number;
  const chunk = Buffer.alloc(1024 * 1024);
  let got = 0;
  // At the first end of the limit Node sees that the kernel has taken the begin of the answer.
  stall(2 * LIMIT_MS);
  for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate);
  try {
    for (;;) got += readSync(descriptor, chunk);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
  }
  assert.ok(got > 0);
  stall(2 * LIMIT_MS);
  socket.on('data', ({ length }: Buffer) => {
    got += length;
  });
  socket.resume();
  await until(() => got > bytes || socket.destroyed);
  assert.ok(got > bytes, `${got} octets came`);
});

test('an upgrade at a Unix socket that came while the loop was blocked is served', async (t) => {
  const name = `@etherws-stalled-${process.pid}`;
  const upgraded: Duplex[] = [];
  const handleUpgrade = (_request: unknown, socket: Duplex): void => {
    upgraded.push(socket);
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  };
  const listener = await UnixListener.listen(name, { handleUpgrade }, LIMIT_MS);
  t.after(async () => {
    for (const each of upgraded) each.destroy();
    await listener.close();
  });
  const [socket, silent] = [connect(`\0${name.slice(1)}`), connect(`\0${name.slice(1)}`)];
  for (const each of [socket, silent]) {
    each.on('error', () => undefined);
    t.after(() => each.destroy());
    await once(each, 'connect');
  }
  // Both are accepted behind this answer.
  const first = connect(`\0${name.slice(1)}`);
  t.after(() => first.destroy());
  first.write(GET);
  await once(first, 'data');
  const answered = once(socket, 'data');
  socket.write(UPGRADE);
  stall();
  await answered;
  assert.equal(upgraded.length, 1);
  silent.resume();
  await once(silent, 'close');
});
