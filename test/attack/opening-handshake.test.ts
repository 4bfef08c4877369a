import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createAuthority } from '../support/certificates.ts';
import { TestDaemon } from '../support/daemon.ts';
import { call } from '../support/http.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';
import { once, until } from '../support/waits.ts';
import { listen, stop } from '../support/web-socket-peer.ts';

const UPGRADE = [
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const HOST = 'Host: localhost';
const MESSAGE = clientMessage(frameOf({ from: '02:00:00:00:00:0a' }));

function headOf(requestLine: string, ...fields: readonly string[]): string {
  return [requestLine, ...fields, '', ''].join('\r\n');
}

function handshake(...fields: readonly string[]): string {
  return headOf('GET / HTTP/1.1', ...fields, ...UPGRADE);
}

/** Sends octets on a new connection. @returns the status of the response, and the text of its first chunk */
async function send(port: number, head: string, rest: Uint8Array = Buffer.alloc(0)): Promise<[number, string]> {
  const socket = connect({ host: 'localhost', port });
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([Buffer.from(head), rest]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = answer.toString();
  return [Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]), text];
}

/** The files of a key, of a certificate for 127.0.0.1, and of its issuer's certificate. */
async function issued(t: TestContext): Promise<{ key: string; certificate: string; ca: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-handshake-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = await createAuthority(directory);
  return { ...(await authority.issue('both', ['127.0.0.1'])), ca: authority.certificate };
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await stop(server);
  return port;
}

/** Sends pieces in separate turns of the event loop. @returns the response, up to the end or to the first frame */
async function exchange(port: number, ca: Buffer | undefined, ...pieces: readonly Uint8Array[]): Promise<string> {
  const socket = ca === undefined ? connect({ host: '127.0.0.1', port }) : connectTls({ host: '127.0.0.1', port, ca });
  let text = '';
  socket
    .on('error', () => undefined)
    .on('data', (octets) => {
      text += String(octets);
    });
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise(setImmediate);
  }
  await until(() => socket.destroyed || text.startsWith('HTTP/1.1 101'));
  socket.destroy();
  return text;
}

const INVALID: readonly (readonly [string, string, RegExp])[] = [
  ['without Host', handshake(), /has no Host field/],
  ['with two Host fields', handshake(HOST, HOST), /more than one Host field/],
  ['with a Host that names none', handshake('Host: a b'), /names no host/],
  ['with a Host that is a URL', handshake('Host: http://localhost/'), /names no host/],
  ['in HTTP/1.0', headOf('GET / HTTP/1.0', HOST, ...UPGRADE), /needs HTTP\/1\.1/],
  ['with a body of a known length', handshake(HOST, `Content-Length: ${MESSAGE.length}`), /must not have a body/],
  ['with a body in pieces', handshake(HOST, 'Transfer-Encoding: chunked'), /must not have a body/],
  ['with a body in another coding', handshake(HOST, 'Transfer-Encoding: gzip, chunked'), /must not have a body/],
  ['for a target without host', headOf('GET http:/// HTTP/1.1', HOST, ...UPGRADE), /names no host/],
  ['for a target with a user', headOf('GET http://a@b/ HTTP/1.1', HOST, ...UPGRADE), /names no host/],
  ['that is none', 'EHLO mail.example\r\n\r\n', /not HTTP/],
];

for (const service of ['tunnels', 'control'] as const) {
  test(`invalid opening handshakes at ${service}: 400, counted and logged`, async (t) => {
    const running = await TestDaemon.start(t, { host: 'localhost' });
    const control = { host: 'localhost', port: running.controlPort };
    const port = service === 'tunnels' ? running.tunnelPort : running.controlPort;
    for (const [index, [what, head, words]] of INVALID.entries()) {
      const [status, text] = await send(port, head, MESSAGE);
      assert.equal(status, 400, `${what}: ${text}`);
      assert.match(text, words, what);
      assert.match(text, /^Connection: close\r$/m, what);
      const { result } = JSON.parse((await call(control, 'listDoor')).body);
      const { counters } = result.entries.find((entry: { service: string }) => entry.service === service);
      assert.equal(counters.badRequests, index + 1, what);
      const refused = running.log.filter(({ message, fields }) => words.test(JSON.stringify([message, fields])));
      assert.ok(refused.length > 0, `${what} is logged`);
    }
    const { result } = JSON.parse((await call(control, 'listPort')).body);
    assert.deepEqual(result.entries, []);
  });
}

test('opening handshakes that RFC 9112 and 9110 allow are accepted', async (t) => {
  const { tunnelPort } = await TestDaemon.start(t, { host: 'localhost', path: '/tunnel' });
  for (const [what, head] of [
    ['origin form', headOf('GET /tunnel HTTP/1.1', HOST, ...UPGRADE)],
    ['absolute form', headOf('GET http://relay.example:80/tunnel?a=b HTTP/1.1', HOST, ...UPGRADE)],
    ['absolute form of WebSocket', headOf('GET ws://relay.example/tunnel HTTP/1.1', HOST, ...UPGRADE)],
    ['an empty body', headOf('GET /tunnel HTTP/1.1', HOST, 'Content-Length: 0', ...UPGRADE)],
    ['one protocol of several', headOf('GET /tunnel HTTP/1.1', HOST, 'Upgrade: h2c', ...UPGRADE)],
    ['in one field', headOf('GET /tunnel HTTP/1.1', HOST, ...UPGRADE).replace('websocket', 'h2c, WebSocket')],
    ['a zone behind the address', headOf('GET /tunnel HTTP/1.1', 'Host: [fe80::1%25eth0]:80', ...UPGRADE)],
  ] as const) {
    const [status, text] = await send(tunnelPort, head);
    assert.equal(status, 101, `${what}: ${text}`);
    assert.match(text, /^Upgrade: websocket\r$/im, what);
  }
});

