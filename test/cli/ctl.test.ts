import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Authenticator } from '../../src/auth/authenticator.ts';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { ETHERWS } from '../support/etherws.ts';
import { type FakeControl, startFakeControl } from '../support/fake-switch.ts';
import { type Outcome, type ProcessOptions, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

/** Lets in the user ann with the password p:w. */
const doorkeeper: Authenticator = {
  challenge: 'Basic realm=etherws',
  authenticate: ({ authorization }) => {
    const isAnn = authorization === `Basic ${Buffer.from('ann:p:w').toString('base64')}`;
    return Promise.resolve(isAnn ? { isAllowed: true, user: 'ann' } : { isAllowed: false, reason: 'wrong' });
  },
  close: () => Promise.resolve(),
};

const directory = mkdtempSync(join(tmpdir(), 'etherws-ctl-'));
after(() => rmSync(directory, { recursive: true }));
const passwordFile = join(directory, 'password');
writeFileSync(passwordFile, 'p:w\n', { mode: 0o600 });

function etherws(words: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
  return run([...ETHERWS, ...words], options);
}

describe('the built etherws ctl', () => {
  let control: FakeControl;
  beforeEach(async () => {
    control = await startFakeControl();
  });
  afterEach(() => control.close());

  const ctl = (...words: string[]): Promise<Outcome> => etherws(['ctl', '--ctlurl', control.url, ...words]);

  /** A command that must succeed and say nothing on standard error. @returns the lines it printed */
  async function done(...words: string[]): Promise<string[]> {
    const { status, stdout, stderr } = await ctl(...words);
    assert.deepEqual([status, stderr], [0, ''], words.join(' '));
    assert.ok(stdout.endsWith('\n'));
    return stdout.slice(0, -1).split('\n');
  }

  it('does every command of 1.x, and prints tables', async () => {
    const titles = '  Port  Type  State  RX  TX  Target';
    assert.deepEqual(await done('addport', 'tap', 'tap0'), [titles, '     1  tap   up      0   0  tap0']);
    assert.deepEqual(await done('addport', 'netdev', 'eth1'), [
      '  Port  Type    State  RX  TX  Target',
      '     2  netdev  up      0   0  eth1',
    ]);
    assert.deepEqual(await done('addport', 'client', 'ws://a.example/', '--user', 'ann', '--passwd', 'x'), [
      '  Port  Type    State  RX  TX  Target',
      '     3  client  up      0   0  ws://a.example/',
    ]);
    assert.deepEqual(control.service.added.at(-1)?.options, { user: 'ann', passwd: 'x' });
    assert.deepEqual(await done('setport', '1', '--shut', '1'), [titles, '     1  tap   shut    0   0  tap0']);
    assert.deepEqual(await done('setport', '1'), [titles, '     1  tap   shut    0   0  tap0']);
    assert.deepEqual(await done('setport', '1', '--shut', '0'), [titles, '     1  tap   up      0   0  tap0']);

    const set = ['setif', '1', '--address', '10.0.0.1', '--netmask', '255.255.255.0', '--mtu', '1400'];
    assert.deepEqual(await done(...set), [
      '  Port  Type  Address   Netmask         MTU  Target',
      '     1  tap   10.0.0.1  255.255.255.0  1400  tap0',
    ]);
    assert.deepEqual(await done('setif', '1', '--address', 'FD00::1/64', '--address', '10.1.0.1/16'), [
      '  Port  Type  Address   Netmask         MTU  Target',
      '     1  tap   10.0.0.1  255.255.255.0  1400  tap0',
    ]);
    assert.deepEqual(await done('listif', '--long'), [
      '  Port  Type    Address   Netmask         MTU  Target  Name  Netns  Addresses',
      '     1  tap     10.0.0.1  255.255.255.0  1400  tap0    -     -      fd00::1/64,10.1.0.1/16',
      '     2  netdev  -         -              1500  eth1    -     -      -',
    ]);
    assert.equal((await done('listif')).at(-1), '     2  netdev  -         -              1500  eth1');

    const [calmest, most] = [
      { network: 'default', kind: 'learned' } as const,
      { network: 'lab', kind: 'sticky' } as const,
    ];
    const calm = { moves: 0, movedFrom: null, flapping: false, portName: null, ...calmest };
    const flapping = { moves: 4711, movedFrom: 2, flapping: true, portName: 'uplink', ...most };
    control.service.fdb.push({ vid: 0, mac: '02:00:00:00:00:01', port: 1, age: 7, ...calm });
    control.service.fdb.push({ vid: 4094, mac: '02:00:00:00:00:02', port: 3, age: 123, ...flapping });
    assert.deepEqual(await done('listfdb'), [
      '  Port  VLAN  MAC                Age',
      '     1     0  02:00:00:00:00:01    7',
      '     3  4094  02:00:00:00:00:02  123',
    ]);
    assert.deepEqual(await done('listfdb', '--long'), [
      '  Port  VLAN  MAC                Age  Moves  From  Flapping  Name    Network  Kind',
      '     1     0  02:00:00:00:00:01    7      0  -     no        -       default  learned',
      '     3  4094  02:00:00:00:00:02  123   4711  2     yes       uplink  lab      sticky',
    ]);
    assert.deepEqual(await done('delport', '2'), [
      '  Port  Type    State  RX  TX  Target',
      '     2  netdev  up      0   0  eth1',
    ]);
    assert.deepEqual((await done('listport')).slice(1), [
      '     1  tap     up      0   0  tap0',
      '     3  client  up      0   0  ws://a.example/',
    ]);
  });

  it('prints the result object with --json, wherever that stands', async () => {
    await control.service.addPort({ type: 'tap', target: 'tap0' });
    const expected = { entries: control.service.listPorts() };
    for (const words of [
      ['--json', 'listport'],
      ['listport', '--json'],
      ['setport', '1', '--json'],
      ['--json', 'setport', '--shut', '0', '1'],
      ['delport', '--json', '1'],
    ]) {
      const [line, ...more] = await done(...words);
      assert.deepEqual([JSON.parse(line ?? ''), more], [expected, []], words.join(' '));
    }
  });

  it('takes its options behind the command, too', async () => {
    const { status, stdout } = await etherws(['ctl', 'listport', '--ctlurl', control.url]);
    assert.deepEqual([status, stdout], [0, '  Port  Type  State  RX  TX  Target\n']);
  });

  it('says on standard error what failed, with the code and the detail, and exits with 1', async () => {
    const cases: [string[], string][] = [
      [
        ['delport', '9'],
        '  Invalid params (-32602)\n  PORT_NOT_FOUND: There is no port 9. listport shows which there are\n',
      ],
      [
        ['addport', 'netdev', 'missing'],
        '  Invalid params (-32602)\n  DEVICE_NOT_FOUND: There is no device missing. ENODEV: no such device\n',
      ],
      [
        ['addport', 'tap', 'broken'],
        '  Internal error (-32603)\n  The switch failed unexpectedly. Its log says more\n',
      ],
    ];
    for (const [words, expected] of cases) {
      for (const json of [[], ['--json']]) {
        const { status, stdout, stderr } = await ctl(...words, ...json);
        assert.deepEqual([status, stdout, stderr], [1, '', expected]);
      }
    }
  });

  it('exits with 2 for wrong usage and with 0 for help and version', async () => {
    const wrong = await ctl('addport', 'tap');
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /missing required argument 'NAME'/);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const option of ['--version', '-V']) {
      assert.deepEqual(await etherws([option]), {
        status: 0,
        signal: null,
        stdout: `etherws ${version}\n`,
        stderr: '',
      });
    }
    const help = await etherws(['ctl', '--help']);
    assert.deepEqual([help.status, help.stderr], [0, '']);
  });

  it('ends quietly when its output is closed', { skip: missingTools('bash') }, async () => {
    for (let port = 1; port <= 20_000; port++) {
      control.service.fdb.push({
        ...{ vid: 1, mac: '02:00:00:00:00:01', port, age: 0 },
        ...({
          moves: 0,
          movedFrom: null,
          flapping: false,
          portName: null,
          network: 'default',
          kind: 'learned',
        } as const),
      });
    }
    const command = `${ETHERWS.map((word) => `'${word}'`).join(' ')} ctl --ctlurl ${control.url} listfdb | head -1`;
    const { status, stdout, stderr } = await run(['bash', '-o', 'pipefail', '-c', command]);
    assert.deepEqual([status, stdout, stderr], [0, '   Port  VLAN  MAC                Age\n', '']);
  });
});

