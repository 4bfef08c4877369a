import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority } from '../support/certificates.ts';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { htpasswdLine, PASSWORD, USER } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';

const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.listPort' });
const JSON_TYPE = ['-H', 'Content-Type: application/json'];

/** POSTs by curl; without a body in the options, a call of listPort. @returns the HTTP status */
async function post(host: Host, url: string, ...options: string[]): Promise<number> {
  const body = options.includes('--data-binary') ? [] : ['--data', CALL];
  const format = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}'];
  const { status, stdout, stderr } = await host.run(['curl', ...format, ...body, ...options, url]);
  assert.equal(status, 0, `curl: ${stderr}`);
  return Number(stdout);
}

test('a page in a browser cannot control the switch', async (t) => {
  const lab = await openLab(t, 'curl');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const lan = await EtherwsSwitch.start(host, ['--port', '8000', '--ctlname', 'Switch.Example']);
  const url = 'http://127.0.0.1:7867/ctl';

  assert.equal(await post(host, url, ...JSON_TYPE), 200);
  const cases: [string, string[], number][] = [
    ['a form posts text', ['-H', 'Content-Type: text/plain'], 415],
    ['a form posts fields', [], 415],
    ['no content type', ['-H', 'Content-Type:'], 415],
    ['another origin', [...JSON_TYPE, '-H', 'Origin: https://evil.example'], 403],
    ['an opaque origin', [...JSON_TYPE, '-H', 'Origin: null'], 403],
    ['another port is another origin', [...JSON_TYPE, '-H', 'Origin: http://127.0.0.1:8080'], 403],
    ['its own origin', [...JSON_TYPE, '-H', 'Origin: http://127.0.0.1:7867'], 200],
    ['a name that was pointed here', [...JSON_TYPE, '-H', 'Host: evil.example'], 403],
    ['the same with its port', [...JSON_TYPE, '-H', 'Host: evil.example:7867'], 403],
    ['localhost', [...JSON_TYPE, '-H', 'Host: localhost:7867'], 200],
    ['an address', [...JSON_TYPE, '-H', 'Host: [::1]:7867'], 200],
    ['a name given by --ctlname', [...JSON_TYPE, '-H', 'Host: switch.example:7867'], 200],
    ['a body that is read', [...JSON_TYPE, '-X', 'PUT'], 405],
  ];
  for (const [name, options, status] of cases) {
    await t.test(`${name}: ${status}`, async () => {
      assert.equal(await post(host, url, ...options), status);
    });
  }

  await t.test('a body of more than 1 MiB is refused, of 1 MiB is read', async () => {
    const whole = 1024 * 1024;
    for (const [bytes, wanted] of [
      [whole, 200],
      [whole + 1, 413],
    ] as const) {
      const body = join(lab.directory, 'body.json');
      writeFileSync(body, CALL.padEnd(bytes));
      assert.equal(await post(host, url, ...JSON_TYPE, '--data-binary', `@${body}`), wanted);
    }
  });

  await t.test('another path is not found', async () => {
    assert.equal(await post(host, 'http://127.0.0.1:7867/elsewhere', ...JSON_TYPE), 404);
  });

  assert.deepEqual(await lan.ports(), []);
});

test('control with TLS and a password', async (t) => {
  const lab = await openLab(t, 'openssl', 'htpasswd', 'curl');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const authority = await createAuthority(lab.directory);
  const stranger = await createAuthority(lab.directory, 'stranger');
  const { key, certificate } = await authority.issue('control', ['127.0.0.1', 'control.example']);
  const admins = join(lab.directory, 'admins');
  writeFileSync(admins, await htpasswdLine('-B', USER, PASSWORD));
  await lab.nameHosts({ 'control.example': '127.0.0.1' });
  await EtherwsSwitch.start(
    host,
    ['--port', '8000', '--ctlsslkey', key, '--ctlsslcert', certificate, '--ctlhtpasswd', admins],
    [
      '--ctlurl',
      'https://127.0.0.1:7867/ctl',
      '--ctlsslcert',
      authority.certificate,
      '--ctluser',
      USER,
      '--ctlpasswd',
      PASSWORD,
    ],
  );

  const url = ['--ctlurl', 'https://127.0.0.1:7867/ctl'];
  const trust = ['--ctlsslcert', authority.certificate];
  const login = ['--ctluser', USER, '--ctlpasswd', PASSWORD];
  const cases: [string, string[], number, RegExp][] = [
    ['the name in the certificate', ['--ctlurl', 'https://control.example:7867/ctl', ...trust, ...login], 0, /^$/],
    ['--ctlinsecure', [...url, '--ctlinsecure', ...login], 0, /^$/],
    ['no password', [...url, ...trust], 1, /AUTH_FAILED/],
    ['a wrong password', [...url, ...trust, '--ctluser', USER, '--ctlpasswd', 'wrong'], 1, /AUTH_FAILED/],
    ['a certificate that the system does not trust', [...url, ...login], 1, /CERTIFICATE_UNTRUSTED/],
    ['another authority', [...url, '--ctlsslcert', stranger.certificate, ...login], 1, /CERTIFICATE_UNTRUSTED/],
    ['no TLS', ['--ctlurl', 'http://127.0.0.1:7867/ctl', ...login], 1, /\(\w+\)/],
  ];
  for (const [name, options, wanted, words] of cases) {
    await t.test(name, async () => {
      const { status, stderr } = await host.run([...ETHERWS, 'ctl', ...options, 'listport']);
      assert.equal(status, wanted, stderr);
      assert.match(stderr, words);
      assert.ok(!stderr.includes(PASSWORD));
    });
  }

  await t.test('the password from the environment', async () => {
    const { status, stderr } = await host.run([...ETHERWS, 'ctl', ...url, ...trust, '--ctluser', USER, 'listport'], {
      env: { ETHERWS_CTL_PASSWD: PASSWORD },
    });
    assert.equal(status, 0, stderr);
  });

  await t.test('curl, which knows nothing of etherws, is let in by the same', async () => {
    const https = 'https://control.example:7867/ctl';
    const curl = ['--cacert', authority.certificate, ...JSON_TYPE];
    assert.equal(await post(host, https, ...curl, '--user', `${USER}:${PASSWORD}`), 200);
    assert.equal(await post(host, https, ...curl, '--user', `${USER}:nearly`), 401);
    assert.equal(await post(host, https, ...curl), 401);
  });
});

test('control without a password on an address that is not loopback is warned of', async (t) => {
  const host = await (await openLab(t))?.host('lan');
  if (host === undefined) return;
  const open = await EtherwsSwitch.start(host, ['--port', '8000', '--ctlhost', '']);
  assert.match(open.process.stderr, /WARN.*(auth|password)/i);
  await open.stop();
  const closed = await EtherwsSwitch.start(host, ['--port', '8000']);
  assert.doesNotMatch(closed.process.stderr, /WARN/);
});
