import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer as createHttp2SecureServer, createServer as createHttp2Server } from 'node:http2';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { fails, withServer } from '../../../../test/support/failing-dial.ts';
import { CertificateMaker } from '../../../../test/support/openssl.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { once } from '../../../../test/support/waits.ts';
import { listen, stop, TestTunnelServer, webServer } from '../../../../test/support/web-socket-peer.ts';
import { EtherwsError } from '../../../errors.ts';
import { type DialTunnelOptions, dialTunnel } from './dial-tunnel.ts';

/** An HTTP server that ignores `Upgrade` and answers the request. */
function answering(respond: (request: IncomingMessage, response: ServerResponse) => void): Server {
  return webServer().on('request', respond);
}

describe('what is no tunnel URL', () => {
  for (const [url, message] of [
    ['', /is no URL/],
    ['127.0.0.1:80', /not ws:\/\/ or wss:\/\/|is no URL/],
    ['http://127.0.0.1/', /begins with http:\/\//],
    ['ws://', /is no URL/],
    ['ws://127.0.0.1:99999/', /is no URL/],
    ['ws://127.0.0.1/#top', /fragment/],
    ['ws://127.0.0.1/#', /fragment/],
    ['ws://[::1/', /is no URL/],
    ['ws://me:%zz@127.0.0.1/', /%/],
    ['ws://me:secret@127.0.0.1:x/', /is no URL/],
    ['http://127.0.0.1/?token=secret', /begins with http:\/\//],
  ] as const) {
    test(`"${url}"`, async () => {
      await fails(undefined, { url }, 'ARGUMENT_INVALID', message, /ws:\/\/HOST:PORT\/PATH/);
      await dialTunnel({ url }).catch((error: Error) => assert.doesNotMatch(error.message, /secret/));
    });
  }

  test('a password without a user, a user with a colon', async () => {
    await fails(undefined, { url: 'ws://a/', passwd: 'x' }, 'ARGUMENT_INVALID', /without a user/);
    await fails(undefined, { url: 'ws://a/', user: 'a:b' }, 'ARGUMENT_INVALID', /colon/);
  });
});

describe('what the network says', () => {
  test('nothing listens', async () => {
    const server = createTcpServer();
    const listenPort = await listen(server);
    await stop(server);
    await fails(undefined, { url: `ws://127.0.0.1:${listenPort}/` }, 'CONNECTION_REFUSED', /Nothing listens/);
    await fails(undefined, { url: `wss://127.0.0.1:${listenPort}/` }, 'CONNECTION_REFUSED', /Nothing listens/);
  });

  test('a name that does not exist', async () => {
    await fails(undefined, { url: 'ws://nobody.invalid/' }, 'NAME_UNRESOLVED', /nobody\.invalid/);
  });

  test('no route', async () => {
    // 240.0.0.0/4 is reserved: Linux refuses to send there.
    await fails(
      undefined,
      { url: 'ws://255.255.255.255/', handshakeTimeoutMs: 2000 },
      'HOST_UNREACHABLE',
      /255\.255\.255\.255/,
    );
  });

  test('a server that accepts and says nothing', async () => {
    const server = createTcpServer((socket) => socket.resume().on('error', () => undefined));
    await withServer(server, async (authority) => {
      const options = { handshakeTimeoutMs: 50 };
      await fails(
        server,
        { url: `ws://${authority}/`, ...options },
        'HANDSHAKE_TIMEOUT',
        /WebSocket handshake within 0.05 s/,
      );
      await fails(
        server,
        { url: `wss://${authority}/`, ...options },
        'HANDSHAKE_TIMEOUT',
        /TLS handshake within 0.05 s/,
      );
    });
  });

  test('a dialling that is given up', async () => {
    const server = createTcpServer();
    await withServer(server, async (authority) => {
      const reason = new EtherwsError('PORT_CLOSED', 'The switch is stopping');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(dialTunnel({ url: `ws://${authority}/`, signal }), reason);
      const controller = new AbortController();
      const dialling = dialTunnel({ url: `ws://${authority}/`, signal: controller.signal });
      const [socket] = (await once(server, 'connection')) as [Socket];
      controller.abort(reason);
      await assert.rejects(dialling, reason);
      socket.resume();
      await once(socket, 'close');
    });
  });
});

describe('what the server answers', () => {
  for (const [status, code, message, hint] of [
    [401, 'AUTH_FAILED', /wants a user and a password/, /--user/],
    [404, 'HANDSHAKE_REJECTED', /404 Not Found/, /--path/],
    [403, 'TUNNEL_FORBIDDEN', /403 Forbidden/, /forbids/],
    [400, 'HANDSHAKE_REJECTED', /400 Bad Request/, /log/],
    [302, 'HANDSHAKE_REJECTED', /302 Found/, /wss:\/\/elsewhere/],
    [500, 'HANDSHAKE_REJECTED', /500 Internal/, /log/],
    [503, 'HANDSHAKE_REJECTED', /503 Service/, /later/],
    [200, 'NOT_WEBSOCKET', /200 OK/, /path/],
    [426, 'NOT_WEBSOCKET', /426 Upgrade/, /proxy/],
  ] as const) {
    test(`${status} is ${code}`, async () => {
      const server = answering((_request, response) => {
        response.writeHead(status, { Location: 'wss://elsewhere/' }).end('no');
      });
      await withServer(server, (authority) => fails(server, { url: `ws://${authority}/x` }, code, message, hint));
    });
  }

  for (const [location, shown] of [
    ['https://elsewhere.example/x?y=1', /try wss:\/\/elsewhere\.example\/x\?y=1$/],
    ['http://elsewhere.example:8080/', /try ws:\/\/elsewhere\.example:8080\/$/],
    ['//elsewhere.example/', /try ws:\/\/elsewhere\.example\/$/],
    ['/tunnel', /try ws:\/\/127\.0\.0\.1:\d+\/tunnel$/],
    ['https://me:secret@elsewhere.example/', /try wss:\/\/\(hidden\)@elsewhere\.example\/$/],
    ['http://[nonsense', /try http:\/\/\[nonsense$/],
  ] as const) {
    test(`a redirect to ${location} names what can be dialled`, async () => {
      for (const status of [301, 302, 307, 308]) {
        const server = answering((_request, response) => void response.writeHead(status, { Location: location }).end());
        await withServer(server, (authority) =>
          fails(server, { url: `ws://${authority}/x` }, 'HANDSHAKE_REJECTED', new RegExp(`${status}`), shown),
        );
      }
    });
  }

  test('a 401 that offers no scheme of ours names those that it offers', async () => {
    const challenges = ['NTLM', 'Negotiate'];
    const server = answering(
      (_request, response) => void response.writeHead(401, { 'WWW-Authenticate': challenges }).end(),
    );
    await withServer(server, (authority) =>
      fails(server, { url: `ws://me:x@${authority}/` }, 'AUTH_FAILED', /offers only NTLM and Negotiate/),
    );
  });

  test('a server of HTTP/2 alone is called one, without TLS and with it', {
    skip: missingTools('openssl'),
  }, async () => {
    const plain = createHttp2Server();
    plain.on('session', (session) => session.on('error', () => undefined));
    await withServer(plain, (authority) =>
      assert.rejects(dialTunnel({ url: `ws://${authority}/` }), {
        code: 'NOT_WEBSOCKET',
        message: /answers in HTTP\/2/,
        hint: /HTTP\/1\.1/,
      }),
    );
    const maker = new CertificateMaker();
    try {
      const files = maker.make({ name: 'h2', subjectAltName: 'IP:127.0.0.1' });
      const [key, cert] = [readFileSync(files.keyFile, 'utf8'), readFileSync(files.certFile, 'utf8')];
      const secure = createHttp2SecureServer({ key, cert });
      secure.on('tlsClientError', () => undefined);
      await withServer(secure, (authority) =>
        fails(secure, { url: `wss://${authority}/`, cacerts: cert }, 'TLS_FAILED', /perhaps only HTTP\/2/, /ALPN/),
      );
    } finally {
      maker.remove();
    }
  });

  test('401 with credentials says that they are wrong, and repeats none of them', async () => {
    const server = answering((_request, response) => void response.writeHead(401).end());
    await withServer(server, async (authority) => {
      await fails(server, { url: `ws://me:secret@${authority}/` }, 'AUTH_FAILED', /refused the user or the password/);
      await dialTunnel({ url: `ws://me:secret@${authority}/` }).catch((error: EtherwsError) => {
        assert.doesNotMatch(error.message + error.hint, /secret|me:/);
      });
    });
  });

  for (const [name, bytes, message] of [
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', /does not answer as a WebSocket server/],
    ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46', /does not answer as a WebSocket server/],
    [
      'a wrong Sec-WebSocket-Accept',
      'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n',
      /Sec-WebSocket-Accept/,
    ],
    [
      'an upgrade to something else',
      'HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
      /Invalid Upgrade header/,
    ],
    ['silence and the end', '', /closed the connection without an answer/],
  ] as const) {
    test(`${name} is NOT_WEBSOCKET`, async () => {
      const server = createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
      });
      await withServer(server, (authority) => fails(server, { url: `ws://${authority}/` }, 'NOT_WEBSOCKET', message));
    });
  }
});

describe('what the client says', () => {
  async function headersOf(
    options: Omit<DialTunnelOptions, 'url'>,
    url: (authority: string) => string,
  ): Promise<{
    headers: IncomingHttpHeaders;
    target: string;
    path: string | undefined;
  }> {
    const server = webServer();
    const webSockets = new WebSocketServer({ server });
    let seen: IncomingMessage | undefined;
    webSockets.on('connection', (_peer, request) => {
      seen = request;
    });
    const listenPort = await listen(server);
    const port = await dialTunnel({ url: url(`127.0.0.1:${listenPort}`), ...options });
    await port.close();
    webSockets.close();
    await stop(server);
    return { headers: seen?.headers ?? {}, target: port.target, path: seen?.url };
  }

  test('an Origin, version 13, no extension, no subprotocol, no credentials', async () => {
    const { headers, target, path } = await headersOf({}, (authority) => `ws://${authority}/a/b?c=d`);
    assert.match(headers.origin ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(headers['sec-websocket-version'], '13');
    assert.equal(headers['sec-websocket-extensions'], undefined);
    assert.equal(headers['sec-websocket-protocol'], undefined);
    assert.equal(headers.authorization, undefined);
    assert.equal(path, '/a/b?c=d');
    assert.match(target, /^ws:\/\/127\.0\.0\.1:\d+\/a\/b\?c=d$/);
  });

  test('a token in the query is sent to the server, and shown nowhere', async () => {
    const { target, path } = await headersOf({}, (authority) => `ws://${authority}/?room=a&access_token=s3cret`);
    assert.equal(path, '/?room=a&access_token=s3cret');
    assert.match(target, /^ws:\/\/127\.0\.0\.1:\d+\/\?room=a&access_token=\(hidden\)$/);
  });

  for (const [name, options, userinfo, wanted] of [
    ['options', { user: 'me', passwd: 'a:b:ü🙂' }, '', 'me:a:b:ü🙂'],
    ['the URL', {}, 'm%65:a%3Ab%40@', 'me:a:b@'],
    ['options before the URL', { user: 'you', passwd: 'x' }, 'me:y@', 'you:x'],
    ['a user alone', { user: 'me' }, '', 'me:'],
    ['a user of the URL and a password beside it', { passwd: 'z' }, 'me@', 'me:z'],
  ] as const) {
    test(`Basic auth from ${name}`, async () => {
      const { headers, target } = await headersOf(options, (authority) => `ws://${userinfo}${authority}/`);
      const encoded = headers.authorization?.replace(/^Basic /, '') ?? '';
      assert.equal(Buffer.from(encoded, 'base64').toString('utf8'), wanted);
      assert.match(target, /^ws:\/\/127\.0\.0\.1:\d+\/$/);
    });
  }
});

test('both families of addresses, by address and by name', async () => {
  for (const host of ['127.0.0.1', '::1']) {
    const server = new TestTunnelServer();
    await server.start(host);
    const port = await dialTunnel({ url: server.url });
    assert.equal(port.target, server.url);
    const accepted = await server.nextPort();
    assert.match(accepted.target, host === '::1' ? /^\[::1\]:\d+$/ : /^127\.0\.0\.1:\d+$/);
    await Promise.all([port.close(), accepted.close()]);
    await server.stop();
  }
  const server = new TestTunnelServer();
  await server.start('127.0.0.1');
  const port = await dialTunnel({ url: server.url.replace('127.0.0.1', 'localhost') });
  const accepted = await server.nextPort();
  await Promise.all([port.close(), accepted.close()]);
  await server.stop();
});
