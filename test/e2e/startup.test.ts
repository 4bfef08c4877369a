import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority } from '../support/certificates.ts';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import type { Host } from '../support/namespaces.ts';
import { missingModules, Peer } from '../support/peer.ts';

/** The process ids of the switches in the laboratory, in its namespace. */
async function switchesOn(host: Host): Promise<string[]> {
  const script =
    'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline 2>/dev/null | grep -q "[e]therws.js sw" && echo $p; done';
  const { stdout } = await host.run(['bash', '-c', script]);
  return [...stdout.matchAll(/\d+/g)].map(([pid]) => pid);
}

const sw = (host: Host, ...options: string[]): ReturnType<Host['run']> =>
  host.run([...ETHERWS, 'sw', '--logformat', 'text', ...options], { timeoutMs: 30_000 });

test('a switch that cannot start says why, ends with an error, and leaves no daemon', async (t) => {
  const lab = await openLab(t, 'openssl', 'setpriv');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const authority = await createAuthority(lab.directory);
  const one = await authority.issue('one', ['one.example']);
  const two = await authority.issue('two', ['two.example']);
  const absent = join(lab.directory, 'absent');
  const garbage = join(lab.directory, 'garbage');
  writeFileSync(garbage, 'no certificate\n');
  const shared = ['--host', '127.0.0.1', '--port', '7867'];

  const usage: [string[], RegExp][] = [
    [['--ageout', '0'], /--ageout.*"0"/],
    [['--ageout', '-1'], /--ageout/],
    [['--ageout', 'soon'], /--ageout.*"soon"/],
    [['--path', 'tunnel'], /--path.*"tunnel"/],
    [['--ctlpath', 'ctl'], /--ctlpath.*"ctl"/],
    [['--port', '65536'], /--port.*65536/],
    [['--sslkey', one.key], /--sslcert/],
    [['--sslcert', one.certificate], /--sslkey/],
    [['--ctlsslkey', one.key], /--ctlsslcert/],
    [['--ctlsslcert', one.certificate], /--ctlsslkey/],
    [[...shared, '--path', '/ctl'], /--path.*--ctlpath|paths/],
    [[...shared, '--sslkey', one.key, '--sslcert', one.certificate], /key and certificate/],
    [
      [
        ...shared,
        '--sslkey',
        one.key,
        '--sslcert',
        one.certificate,
        '--ctlsslkey',
        two.key,
        '--ctlsslcert',
        two.certificate,
      ],
      /key and certificate/,
    ],
  ];
  const failure: [string[], RegExp][] = [
    [['--htpasswd', absent], /--htpasswd.*absent/],
    [['--ctlhtpasswd', absent], /--ctlhtpasswd.*absent/],
    [['--sslkey', absent, '--sslcert', one.certificate], /--sslkey.*absent/],
    [['--sslkey', garbage, '--sslcert', garbage], /garbage/],
    [['--sslkey', one.key, '--sslcert', two.certificate], /key|certificate/],
    [['--port', '8000', '--host', '192.0.2.99'], /192\.0\.2\.99:8000/],
  ];
  for (const [cases, wanted] of [
    [usage, 2],
    [failure, 1],
  ] as const) {
    for (const [options, words] of cases) {
      await t.test(`etherws sw ${options.join(' ').replaceAll(lab.directory, '')}`, async () => {
        const { status, stdout, stderr } = await sw(host, ...options);
        assert.match(stderr, words);
        assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace');
        assert.equal(status, wanted, stderr);
        assert.equal(stdout, '');
        assert.deepEqual(await switchesOn(host), []);
      });
    }
  }

  await t.test('a port that is taken, of either service', async () => {
    const running = await EtherwsSwitch.start(host, ['--port', '8000']);
    const before = await switchesOn(host);
    for (const [options, words] of [
      [['--port', '8000', '--ctlport', '7868'], /8000.*another program/],
      [['--port', '8001'], /7867.*another program/],
    ] as const) {
      const { status, stderr } = await sw(host, ...options);
      assert.equal(status, 1);
      assert.match(stderr, words);
      assert.deepEqual(await switchesOn(host), before);
    }
    assert.equal((await running.stop()).status, 0);
  });

  await t.test('a file that may not be read', async () => {
    const secret = join(lab.directory, 'secret');
    writeFileSync(secret, 'alice:x\n');
    chmodSync(secret, 0);
    // Without capabilities root cannot read the file either.
    const powerless = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
    const { status, stderr } = await host.run([...powerless, ...ETHERWS, 'sw', '--htpasswd', secret]);
    assert.equal(status, 1);
    assert.match(stderr, /--htpasswd.*secret/);
    assert.deepEqual(await switchesOn(host), []);
  });
});

test('the daemon: its parent ends once both services listen, and it has let go of everything', async (t) => {
  const lab = await openLab(t);
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const pidFile = join(lab.directory, 'etherws.pid');
  const { status, stdout, stderr } = await sw(host, '--port', '8000', '--pidfile', pidFile);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '');
  assert.doesNotMatch(stderr, /WARN|ERROR/);

  // Both respond at once, without a second attempt.
  const listed = await host.run([...ETHERWS, 'ctl', 'listport']);
  assert.equal(listed.status, 0, listed.stderr);
  await host.check(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/8000']);

  const [pid, ...others] = await switchesOn(host);
  assert.ok(pid !== undefined);
  assert.deepEqual(others, []);
  assert.equal((await host.check(['cat', pidFile])).trim(), pid);
  assert.equal((await host.check(['readlink', `/proc/${pid}/cwd`])).trim(), '/');
  for (const descriptor of [0, 1, 2]) {
    assert.equal((await host.check(['readlink', `/proc/${pid}/fd/${descriptor}`])).trim(), '/dev/null');
  }
  const [, parent, , session] = (await host.check(['cat', `/proc/${pid}/stat`])).replace(/^.*\) /, '').split(' ');
  assert.equal(parent, '1', 'its parent is gone');
  assert.equal(session, pid, 'it leads a session of its own');

  await host.check(['kill', '-TERM', pid]);
  await host.check(['bash', '-c', `while kill -0 ${pid} 2>/dev/null; do sleep 0.05; done`], { timeoutMs: 20_000 });
  assert.notEqual((await host.run(['cat', pidFile])).status, 0, 'the PID file went with it');
});

test('both services share one listener when host and port are the same', async (t) => {
  const missing = missingModules('websocket');
  if (missing !== false) return t.skip(missing);
  const lab = await openLab(t, 'openssl');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const authority = await createAuthority(lab.directory);
  const { key, certificate } = await authority.issue('shared', ['127.0.0.1']);
  const lan = await EtherwsSwitch.start(
    host,
    [
      ...['--host', '127.0.0.1', '--port', '8443', '--path', '/tunnel', '--sslkey', key, '--sslcert', certificate],
      ...['--ctlhost', '127.0.0.1', '--ctlport', '8443', '--ctlsslkey', key, '--ctlsslcert', certificate],
    ],
    ['--ctlurl', 'https://127.0.0.1:8443/ctl', '--ctlsslcert', authority.certificate],
  );
  await Peer.start(host, 'websocket_client_peer.py', [
    'wss://127.0.0.1:8443/tunnel',
    '--cafile',
    authority.certificate,
  ]);
  assert.deepEqual(
    (await lan.ports()).map(({ type }) => type),
    ['server'],
  );
  const listening = await host.check(['bash', '-c', 'grep -c " 0A " /proc/net/tcp']);
  assert.equal(listening.trim(), '1');
});
