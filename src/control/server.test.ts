import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type FakeControl, FakeSwitch, startFakeControl } from '../../test/support/fake-switch.ts';
import { fakeAnswer, once, onceAny, within } from '../../test/support/waits.ts';
import type { Authenticator, Verdict } from '../auth/authenticator.ts';

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'etherws.control.listPort' });

async function start(t: TestContext, options: Parameters<typeof startFakeControl>[0] = {}): Promise<FakeControl> {
  const control = await startFakeControl(options);
  t.after(() => control.close());
  return control;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

interface Wish {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  path?: string;
}

/** By node:http, which unlike fetch lets a test send any Host and Origin. */
async function send(control: FakeControl, wish: Wish = {}): Promise<Reply> {
  const { method = 'POST', headers = {}, body = LIST, path = '/ctl' } = wish;
  const request = httpRequest(control.url, {
    method,
    path,
    agent: false,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  request.on('error', () => undefined);
  request.end(method === 'POST' ? body : undefined);
  const [response] = await once(request, 'response');
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response) text += piece;
  return { status: response.statusCode, headers: response.headers, text };
}

function assertRefused(reply: Reply, status: number, message: RegExp): void {
  assert.equal(reply.status, status);
  assert.equal(reply.headers['content-type'], 'application/json');
  const { jsonrpc, id, error } = JSON.parse(reply.text);
  assert.deepEqual({ jsonrpc, id }, { jsonrpc: '2.0', id: null });
  assert.deepEqual([error.code, error.message], [-32600, 'Invalid Request']);
  assert.match(error.data, /^[A-Z_]+: ./);
  assert.match(error.data, message);
}

function gate(verdict: Verdict): Authenticator {
  return {
    challenge: 'Basic realm=etherws',
    authenticate: () => Promise.resolve(verdict),
    close: () => Promise.resolve(),
  };
}

for (const host of ['127.0.0.1', '::1']) {
  describe(`control server on ${host}`, () => {
    it('answers a call with entries and headers against misreading and caching', async (t) => {
      const control = await start(t, { host });
      const reply = await send(control);
      assert.equal(reply.status, 200);
      assert.deepEqual(JSON.parse(reply.text), { jsonrpc: '2.0', id: 7, result: { entries: [] } });
      assert.equal(reply.headers['content-type'], 'application/json');
      assert.equal(reply.headers['cache-control'], 'no-store');
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
    });
  });
}

describe('control server', () => {
  it('gives a notification an empty 204', async (t) => {
    const control = await start(t);
    const body = JSON.stringify({
      jsonrpc: '2.0',
      method: 'etherws.control.addPort',
      params: { type: 'tap', target: 'a' },
    });
    const reply = await send(control, { body });
    assert.deepEqual([reply.status, reply.text], [204, '']);
    assert.deepEqual(control.service.added, [{ type: 'tap', target: 'a' }]);
  });

  it('takes a content type with parameters', async (t) => {
    const control = await start(t);
    const reply = await send(control, { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } });
    assert.equal(reply.status, 200);
  });

  it('takes only POST', async (t) => {
    const control = await start(t);
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await send(control, { method });
      assertRefused(reply, 405, /only POST/);
      assert.equal(reply.headers.allow, 'POST');
    }
  });

  it('refuses what a form can send', async (t) => {
    const control = await start(t);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      '',
    ]) {
      assertRefused(await send(control, { headers: { 'Content-Type': type } }), 415, /application\/json/);
    }
    assertRefused(await send(control, { headers: { 'Content-Encoding': 'gzip' } }), 415, /compressed/);
  });

  it('answers 404 for another path, and ignores a query', async (t) => {
    const control = await start(t);
    assertRefused(await send(control, { path: '/ctl/x' }), 404, /not served at this path/);
    assert.equal((await send(control, { path: '/ctl?x=1' })).status, 200);
  });

  it('takes a Host that is an address, localhost, or a name given, and no other', async (t) => {
    const control = await start(t, { allowedHosts: () => ['Switch.example.org', '*.lab.example.org'] });
    const good = [
      '127.0.0.1',
      '192.0.2.7:1',
      '[::1]:7867',
      '[2001:db8::1]',
      'localhost',
      'LocalHost:7867',
      'localhost.',
      'switch.example.org:7867',
      'a.lab.example.org',
    ];
    for (const host of good) assert.equal((await send(control, { headers: { Host: host } })).status, 200, host);
    const bad = [
      'evil.example',
      'evil.example:7867',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'x.switch.example.org',
      'a.b.lab.example.org',
      'lab.example.org',
      '[evil.example]',
      '[127.0.0.1]',
      '::1',
      '127.0.0.1:port',
      'user@127.0.0.1',
      '127.0.0.1/x',
      ' ',
      '2130706433',
    ];
    for (const host of bad) assertRefused(await send(control, { headers: { Host: host } }), 403, /Host/);
  });

  it('refuses the Origin of any other page', async (t) => {
    const control = await start(t);
    const own = `http://127.0.0.1:${control.listenPort}`;
    assert.equal((await send(control, { headers: { Origin: own } })).status, 200);
    const others = ['null', 'https://evil.example', 'http://127.0.0.1', own.replace('http:', 'https:'), 'file://', ''];
    for (const origin of others) assertRefused(await send(control, { headers: { Origin: origin } }), 403, /origins/);
  });

  it('asks for a password before it reads the body', async (t) => {
    for (const reason of ['missing', 'wrong'] as const) {
      const control = await start(t, { authenticator: gate({ isAllowed: false, reason }) });
      const reply = await send(control);
      assertRefused(reply, 401, /user/);
      assert.equal(reply.headers['www-authenticate'], 'Basic realm=etherws');
    }
    const busy = await start(t, { authenticator: gate({ isAllowed: false, reason: 'busy' }) });
    const reply = await send(busy);
    assertRefused(reply, 503, /passwords/);
    assert.equal(reply.headers['retry-after'], '1');
  });

  it('takes no proven name for a user of the host', async (t) => {
    for (const user of ['uid:0', 'uid:']) {
      const control = await start(t, { authenticator: gate({ isAllowed: true, user }) });
      assertRefused(await send(control), 401, /is wrong/);
    }
    const control = await start(t, { authenticator: gate({ isAllowed: true, user: 'uidA' }) });
    assert.equal((await send(control)).status, 200);
  });

  it('shows the authenticator the header and the address', async (t) => {
    const seen: unknown[] = [];
    const authenticator: Authenticator = {
      ...gate({ isAllowed: true, user: 'ann' }),
      authenticate: (credentials) => {
        seen.push(credentials);
        return Promise.resolve({ isAllowed: true, user: 'ann' });
      },
    };
    const control = await start(t, { authenticator });
    await send(control, { headers: { Authorization: 'Basic eDp5' } });
    assert.deepEqual(seen, [{ authorization: 'Basic eDp5', remoteAddress: '127.0.0.1' }]);
  });

  it('survives an authenticator that fails', async (t) => {
    const failing: Authenticator = {
      ...gate({ isAllowed: true, user: null }),
      authenticate: () => Promise.reject(new Error('x')),
    };
    const control = await start(t, { authenticator: failing });
    await assert.rejects(
      (async () => {
        const request = httpRequest(control.url, {
          method: 'POST',
          agent: false,
          headers: { 'Content-Type': 'application/json' },
        });
        request.end(LIST);
        await once(request, 'response');
      })(),
      { code: 'ECONNRESET' },
    );
  });

  it('takes a body of 1 MiB and refuses one octet more, announced or chunked', async (t) => {
    const control = await start(t);
    const padded = (bytes: number): string => LIST + ' '.repeat(bytes - LIST.length);
    assert.equal((await send(control, { body: padded(1024 * 1024) })).status, 200);
    assertRefused(await send(control, { body: padded(1024 * 1024 + 1) }), 413, /1048576/);
    const chunked = { 'Transfer-Encoding': 'chunked' };
    assert.equal((await send(control, { body: padded(1024 * 1024), headers: chunked })).status, 200);
    assertRefused(await send(control, { body: padded(1024 * 1024 + 1), headers: chunked }), 413, /1048576/);
  });

  it('refuses an endless body before it ends, and reads no more of it', async (t) => {
    const control = await start(t);
    const socket = await dial(t, control);
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `${(0x10000).toString(16)}\r\n${' '.repeat(0x10000)}\r\n`;
    let isOpen = true;
    let sent = 0;
    socket.on('close', () => {
      isOpen = false;
    });
    const text = collect(socket);
    while (isOpen && sent < 64 * 1024 * 1024) {
      sent += chunk.length;
      if (!socket.write(chunk)) await onceAny(socket, ['drain', 'close']).catch(() => undefined);
    }
    assert.equal(isOpen, false, 'the server closed while the body went on');
    assert.match(await text, /^HTTP\/1\.1 413 /);
  });

  it('refuses a huge Content-Length at once', async (t) => {
    const control = await start(t);
    const socket = await dial(t, control);
    const text = collect(socket);
    socket.write(`${HEAD}Content-Length: 9007199254740993\r\n\r\n`);
    assert.match(await text, /^HTTP\/1\.1 413 /);
  });

  it('gives up on a body that does not come', async (t) => {
    const control = await start(t, { bodyTimeoutMs: 50 });
    const socket = await dial(t, control);
    const text = collect(socket);
    socket.write(`${HEAD}Content-Length: 100\r\n\r\n{"jsonrpc"`);
    assert.match(await text, /^HTTP\/1\.1 408 /);
  });

  it('outlives requests that are aborted at any point', async (t) => {
    const control = await start(t);
    const whole = `${HEAD}Content-Length: ${LIST.length}\r\n\r\n${LIST}`;
    for (let length = 1; length <= whole.length; length += 7) {
      const socket = await dial(t, control);
      socket.write(whole.slice(0, length));
      socket.resetAndDestroy();
    }
    assert.equal((await send(control)).status, 200);
  });

  it('turns requests away above its bound, and serves again below it', async (t) => {
    const { answer: opened, resolve: open } = fakeAnswer<void>();
    const waiting = new EventEmitter();
    let count = 0;
    const service = new FakeSwitch();
    const delPort = service.delPort.bind(service);
    service.delPort = async (port) => {
      count++;
      if (count === 64) waiting.emit('full');
      await opened;
      return delPort(port);
    };
    const full = once(waiting, 'full');
    const control = await start(t, { service });
    const slow = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.delPort', params: { port: 9 } });
    const held = Array.from({ length: 64 }, () => send(control, { body: slow }));
    await full;
    assertRefused(await send(control), 503, /64/);
    open();
    for (const reply of await Promise.all(held)) assert.equal(reply.status, 200);
    assert.equal((await send(control)).status, 200);
  });

  it('leaves places to others when one user fills its own', async (t) => {
    const { answer: opened, resolve: open } = fakeAnswer<void>();
    const waiting = new EventEmitter();
    let count = 0;
    const service = new FakeSwitch();
    service.delPort = async (port) => {
      if (++count === 48) waiting.emit('full');
      await opened;
      return new FakeSwitch().delPort(port);
    };
    const authenticate = ({ authorization = '' }: { authorization?: string | undefined }): Promise<Verdict> =>
      Promise.resolve({ isAllowed: true, user: authorization });
    const authenticator = { ...gate({ isAllowed: true, user: null }), authenticate };
    const control = await start(t, { service, authenticator });
    const full = once(waiting, 'full');
    const slow = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.delPort', params: { port: 9 } });
    const [ada, bob] = [{ Authorization: 'ada' }, { Authorization: 'bob' }];
    const held = Array.from({ length: 48 }, () => send(control, { body: slow, headers: ada }));
    await full;
    assertRefused(await send(control, { headers: ada }), 503, /48 control requests of this user/);
    assert.equal((await send(control, { headers: bob })).status, 200);
    open();
    await Promise.all(held);
    assert.equal((await send(control, { headers: ada })).status, 200);
  });

  it('keeps its places for callers with rights, however many are asked for credentials', async (t) => {
    let isKnown = false;
    const { answer: verdict, resolve: open } = fakeAnswer<Verdict>();
    const waiting = new EventEmitter();
    let count = 0;
    const authenticate = (): Promise<Verdict> => {
      if (isKnown) return Promise.resolve({ isAllowed: true, user: 'ada' });
      count++;
      if (count === 70) waiting.emit('full');
      return verdict;
    };
    const full = once(waiting, 'full');
    const control = await start(t, { authenticator: { ...gate({ isAllowed: true, user: null }), authenticate } });
    const held = Array.from({ length: 70 }, () => send(control));
    await full;
    isKnown = true;
    assert.equal((await send(control)).status, 200);
    open({ isAllowed: false, reason: 'wrong' });
    for (const reply of await Promise.all(held)) assert.equal(reply.status, 401);
  });
});

const HEAD = 'POST /ctl HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';

async function dial(t: TestContext, control: FakeControl): Promise<Socket> {
  const socket = connect(control.listenPort, '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything that the server says until it closes. */
async function collect(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece) => {
    text += piece;
  });
  // An error may come first, as when the server closes while a body is being sent; the close follows it.
  await within(new Promise((resolve) => socket.on('close', resolve)), 'close of the connection');
  return text;
}
