import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../support/certificates.ts';
import { EtherwsSwitch } from '../support/etherws.ts';
import { createCredentials, LEFT, openPair, PASSWORD, USER } from '../support/lan.ts';

test('a tunnel that cannot be had: each reason has its own message, and no port is left', async (t) => {
  const pair = await openPair(t, 'openssl', 'htpasswd');
  if (pair === undefined) return;
  const { left, right, lab } = pair;
  const { authority, options } = await createCredentials(pair);
  const stranger = await createAuthority(lab.directory, 'stranger');
  await lab.nameHosts({ [LEFT.name]: LEFT.v4, 'other.example': LEFT.v4 });
  await EtherwsSwitch.start(left, options);
  await left.spawn(['/usr/bin/python3', '-u', '-m', 'http.server', '8080']).output(/Serving/);
  const lan = await EtherwsSwitch.start(right, ['--port', '8000']);

  const url = `wss://${LEFT.name}/`;
  const trust = ['--cacerts', authority.certificate];
  const login = ['--user', USER, '--passwd', PASSWORD];
  const cases: [string, string[], RegExp][] = [
    ['a wrong password', [url, ...trust, '--user', USER, '--passwd', 'wrong'], /refused the user or the password.*401/],
    [
      'an unknown user',
      [url, ...trust, '--user', 'eve', '--passwd', PASSWORD],
      /refused the user or the password.*401/,
    ],
    ['no password', [url, ...trust], /wants a user and a password.*401/],
    ['a certificate that the system does not trust', [url, ...login], /certificate/i],
    ['a certificate of another authority', [url, '--cacerts', stranger.certificate, ...login], /certificate/i],
    ['a certificate for another name', [`wss://other.example/`, ...trust, ...login], /other\.example/],
    ['a host that cannot be reached', ['ws://198.51.100.1:8000/'], /198\.51\.100\.1/],
    ['a port where nobody listens', [`ws://${LEFT.v4}:9/`], /refuse|nobody listens|nothing listens/i],
    ['a name that does not exist', ['ws://nosuch.invalid/'], /nosuch\.invalid/],
    ['a path where nothing is', [`wss://${LEFT.name}/nosuch`, ...trust, ...login], /404/],
    ['a web server that knows no WebSocket', [`ws://${LEFT.v4}:8080/`], /not with a WebSocket|not.*WebSocket/],
    ['a web server that has no such page', [`ws://${LEFT.v4}:8080/nosuch`], /404/],
    ['TLS towards a port without', [`wss://${LEFT.v4}:8080/`, ...trust], /TLS/],
    ['no TLS towards a port with', [`ws://${LEFT.v4}:443/`], /without an answer.*wss:/],
  ];
  const messages = new Set<string>();
  for (const [name, args, words] of cases) {
    await t.test(name, async () => {
      const { status, stdout, stderr } = await lan.ctl(['addport', 'client', ...args]);
      assert.match(stderr, words);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      const [title = '', message = ''] = stderr.trimEnd().split('\n');
      assert.equal(title, '  Invalid params (-32602)');
      assert.match(message, /^ {2}[A-Z_]+: \S.*\. \S/, 'the second line says what failed and what to try');
      assert.ok(!stderr.includes(PASSWORD), 'no secret in a message');
      messages.add(message);
      assert.deepEqual(await lan.ports(), []);
    });
  }
  assert.ok(messages.size >= cases.length - 2, [...messages].join('\n'));

  await t.test('what is right works, by name and by address, and with --insecure whatever it shows', async () => {
    for (const args of [
      [url, ...trust, ...login],
      [`wss://${LEFT.v4}/`, ...trust, ...login],
      [`wss://[${LEFT.v6}]/`, ...trust, ...login],
      ['wss://other.example/', '--insecure', ...login],
    ]) {
      const { status, stderr } = await lan.ctl(['addport', 'client', ...args]);
      assert.equal(status, 0, stderr);
    }
    const states = (await lan.ports()).map(({ port, state }) => `${port} ${state}`);
    assert.deepEqual(states, ['1 up', '2 standby', '3 standby', '4 standby'], 'failures used no numbers up');
  });

  await t.test('the password comes from the environment or a file, too', async () => {
    const file = `${lab.directory}/password`;
    await right.check(['bash', '-c', `printf '%s\\n' "$PASSWORD" > ${file}`], { env: { PASSWORD } });
    const args = ['addport', 'client', url, ...trust, '--user', USER];
    assert.equal((await lan.ctl([...args, '--passwd-file', file])).status, 0);
    assert.equal((await lan.ctl(args, { env: { ETHERWS_CLIENT_PASSWD: PASSWORD } })).status, 0);
  });
});
