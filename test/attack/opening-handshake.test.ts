import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { TestDaemon } from '../support/daemon.ts';
import { call } from '../support/http.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';
import { once } from '../support/waits.ts';

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

/** Sends octets on a fresh connection. @returns the status of the answer, and its text as far as it came with it */
async function send(port: number, head: string, rest: Uint8Array = Buffer.alloc(0)): Promise<[number, string]> {
  const socket = connect({ host: 'localhost', port });
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([Buffer.from(head), rest]));
  const [answer] = (await once(socket, 'data', { waitMs: 10_000 })) as [Buffer];
  socket.destroy();
  const text = answer.toString();
  return [Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]), text];
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