describe('the built etherws ctl and a password', () => {
  let control: FakeControl;
  before(async () => {
    control = await startFakeControl({ authenticator: doorkeeper });
  });
  after(() => control.close());

  const list = (words: readonly string[], options: ProcessOptions = {}): Promise<Outcome> =>
    etherws(['ctl', '--ctlurl', control.url, '--ctluser', 'ann', ...words, 'listport'], options);

  it('takes it from the option, a file, the environment, or standard input', async () => {
    const outcomes = await Promise.all([
      list(['--ctlpasswd', 'p:w']),
      list(['--ctlpasswd-file', passwordFile]),
      list([], { env: { ETHERWS_CTL_PASSWD: 'p:w' } }),
      list([], { input: 'p:w\n' }),
      list([], { env: { ETHERWS_CTLURL: control.url }, input: 'p:w\n' }),
    ]);
    for (const { status, stdout, stderr } of outcomes) {
      assert.deepEqual([status, stdout, stderr], [0, '  Port  Type  State  RX  TX  Target\n', '']);
    }
  });

  it('says that it is wrong, or that none came', async () => {
    const wrong = await list(['--ctlpasswd', 'no']);
    assert.deepEqual([wrong.status, wrong.stdout], [1, '']);
    assert.match(
      wrong.stderr,
      /^ {2}The user, the password or the token is wrong \(AUTH_FAILED\)\n {2}Check --ctluser/,
    );
    const none = await list([]);
    assert.deepEqual([none.status, none.stdout], [1, '']);
    assert.match(none.stderr, /^ {2}The input ended before a password \(ARGUMENT_INVALID\)\n/);
  });

  it('asks at a terminal without showing what is typed', { skip: missingTools('script') }, async () => {
    const line = [...ETHERWS, 'ctl', '--ctlurl', control.url, '--ctluser', 'ann', 'listport'].join(' ');
    const { Process } = await import('../support/process.ts');
    const terminal = new Process(['script', '-qec', line, '/dev/null'], { isInteractive: true });
    await terminal.output(/Control Password: /);
    terminal.write('p:w\r');
    const { status, stdout } = await terminal.exited;
    assert.equal(status, 0, stdout);
    assert.match(stdout, /Port {2}Type/);
    assert.doesNotMatch(stdout, /p:w/);
  });
});

