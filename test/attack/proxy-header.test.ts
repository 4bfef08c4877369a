import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { ClientOptions, WebSocket } from 'ws';
import type { EndpointEntry, PortEntry } from '../../src/control/schema.ts';
import type { EndpointCounters } from '../../src/net/endpoint-counters.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { call } from '../support/http.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { binaryHeader, inet6Body } from '../support/proxy-headers.ts';
import type { SwOptions } from '../support/sw-options.ts';
import { missingTools } from '../support/tools.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once, within } from '../support/waits.ts';

/** The address of the trusted proxy, and that of an untrusted one. */
const PROXY = '127.0.0.2';
const STRANGER = '127.0.0.3';
/** Another trusted proxy, which a header of PROXY may name. */
const INNER = '10.0.0.7';

const V1 = Buffer.from('PROXY TCP4 198.51.100.7 203.0.113.5 4711 443\r\n');
const V2 = binaryHeader({ body: Buffer.from('c6336407cb007105126701bb', 'hex') });

interface Way {
  readonly from?: string;
  readonly header?: Uint8Array | undefined;
  /** the octets of the header in one write; default: the header and the request in one write */
  readonly pieceBytes?: number;
  readonly ca?: Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

function start(t: TestContext, options: SwOptions = {}): Promise<TestDaemon> {
  return TestDaemon.start(t, { trustedProxy: [PROXY, INNER], ...options });
}

async function open(t: TestContext, running: TestDaemon, from: string, port = running.tunnelPort): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Opens a tunnel as a proxy forwards one. @returns it, or the status of the refusal; 0 for a cut connection */
async function enter(t: TestContext, running: TestDaemon, way: Way): Promise<WebSocket | number> {
  const { from = PROXY, header = Buffer.alloc(0), pieceBytes, ca, headers = {} } = way;
  const socket = await open(t, running, from);
  for (let at = 0; at < header.length; at += pieceBytes ?? header.length) {
    socket.write(header.subarray(at, at + (pieceBytes ?? header.length)));
    if (pieceBytes !== undefined) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const stream = ca === undefined ? socket : connectTls({ socket, ca, host: '127.0.0.1' });
  const options: ClientOptions = { headers, createConnection: () => stream };
  const webSocket = new TunnelSocket(`${ca === undefined ? 'ws' : 'wss'}://127.0.0.1:${running.tunnelPort}/`, options);
  t.after(() => webSocket.terminate());
  const answered = new Promise<WebSocket | number>((resolve) => {
    webSocket.once('open', () => resolve(webSocket));
    webSocket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    webSocket.on('error', () => resolve(0));
  });
  return within(answered, 'answer to the opening handshake');
}

async function entered(t: TestContext, running: TestDaemon, way: Way): Promise<WebSocket> {
  const tunnel = await enter(t, running, way);
  if (typeof tunnel === 'number') throw new Error(`refused with ${tunnel}`);
  return tunnel;
}

async function list<T>(running: TestDaemon, method: string): Promise<T[]> {
  const { body } = await call({ host: 'localhost', port: running.controlPort }, method);
  return (JSON.parse(body) as { result: { entries: T[] } }).result.entries;
}

async function targets(running: TestDaemon): Promise<string[]> {
  return (await list<PortEntry>(running, 'listPort')).map(({ target }) => target);
}

async function counters(running: TestDaemon): Promise<Readonly<Partial<Record<keyof EndpointCounters, number>>>> {
  return (await list<EndpointEntry>(running, 'listDoor')).find(({ service }) => service === 'tunnels')?.counters ?? {};
}

/** Resolves when the peer has closed the connection. @returns all received text */
async function closed(socket: Socket): Promise<string> {
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return said;
}

for (const isSecure of [false, true]) {
  test(`in front of ${isSecure ? 'TLS' : 'plain HTTP'}, however it is cut, a header names the client`, async (t) => {
    const missing = missingTools('openssl');
    if (isSecure && missing !== false) return t.skip(missing);
    const maker = new CertificateMaker();
    t.after(() => maker.remove());
    const identity = isSecure ? maker.make({ name: 'relay', subjectAltName: 'IP:127.0.0.1' }) : undefined;
    const tls = identity === undefined ? {} : { sslkey: identity.keyFile, sslcert: identity.certFile };
    const ca = identity === undefined ? undefined : readFileSync(identity.certFile);
    const running = await start(t, tls);
    const inet6 = inet6Body([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], [0, 0, 0, 0, 0, 0, 0, 1], [4711, 443]);
    const plain = await entered(t, running, { from: STRANGER, ca });
    for (const [header, pieceBytes, wanted] of [
      [V1, undefined, '198.51.100.7:4711'],
      [V1, 5, '198.51.100.7:4711'],
      [V1, 1, '198.51.100.7:4711'],
      [V2, undefined, '198.51.100.7:4711'],
      [V2, 15, '198.51.100.7:4711'],
      [V2, 1, '198.51.100.7:4711'],
      [binaryHeader({ family: 0x21, body: inet6 }), undefined, '[2001:db8::9]:4711'],
      [Buffer.from('PROXY UNKNOWN\r\n'), undefined, /^127\.0\.0\.2:\d+$/],
      [binaryHeader({ command: 0x20, body: Buffer.alloc(0) }), undefined, /^127\.0\.0\.2:\d+$/],
      [undefined, undefined, /^127\.0\.0\.2:\d+$/],
    ] as const) {
      const tunnel = await entered(t, running, { header, pieceBytes, ca } as Way);
      const [, target = ''] = await targets(running);
      if (typeof wanted === 'string') assert.equal(target, wanted);
      else assert.match(target, wanted);
      // Frames cross in both directions only if exactly the header was removed.
      for (const [sender, receiver] of [
        [plain, tunnel],
        [tunnel, plain],
      ] as const) {
        const frame = Buffer.alloc(60, 0xff).fill(2, 6, 12);
        const [[arrived]] = await Promise.all([once(receiver, 'message'), sender.send(frame)]);
        assert.deepEqual(arrived, frame);
      }
      tunnel.close();
      await once(tunnel, 'close');
      await eventually(
        () => targets(running),
        (all) => all.length <= 1,
      );
    }
    assert.equal((await counters(running)).badProxyHeaders, 0);
  });
}

describe('which headers are believed', () => {
  const forwarded = { 'X-Forwarded-For': '192.0.2.66' };
  const by = (address: string): Buffer => Buffer.from(`PROXY TCP4 ${address} 203.0.113.5 4711 443\r\n`);
  const cases: [string, Way, string | RegExp][] = [
    ['X-Forwarded-For of a proxy that sends no header', { headers: forwarded }, '192.0.2.66'],
    [
      'the header before X-Forwarded-For, which the client wrote',
      { header: V1, headers: forwarded },
      '198.51.100.7:4711',
    ],
    [
      'X-Forwarded-For of a proxy of ours that the header names',
      { header: by(INNER), headers: forwarded },
      '192.0.2.66',
    ],
    [
      'none, where the header names no client',
      { header: Buffer.from('PROXY UNKNOWN\r\n'), headers: forwarded },
      /^127\.0\.0\.2:/,
    ],
    ['no X-Forwarded-For of an untrusted host', { from: STRANGER, headers: forwarded }, /^127\.0\.0\.3:/],
  ];
  for (const [name, way, wanted] of cases) {
    test(name, async (t) => {
      const running = await start(t);
      await entered(t, running, way);
      const [target = ''] = await targets(running);
      if (typeof wanted === 'string') assert.equal(target, wanted);
      else assert.match(target, wanted);
    });
  }

  test('no header of an untrusted host: it is bad HTTP, and no tunnel opens', async (t) => {
    const running = await start(t);
    for (const header of [V1, V2]) {
      const socket = await open(t, running, STRANGER);
      socket.write(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')]));
      assert.match(await closed(socket), /^HTTP\/1\.1 400 /);
    }
    assert.equal((await counters(running)).badProxyHeaders, 0);
    assert.ok(!running.logText.includes('198.51.100.7'));
  });

  test('the header at the control API, too', async (t) => {
    const running = await start(t, { ctlhost: '127.0.0.1' });
    const socket = await open(t, running, PROXY, running.controlPort);
    socket.end(Buffer.concat([V2, Buffer.from('GET /ctl HTTP/1.1\r\nHost: localhost\r\n\r\n')]));
    assert.match(await closed(socket), /^HTTP\/1\.1 405 /);
    const refused = running.log.find(({ message }) => message === 'control request refused');
    assert.match(JSON.stringify(refused), /"remoteAddress":"198\.51\.100\.7"/);
  });

  test('no second header behind the first', async (t) => {
    const running = await start(t);
    const socket = await open(t, running, PROXY);
    socket.write(Buffer.concat([V1, by('192.0.2.66'), Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')]));
    assert.match(await closed(socket), /^HTTP\/1\.1 400 /);
  });
});

test('a header that cannot be read, or does not come to its end, costs the connection, and is counted', async (t) => {
  const running = await start(t, { handshakeTimeout: '1' });
  const bad = [
    Buffer.from('PROXY / HTTP/1.1\r\nHost: a\r\n\r\n'),
    Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`),
    binaryHeader({ command: 0x31 }),
    binaryHeader({ length: 0xffff }),
  ];
  for (const header of bad) {
    const socket = await open(t, running, PROXY);
    socket.write(header);
    assert.equal(await closed(socket), '');
  }
  assert.equal((await counters(running)).badProxyHeaders, bad.length);
  assert.match(running.logText, /PROXY header cannot be read/);

  const slow = [V1.subarray(0, 1), V1.subarray(0, 20), V2.subarray(0, 15), binaryHeader({ length: 1000 })];
  for (const header of slow) {
    const socket = await open(t, running, PROXY);
    socket.write(header);
    assert.equal(await closed(socket), '');
  }
  assert.equal((await counters(running)).handshakeTimeouts, slow.length);

  // Health checks: a header with LOCAL and the end of the connection, and an incomplete header.
  for (const header of [binaryHeader({ command: 0x20, family: 0, body: Buffer.alloc(0) }), V1.subarray(0, 4)]) {
    const socket = await open(t, running, PROXY);
    socket.end(header);
    await closed(socket);
  }
  assert.equal((await counters(running)).badProxyHeaders, bad.length);
});

describe('bounds of an address meet the client, and not the proxy', () => {
  const client = (last: number): Buffer => Buffer.from(`PROXY TCP4 198.51.100.${last} 203.0.113.5 4711 443\r\n`);

  test('of tunnels', async (t) => {
    const running = await start(t, { maxPerAddress: '2' });
    const way = { header: client(1) };
    await entered(t, running, way);
    await entered(t, running, way);
    assert.equal(await enter(t, running, way), 429);
    for (const last of [2, 3, 4]) await entered(t, running, { header: client(last) });
  });

  test('of connections that prove nothing', async (t) => {
    const running = await start(t, { maxPerAddress: '2' });
    const knock = async (header: Buffer): Promise<Socket> => {
      const socket = await open(t, running, PROXY);
      socket.write(header);
      return socket;
    };
    await knock(client(1));
    await knock(client(1));
    await closed(await knock(client(1)));
    await entered(t, running, { header: client(2) });
    assert.equal((await counters(running)).overAddressShare, 1);
  });

  test('of failed logins', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-proxy-header-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const htpasswd = join(directory, 'users');
    writeFileSync(htpasswd, 'ada:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n');
    const running = await start(t, { htpasswd, loginFailures: '2' });
    const login = (last: number, password: string): Promise<WebSocket | number> => {
      const Authorization = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
      return enter(t, running, { header: client(last), headers: { Authorization } });
    };
    assert.equal(await login(1, 'wrong'), 401);
    assert.equal(await login(1, 'wrong'), 401);
    assert.equal(await login(1, 'hello'), 429);
    assert.equal(typeof (await login(2, 'hello')), 'object');
  });
});
