import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type CertificateFiles, CertificateMaker } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once } from '../../test/support/waits.ts';
import { parsePins } from './parse-pins.ts';
import { enforcePins, pinProblem, publicKeyPin } from './public-key-pin.ts';

const ZERO_PIN = `sha256//${Buffer.alloc(32).toString('base64')}`;

function certificateOf({ certFile }: CertificateFiles): X509Certificate {
  return new X509Certificate(readFileSync(certFile));
}

function makerOf(t: TestContext): CertificateMaker {
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  return maker;
}

test('a pin is what openssl computes from the certificate', { skip: missingTools('openssl') }, (t) => {
  const files = makerOf(t).make({ name: 'server' });
  const command =
    'openssl x509 -in "$0" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64';
  const expected = execFileSync('sh', ['-c', command, files.certFile], { encoding: 'utf8' }).trim();
  assert.equal(publicKeyPin(certificateOf(files)), `sha256//${expected}`);
});

test('a renewed certificate for the same key has the same pin', { skip: missingTools('openssl') }, (t) => {
  const maker = makerOf(t);
  const files = maker.make({ name: 'server' });
  const renewed = maker.path('renewed.crt');
  execFileSync('openssl', ['req', '-x509', '-key', files.keyFile, '-subj', '/CN=renewed', '-out', renewed], {
    stdio: 'ignore',
  });
  const pins = [files.certFile, renewed].map((certFile) => publicKeyPin(certificateOf({ ...files, certFile })));
  assert.equal(pins[0], pins[1]);
});

test('pins are read strictly', () => {
  const other = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
  assert.deepEqual(parsePins(ZERO_PIN), [ZERO_PIN]);
  assert.deepEqual(parsePins(`${ZERO_PIN}; ${other}`), [ZERO_PIN, other]);
  for (const text of [
    '',
    'sha256//',
    ZERO_PIN.slice(0, -1),
    ZERO_PIN.slice('sha256//'.length),
    `${ZERO_PIN};`,
    `md5//${ZERO_PIN}`,
  ]) {
    assert.throws(() => parsePins(text), { code: 'ARGUMENT_INVALID', hint: /openssl x509/ }, text);
  }
});

test('no certificate matches no pin', () => {
  assert.equal(pinProblem(undefined, [ZERO_PIN], 'host')?.code, 'CERTIFICATE_PIN_MISMATCH');
});

test('another key: the connection ends before a byte of what was written is sent', {
  skip: missingTools('openssl'),
}, async (t) => {
  const files = makerOf(t).make({ name: 'server' });
  const received: string[] = [];
  const pair = { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) };
  const server = createServer(pair, (socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        received.push(String(data));
        socket.end('thanks');
      });
  });
  server.on('tlsClientError', () => undefined);
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const dial = (pins: readonly string[]): TLSSocket => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    enforcePins(socket, pins, 'switch.example');
    socket.write('the password');
    return socket;
  };

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    server.setSecureContext({ ...pair, maxVersion });
    const refused = dial([ZERO_PIN]);
    const closedByServer = once(server, 'connection').then(([socket]) => once(socket, 'close'));
    const [error] = await once(refused, 'error');
    assert.equal(error.code, 'CERTIFICATE_PIN_MISMATCH');
    assert.ok(error.message.includes(publicKeyPin(certificateOf(files))));
    await closedByServer;
    assert.deepEqual(received, []);

    const [answer] = await once(dial([ZERO_PIN, publicKeyPin(certificateOf(files))]), 'data');
    assert.equal(String(answer), 'thanks');
    assert.deepEqual(received.splice(0), ['the password']);
  }
});