/** Requests that offer another protocol by Upgrade, which is ignored, and the responses to them. */
const OFFERS: readonly (readonly [status: number, requestLine: string, words: RegExp, ...fields: string[]])[] = [
  [
    200,
    'POST /ctl HTTP/1.1',
    /"entries":\[\]/,
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMA',
  ],
  [200, 'POST /ctl HTTP/1.1', /"entries":\[\]/, 'Connection: Upgrade', 'Upgrade: foo/2, TLS/1.0'],
  [200, 'POST http://localhost/ctl HTTP/1.1', /"entries":\[\]/, 'Connection: upgrade', 'Upgrade: WebSockets'],
  [200, 'POST /ctl HTTP/1.0', /"entries":\[\]/, 'Connection: Upgrade', 'Upgrade: h2c'],
  [405, 'GET /ctl HTTP/1.1', /POST/, 'Connection: Upgrade', 'Upgrade: h2c'],
  [405, 'PUT /ctl HTTP/1.1', /POST/, 'Connection: Upgrade', 'Upgrade: h2c'],
  [426, 'GET / HTTP/1.1', /^Upgrade: websocket\r$/im, 'Connection: Upgrade', 'Upgrade: h2c'],
  [404, 'POST /elsewhere HTTP/1.1', /Nothing is served/, 'Connection: Upgrade', 'Upgrade: h2c'],
  [400, 'POST /ctl HTTP/1.1', /more than one Host/, 'Host: a', 'Connection: Upgrade', 'Upgrade: h2c'],
];

for (const isTls of [false, true]) {
  const over = isTls ? 'TLS' : 'TCP';
  test(`a listener of both services over ${over} ignores offers of other protocols, and reads the body`, async (t) => {
    const port = String(await unusedPort());
    const identity = isTls ? await issued(t) : undefined;
    const files = identity === undefined ? {} : { sslkey: identity.key, sslcert: identity.certificate };
    const control = identity === undefined ? {} : { ctlsslkey: identity.key, ctlsslcert: identity.certificate };
    const both = { host: '127.0.0.1', port, ctlhost: '127.0.0.1', ctlport: port };
    const { tunnelPort, controlPort } = await TestDaemon.start(t, { ...both, ...files, ...control });
    assert.equal(tunnelPort, controlPort);
    const ca = identity === undefined ? undefined : readFileSync(identity.ca);
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.listPort' }));
    for (const [wanted, requestLine, words, ...offers] of OFFERS) {
      const fields = ['Host: localhost', 'Content-Type: application/json', ...offers];
      const known = headOf(requestLine, ...fields, `Content-Length: ${body.length}`);
      const ways: [string, ...Uint8Array[]][] = [
        [known, body],
        [known, body.subarray(0, 9), body.subarray(9)],
      ];
      if (!requestLine.endsWith('1.0')) {
        const chunk = Buffer.concat([
          Buffer.from(`${body.length.toString(16)}\r\n`),
          body,
          Buffer.from('\r\n0\r\n\r\n'),
        ]);
        ways.push([headOf(requestLine, ...fields, 'Transfer-Encoding: chunked'), chunk]);
      }
      for (const [head, ...pieces] of ways) {
        const answer = await exchange(tunnelPort, ca, Buffer.from(head), ...pieces);
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${wanted} `), `${head}${answer}`);
        assert.match(answer, words, head);
      }
    }
    const opened = await exchange(tunnelPort, ca, Buffer.from(handshake(HOST)));
    assert.match(opened, /^HTTP\/1\.1 101 /);
  });
}

test('the control API reads absolute targets by their host, and passes over offers of other protocols', async (t) => {
  const { controlPort } = await TestDaemon.start(t, { host: 'localhost' });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.listPort' });
  const fields = ['Content-Type: application/json', `Content-Length: ${body.length}`];
  for (const [wanted, requestLine, ...others] of [
    [200, 'POST http://localhost/ctl HTTP/1.1', 'Host: evil.example'],
    [403, 'POST http://evil.example/ctl HTTP/1.1', HOST],
    [200, 'POST /ctl HTTP/1.1', HOST, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMA'],
    [200, 'POST /ctl HTTP/1.0', HOST],
    [400, 'POST /ctl HTTP/1.1'],
    [400, 'POST /ctl HTTP/1.1', HOST, HOST],
  ] as const) {
    const [status, text] = await send(controlPort, headOf(requestLine, ...others, ...fields), Buffer.from(body));
    assert.equal(status, wanted, `${requestLine}\n${others.join('\n')}\n${text}`);
  }
  assert.equal((await send(controlPort, handshake(HOST)))[0], 404, 'there are no tunnels here');
});
