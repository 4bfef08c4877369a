import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { TestDaemon } from '../support/daemon.ts';
import { call, knock } from '../support/http.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { missingTools } from '../support/tools.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

test('a new certificate and new authorities come into force on reload, and no tunnel drops', async (t) => {
  const missing = missingTools('openssl');
  if (missing !== false) return t.skip(missing);
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const authority = maker.make({ name: 'authority', isAuthority: true });
  const names = 'IP:127.0.0.1,DNS:localhost';
  const old = maker.make({ name: 'old', subjectAltName: names, issuer: authority });
  const renewed = maker.make({ name: 'renewed', subjectAltName: names, issuer: authority });
  const [clients, others] = ['clients', 'others'].map((name) => maker.make({ name, isAuthority: true }));
  assert.ok(clients !== undefined && others !== undefined);
  const ada = maker.make({ name: 'ada', issuer: clients });
  const eve = maker.make({ name: 'eve', issuer: others });
  const key = maker.path('server.key');
  const cert = maker.path('server.crt');
  const clientCa = maker.path('clients.pem');
  copyFileSync(old.keyFile, key);
  copyFileSync(old.certFile, cert);
  copyFileSync(clients.certFile, clientCa);
  const running = await TestDaemon.start(t, { sslkey: key, sslcert: cert, clientCa });
  const ca = readFileSync(authority.certFile);
  const port = running.tunnelPort;
  const as = (files: { keyFile: string; certFile: string }): { ca: Buffer; key: Buffer; cert: Buffer } => ({
    ca,
    key: readFileSync(files.keyFile),
    cert: readFileSync(files.certFile),
  });
  const shown = async (): Promise<unknown> => {
    const socket = connect({ port, host: '127.0.0.1', ca });
    await once(socket, 'secureConnect');
    const name = socket.getPeerCertificate().subject.CN;
    socket.destroy();
    return name;
  };

  const tunnel = new TunnelSocket(`wss://127.0.0.1:${port}/`, as(ada));
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  assert.equal(await shown(), 'old');
  assert.equal((await knock({ port, ...as(eve) })).status, 403);

  writeFileSync(cert, 'cut off');
  await running.daemon.reload();
  assert.equal(await shown(), 'old', 'what cannot be used leaves the old one in force');
  assert.match(running.logText, /Cannot reload/);

  copyFileSync(renewed.keyFile, key);
  copyFileSync(renewed.certFile, cert);
  copyFileSync(others.certFile, clientCa);
  await running.daemon.reload();
  assert.equal(await shown(), 'renewed');
  assert.equal((await knock({ port, ...as(eve) })).status, 101);
  assert.equal((await knock({ port, ...as(ada) })).status, 403);

  tunnel.ping();
  await once(tunnel, 'pong');
});

test('the names of a new certificate are names of the switch from then on, and those of the old one are not', async (t) => {
  const missing = missingTools('openssl');
  if (missing !== false) return t.skip(missing);
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const authority = maker.make({ name: 'authority', isAuthority: true });
  const certificateFor = (name: string): { keyFile: string; certFile: string } =>
    maker.make({ name, subjectAltName: `IP:127.0.0.1,DNS:${name}.example`, issuer: authority });
  const [old, renewed] = [certificateFor('old'), certificateFor('renewed')];
  const [key, cert] = [maker.path('server.key'), maker.path('server.crt')];
  const use = (files: { keyFile: string; certFile: string }): void => {
    copyFileSync(files.keyFile, key);
    copyFileSync(files.certFile, cert);
  };
  use(old);
  const tls = { sslkey: key, sslcert: cert, ctlsslkey: key, ctlsslcert: cert };
  const running = await TestDaemon.start(t, { ...tls, ctlhost: '127.0.0.1' });
  const ca = readFileSync(authority.certFile);
  /** Requests both services with this Host. @returns their statuses */
  const asked = async (name: string): Promise<unknown[]> => {
    const host = `${name}.example`;
    const to = { ca, host: '127.0.0.1', servername: '' };
    const page = { Host: host, Origin: `https://${host}`, 'User-Agent': 'Mozilla/5.0' };
    const tunnel = await knock({ ...to, port: running.tunnelPort, headers: page });
    const control = await call({ ...to, port: running.controlPort, headers: { Host: host } });
    return [tunnel.status, control.status];
  };
  assert.deepEqual(await asked('old'), [101, 200]);
  assert.deepEqual(await asked('renewed'), [403, 403]);
  use(renewed);
  await running.daemon.reload();
  assert.deepEqual(await asked('renewed'), [101, 200]);
  assert.deepEqual(await asked('old'), [403, 403]);
});