describe('the built etherws ctl over TLS', { skip: missingTools('openssl') }, () => {
  let control: FakeControl;
  let authority: Authority;
  before(async () => {
    authority = await createAuthority(directory);
    const { key, certificate } = await authority.issue('localhost', ['127.0.0.1']);
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
    control = await startFakeControl({ tls });
  });
  after(() => control.close());

  const list = (...words: string[]): Promise<Outcome> =>
    etherws(['ctl', '--ctlurl', control.url, ...words, 'listport']);

  it('verifies by --ctlsslcert, and not at all by --ctlinsecure', async () => {
    for (const words of [['--ctlsslcert', authority.certificate], ['--ctlinsecure']]) {
      const { status, stderr } = await list(...words);
      assert.deepEqual([status, stderr], [0, '']);
    }
    const untrusted = await list();
    assert.equal(untrusted.status, 1);
    assert.match(untrusted.stderr, /\(CERTIFICATE_UNTRUSTED\)\n {2}.*--ctlsslcert FILE/);
  });

  it('says what is wrong with the file', async () => {
    for (const [file, code] of [
      [join(directory, 'none'), 'FILE_UNREADABLE'],
      [passwordFile, 'CERTIFICATE_INVALID'],
    ] as const) {
      const { status, stderr } = await list('--ctlsslcert', file);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`^  .*\\(${code}\\)\n  `));
    }
  });
});

describe('what etherws ctl loads', () => {
  const log = join(directory, 'loaded');
  const hook = join(directory, 'hook.mjs');
  writeFileSync(
    hook,
    `import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(${JSON.stringify(log)}, url + '\\n');
  return next(url, context);
}
`,
  );
  const register = `import { register } from 'node:module'; register('file://${hook}');`;

  /** The modules of ours, which the bundle names in comments, and of packages that a command line loads. */
  async function loadedBy(words: readonly string[]): Promise<string[]> {
    rmSync(log, { force: true });
    const [node = '', entry = ''] = ETHERWS;
    await run([node, '--import', `data:text/javascript,${encodeURIComponent(register)}`, entry, ...words]);
    assert.ok(existsSync(log));
    const urls = readFileSync(log, 'utf8').trim().split('\n');
    const chunks = urls.filter((url) => url.includes('/dist/bundle/'));
    const texts = chunks.map((url) => readFileSync(fileURLToPath(url), 'utf8'));
    const modules = texts.flatMap((text) =>
      [...text.matchAll(/^\/\/ (dist\/src\/\S+)$/gm)].map(([, path]) => `/${path}`),
    );
    return [...urls.filter((url) => !chunks.includes(url)), ...modules];
  }

  it('is nothing of a switch: no bridge, no port, no addon, and no package but commander and valibot', async () => {
    const control = await startFakeControl();
    try {
      const loaded = await loadedBy(['ctl', '--ctlurl', control.url, 'listport']);
      assert.ok(loaded.some((url) => url.endsWith('/src/control/client.js')));
      for (const url of loaded) {
        assert.doesNotMatch(url, /\/src\/(bridge|ports|daemon|observability)\/|\.node$/);
        assert.match(url, /^node:|\/dist\/src\/|\/node_modules\/(commander|valibot)\//);
      }
    } finally {
      await control.close();
    }
  });

  it('is no client where none is needed', async () => {
    const loaded = await loadedBy(['ctl', '--help']);
    assert.ok(!loaded.some((url) => /control\/client\.js|node:https?$/.test(url)), loaded.join('\n'));
  });
});
