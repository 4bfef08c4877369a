import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { fakeAnswer, once, onceAny, until, within } from '../../../../test/support/waits.ts';
import { TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import type { Authenticator, Credentials, Verdict } from '../../../auth/authenticator.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import type { TunnelServerOptions } from './server-options.ts';

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

let server: TestTunnelServer;
afterEach(() => server.stop());

async function start(options: Partial<TunnelServerOptions> = {}): Promise<void> {
  server = new TestTunnelServer({ path: '/lan', ...options });
  await server.start();
}

/** An authenticator whose verdicts come from the test. */
function askingTest(answer: (credentials: Credentials) => Promise<Verdict> | Verdict): Authenticator {
  return {
    challenge: 'Basic realm=etherws',
    authenticate: (credentials) => Promise.resolve(answer(credentials)),
    close: () => Promise.resolve(),
  };
}

interface Answer {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

async function ask(options: RequestOptions): Promise<Answer> {
  const { port } = server.server.address() as AddressInfo;
  const request = httpRequest({ host: '127.0.0.1', port, path: '/lan', agent: false, ...options });
  request.end();
  const answered = await onceAny(request, ['response', 'upgrade']);
  const response = answered[0] as IncomingMessage;
  if (response.statusCode === 101) {
    (answered[1] as Socket).destroy();
    return { status: 101, headers: response.headers, body: '' };
  }
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

describe('an opening handshake', () => {
  test('the example of RFC 6455, 1.3, without subprotocol and extension', async () => {
    await start();
    const { status, headers } = await ask({
      headers: {
        ...UPGRADE,
        'Sec-WebSocket-Protocol': 'binary, chat',
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
      },
    });
    assert.equal(status, 101);
    assert.equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.equal(headers['sec-websocket-protocol'], undefined);
    assert.equal(headers['sec-websocket-extensions'], undefined);
  });

  for (const [name, options, status, headers] of [
    ['another path', { path: '/lan/', headers: UPGRADE }, 404, {}],
    ['another path, with a query that names ours', { path: '/?/lan', headers: UPGRADE }, 404, {}],
    ['another method', { method: 'POST', headers: UPGRADE }, 405, { allow: 'GET' }],
    ['no key', { headers: { ...UPGRADE, 'Sec-WebSocket-Key': '' } }, 400, {}],
    ['a key that is too short', { headers: { ...UPGRADE, 'Sec-WebSocket-Key': 'AAAA' } }, 400, {}],
    [
      'another version',
      { headers: { ...UPGRADE, 'Sec-WebSocket-Version': '12' } },
      426,
      { 'sec-websocket-version': '13' },
    ],
    ['another protocol', { headers: { ...UPGRADE, Upgrade: 'h2c' } }, 426, { upgrade: 'websocket' }],
  ] as const) {
    test(`${name}: ${status}`, async () => {
      let authentications = 0;
      await start({
        authenticator: askingTest(() => {
          authentications++;
          return { isAllowed: true, user: null };
        }),
      });
      const answer = await ask(options as RequestOptions);
      assert.equal(answer.status, status);
      for (const [header, value] of Object.entries(headers)) assert.equal(answer.headers[header], value);
      assert.ok(answer.body.length > 10 && answer.body.endsWith('\n'));
      assert.equal(authentications, 0, 'a bad handshake costs no password check');
      assert.equal(server.tunnels.connections, 0);
    });
  }

  for (const [version, what] of [
    [undefined, 'is missing'],
    ['8', 'is 8'],
    ['7, 8', 'is 7, 8'],
    ['newest', 'is no number'],
  ] as const) {
    test(`a version that ${what} is named in the answer and in the log`, async () => {
      const said: string[] = [];
      const info = (_fields: object, message = ''): void => void said.push(message);
      await start({ logger: { ...SILENT, info } as Logger });
      const { 'Sec-WebSocket-Version': _, ...others } = UPGRADE;
      const answer = await ask({
        headers: version === undefined ? others : { ...others, 'Sec-WebSocket-Version': version },
      });
      const text = `Sec-WebSocket-Version ${what}; this switch speaks version 13.\n`;
      assert.deepEqual([answer.status, answer.headers['sec-websocket-version'], answer.body], [426, '13', text]);
      assert.deepEqual(said, [`tunnel refused: ${text.trim()}`]);
    });
  }

  test('a query behind the path is no part of it', async () => {
    await start();
    assert.equal((await ask({ path: '/lan?guest=1', headers: UPGRADE })).status, 101);
  });
});

describe('a request that is no handshake', () => {
  for (const [options, status, headers] of [
    [{}, 426, { upgrade: 'websocket' }],
    [{ method: 'HEAD' }, 426, { upgrade: 'websocket' }],
    [{ method: 'POST' }, 405, { allow: 'GET' }],
    [{ path: '/other' }, 404, {}],
  ] as const) {
    test(`${JSON.stringify(options)}: ${status}`, async () => {
      await start();
      const answer = await ask(options);
      assert.equal(answer.status, status);
      for (const [header, value] of Object.entries(headers)) assert.equal(answer.headers[header], value);
      assert.equal(answer.body.length > 0, !('method' in options && options.method === 'HEAD'));
    });
  }
});

describe('authentication', () => {
  for (const [reason, status, header] of [
    ['missing', 401, 'www-authenticate'],
    ['wrong', 401, 'www-authenticate'],
    ['busy', 503, 'retry-after'],
  ] as const) {
    test(`${reason}: ${status}`, async () => {
      await start({ authenticator: askingTest(() => ({ isAllowed: false, reason })) });
      const answer = await ask({ headers: UPGRADE });
      assert.equal(answer.status, status);
      assert.ok(answer.headers[header]);
      if (status === 401) assert.equal(answer.headers['www-authenticate'], 'Basic realm=etherws');
    });
  }

  test('the authenticator is told the header and the address, and its user is passed on', async () => {
    const asked: Credentials[] = [];
    const users: (string | null)[] = [];
    await start({
      authenticator: askingTest((credentials) => {
        asked.push(credentials);
        return { isAllowed: true, user: 'me' };
      }),
      onTunnel: (port, user) => {
        users.push(user);
        void port.close();
      },
    });
    await ask({ headers: { ...UPGRADE, Authorization: 'Basic bWU6eA==' } });
    assert.deepEqual(asked, [{ authorization: 'Basic bWU6eA==', remoteAddress: '127.0.0.1' }]);
    assert.deepEqual(users, ['me']);
  });

  test('an authenticator that fails admits no client', async () => {
    await start({ authenticator: askingTest(() => Promise.reject(new Error('boom'))) });
    assert.equal((await ask({ headers: UPGRADE })).status, 503);
  });

  for (const way of ['end', 'resetAndDestroy'] as const) {
    test(`a client that leaves meanwhile (${way}) becomes no port`, async () => {
      const { answer: beginning, resolve: asked } = fakeAnswer<void>();
      const { answer: verdict, resolve: allow } = fakeAnswer<Verdict>();
      let ports = 0;
      await start({
        authenticator: askingTest(() => {
          asked();
          return verdict;
        }),
        onTunnel: () => ports++,
      });
      const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
      socket.write(`GET /lan HTTP/1.1\r\nHost: x\r\n${headerLines()}\r\n`);
      await within(beginning, 'question of the server to its authenticator');
      assert.equal(server.tunnels.connections, 1);
      socket[way]();
      await noConnections();
      allow({ isAllowed: true, user: null });
      await new Promise(setImmediate);
      assert.equal(ports, 0);
    });
  }

  test('what a hasty client sends before the answer is kept', async () => {
    const { answer: verdict, resolve: allow } = fakeAnswer<Verdict>();
    await start({ authenticator: askingTest(() => verdict) });
    const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
    const frame = testFrame(7, 60);
    const message = Buffer.concat([Buffer.from('82bc00000000', 'hex'), frame]);
    socket.write(Buffer.concat([Buffer.from(`GET /lan HTTP/1.1\r\nHost: x\r\n${headerLines()}\r\n`), message]));
    await until(() => server.tunnels.connections !== 0);
    socket.write(message.subarray(0, 30));
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    allow({ isAllowed: true, user: null });
    const port = await server.nextPort();
    socket.write(message.subarray(30));
    const events = new PortRecorder();
    port.open(events);
    assert.deepEqual(await events.take(2), [frame, frame]);
    socket.destroy();
    await port.close();
  });

  test('an authentication that takes too long is cut off', async () => {
    await start({
      authenticator: askingTest(() => fakeAnswer<Verdict>().answer),
      limits: { handshakeTimeoutMs: 20 },
    });
    await assert.rejects(ask({ headers: UPGRADE }), /hang up|ECONNRESET/);
    await noConnections();
  });
});

test('beyond maxConnections a handshake is refused, and there is room again behind a close', async () => {
  await start({ limits: { maxConnections: 1 } });
  const peer = new WebSocket(server.url);
  await once(peer, 'open');
  const port = await server.nextPort();
  const refused = await ask({ headers: UPGRADE });
  assert.equal(refused.status, 503);
  assert.ok(refused.headers['retry-after']);
  await port.close();
  assert.equal((await ask({ headers: UPGRADE })).status, 101);
});

test('other limits count for tunnels to come', async () => {
  await start({ limits: { maxConnections: 1 } });
  const peer = new WebSocket(server.url);
  await once(peer, 'open');
  const port = await server.nextPort();
  server.tunnels.setLimits({ maxConnections: 2 });
  assert.equal((await ask({ headers: UPGRADE })).status, 101);
  server.tunnels.setLimits({ maxConnections: 1 });
  assert.equal((await ask({ headers: UPGRADE })).status, 503);
  await port.close();
});

test('a caller that throws away the tunnel does not harm the server', async () => {
  await start({
    onTunnel: () => {
      throw new Error('the switch is closed');
    },
  });
  const peer = new WebSocket(server.url);
  peer.on('error', () => undefined);
  await once(peer, 'close');
  await noConnections();
});

test('a closed server cuts pending handshakes, refuses new ones and leaves its tunnels alone', async () => {
  let verdicts = 0;
  await start({
    authenticator: askingTest(() => {
      if (verdicts++ > 0) return fakeAnswer<Verdict>().answer;
      return { isAllowed: true, user: null };
    }),
  });
  const peer = new WebSocket(server.url);
  await once(peer, 'open');
  const port = await server.nextPort();
  const pending = ask({ headers: UPGRADE });
  await until(() => server.tunnels.connections >= 2);
  server.tunnels.close();
  await assert.rejects(pending, /hang up|ECONNRESET/);
  assert.equal((await ask({ headers: UPGRADE })).status, 503);
  const events = new PortRecorder();
  port.open(events);
  peer.send(testFrame(1, 60));
  await events.take(1);
  await port.close();
});

test('a path must begin with a slash', async () => {
  await start();
  assert.throws(() => new TestTunnelServer({ path: 'lan' }), RangeError);
});

async function noConnections(): Promise<void> {
  await until(() => server.tunnels.connections <= 0);
}

function headerLines(): string {
  return Object.entries(UPGRADE)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
