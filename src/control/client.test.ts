import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { startFakeControl } from '../../test/support/fake-switch.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once } from '../../test/support/waits.ts';
import { listen, stop } from '../../test/support/web-socket-peer.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { ControlClient } from './client.ts';

/** A server that is no control API. @returns its URL */
async function serve(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ctl`;
}

function serveHttp(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener);
  t.after(() => server.closeAllConnections());
  return serve(t, server);
}

function serveRaw(t: TestContext, listener: (socket: Socket) => void): Promise<string> {
  return serve(
    t,
    createServer((socket) => {
      socket.on('error', () => undefined);
      t.after(() => socket.destroy());
      listener(socket);
    }),
  );
}

function failsWith(url: string, code: string, message: RegExp, hint?: RegExp): Promise<void> {
  return assert.rejects(
    new ControlClient({ url }).call('listPort', {}),
    (error: Error & { code: string; hint: string }) => {
      assert.deepEqual([error.name, error.code], ['EtherwsError', code], String(error));
      assert.match(error.message, message);
      assert.match(error.hint, hint ?? /./);
      return true;
    },
  );
}

describe('control client', () => {
  for (const host of ['127.0.0.1', '::1']) {
    it(`calls a switch on ${host}`, async (t) => {
      const control = await startFakeControl({ host });
      t.after(() => control.close());
      const client = new ControlClient({ url: control.url });
      const { entries } = await client.call('addPort', { type: 'tap', target: 'tap0' });
      assert.equal(entries[0]?.target, 'tap0');
      assert.deepEqual(await client.call('listPort', {}), { entries });
    });
  }

  it('sends nothing that the switch would refuse', async () => {
    const client = new ControlClient({ url: 'http://127.0.0.1:1/' });
    await assert.rejects(client.call('delPort', { port: 0 }), { code: 'ARGUMENT_INVALID' });
    await assert.rejects(client.call('setInterface', { port: 1, address: 'x' }), { code: 'ADDRESS_INVALID' });
  });

  it('refuses options that cannot be', () => {
    for (const url of ['', 'ctl', 'ws://a/', 'http://', 'http://user@a/', 'ftp://a/']) {
      assert.throws(() => new ControlClient({ url }), { code: 'ARGUMENT_INVALID' });
    }
    assert.throws(() => new ControlClient({ passwd: 'x' }), /without a user/);
    assert.throws(() => new ControlClient({ user: 'a:b', passwd: 'x' }), /colon/);
  });

  it('throws what the switch says, with code and data', async (t) => {
    const control = await startFakeControl();
    t.after(() => control.close());
    await assert.rejects(new ControlClient({ url: control.url }).call('delPort', { port: 9 }), {
      name: 'ControlError',
      code: -32602,
      message: 'Invalid params',
      data: 'PORT_NOT_FOUND: There is no port 9. listport shows which there are',
    });
  });

  it('authenticates, also with colons and beyond ASCII', async (t) => {
    const seen: (string | undefined)[] = [];
    const authenticator: Authenticator = {
      challenge: 'Basic realm=etherws',
      authenticate: ({ authorization }) => {
        seen.push(authorization);
        return Promise.resolve({ isAllowed: false, reason: 'wrong' });
      },
      close: () => Promise.resolve(),
    };
    const control = await startFakeControl({ authenticator });
    t.after(() => control.close());
    const client = new ControlClient({ url: control.url, user: 'änn', passwd: 'p:w:€' });
    await assert.rejects(client.call('listPort', {}), { code: 'AUTH_FAILED', message: /wrong/, hint: /--ctlpasswd/ });
    assert.deepEqual(seen, [`Basic ${Buffer.from('änn:p:w:€').toString('base64')}`]);
  });

  it('asks whether the switch is running when nothing listens', async (t) => {
    const url = await serveRaw(t, () => undefined);
    const server = createServer();
    const gone = `http://127.0.0.1:${await listen(server)}/ctl`;
    await stop(server);
    assert.notEqual(url, gone);
    await failsWith(gone, 'CONNECTION_REFUSED', /^Nothing listens at 127\.0\.0\.1:\d+$/, /etherws sw/);
  });

  it('says what answers instead of a control API', async (t) => {
    const status = (code: number, body = ''): Promise<string> =>
      serveHttp(t, (_request, response) => response.writeHead(code, { Location: '/' }).end(body));
    await failsWith(await status(404), 'CONTROL_FAILED', /404/, /--ctlpath/);
    await failsWith(await status(301), 'CONTROL_FAILED', /leads elsewhere/);
    await failsWith(await status(401), 'AUTH_FAILED', /password/);
    await failsWith(await status(502, '<html>'), 'REQUEST_REFUSED', /502/);
    await failsWith(await status(200, '<html>'), 'CONTROL_FAILED', /did not answer in JSON-RPC/);
    await failsWith(await status(200, '[]'), 'CONTROL_FAILED', /did not answer in JSON-RPC/);
    await failsWith(await status(200, '{"jsonrpc":"2.0","id":1}'), 'CONTROL_FAILED', /did not answer in JSON-RPC/);
    const other = '{"jsonrpc":"2.0","id":77,"result":{"entries":[]}}';
    await failsWith(await status(200, other), 'CONTROL_FAILED', /another call/);
    const odd = '{"jsonrpc":"2.0","id":1,"result":{"entries":[{"port":"x"}]}}';
    await failsWith(await status(200, odd), 'CONTROL_FAILED', /result\.entries\[0\]\.port/, /versions/);
  });

  it('says that a peer hangs up, talks something else, or TLS', async (t) => {
    const mute = await serveRaw(t, (socket) => socket.end());
    await failsWith(mute, 'CONNECTION_REFUSED', /closed the connection/);
    const ssh = await serveRaw(t, (socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    await failsWith(ssh, 'CONTROL_FAILED', /does not speak HTTP/, /https/);
    const plain = await serveHttp(t, (_request, response) => response.end());
    await failsWith(plain.replace('http:', 'https:'), 'TLS_FAILED', /does not speak TLS/, /http:/);
  });

  it('gives up on an answer that does not come or does not end', async (t) => {
    const silent = await serveRaw(t, () => undefined);
    const client = new ControlClient({ url: silent, timeoutMs: 50 });
    await assert.rejects(client.call('listPort', {}), { code: 'CONTROL_FAILED', message: /within 0\.05 s/ });
    const piece = ' '.repeat(1024 * 1024);
    const endless = await serveHttp(t, (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    await failsWith(endless, 'CONTROL_FAILED', /without end/);
  });
});

describe('control client over TLS', { skip: missingTools('openssl') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-control-'));
  let ca = '';
  let tls = { key: '', cert: '' };

  before(async () => {
    const authority = await createAuthority(directory);
    const { key, certificate } = await authority.issue('localhost', ['localhost']);
    ca = readFileSync(authority.certificate, 'utf8');
    tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
  });
  after(() => rmSync(directory, { recursive: true }));

  it('verifies the certificate by the file that was given', async (t) => {
    const control = await startFakeControl({ tls });
    t.after(() => control.close());
    const named = control.url.replace('127.0.0.1', 'localhost');
    assert.deepEqual(await new ControlClient({ url: named, ca }).call('listPort', {}), { entries: [] });
    await assert.rejects(new ControlClient({ url: named }).call('listPort', {}), {
      code: 'CERTIFICATE_UNTRUSTED',
      hint: /--ctlsslcert/,
    });
    await assert.rejects(new ControlClient({ url: control.url, ca }).call('listPort', {}), {
      code: 'CERTIFICATE_NAME_MISMATCH',
      hint: /--ctlinsecure/,
    });
  });

  it('takes any certificate when told so', async (t) => {
    const control = await startFakeControl({ tls });
    t.after(() => control.close());
    const client = new ControlClient({ url: control.url, isInsecure: true });
    assert.deepEqual(await client.call('listPort', {}), { entries: [] });
  });

  it('says that http:// reaches a TLS port', async (t) => {
    const control = await startFakeControl({ tls });
    t.after(() => control.close());
    const url = control.url.replace('https:', 'http:');
    await failsWith(url, 'CONNECTION_REFUSED', /closed the connection/, /https:/);
  });
});
