import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { type FakeControl, startFakeControl } from '../../test/support/fake-switch.ts';
import { RecordingTerminal } from '../../test/support/recording-terminal.ts';
import type { Authenticator, Credentials } from '../auth/authenticator.ts';
import { runCommandLine } from './program.ts';
import type { Environment } from './terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-program-'));
const asked: Credentials[] = [];
const listener: Authenticator = {
  challenge: 'Basic realm=etherws',
  authenticate: (credentials) => {
    asked.push(credentials);
    return Promise.resolve({ isAllowed: true, user: null });
  },
  close: () => Promise.resolve(),
};
let control: FakeControl;

beforeEach(async () => {
  asked.length = 0;
  control = await startFakeControl({ authenticator: listener });
});
afterEach(() => control.close());
after(() => rmSync(directory, { recursive: true }));

interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly prompts: readonly string[];
}

async function etherws(
  words: readonly string[],
  env: Environment = {},
  passwords: readonly string[] = [],
): Promise<Run> {
  const terminal = new RecordingTerminal(env, passwords);
  const status = await runCommandLine(words, terminal);
  return { status, stdout: terminal.stdout, stderr: terminal.stderr, prompts: terminal.prompts };
}

function ctl(...words: string[]): Promise<Run> {
  return etherws(['ctl', ...words], { ETHERWS_CTLURL: control.url });
}

/** The credentials of the last request, as `user:password`. */
function lastLogin(): string | undefined {
  const authorization = asked.at(-1)?.authorization;
  return authorization && Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
}

describe('wrong usage', () => {
  const wrong: [string, RegExp][] = [
    ['', /Usage: etherws ctl/],
    ['addport', /Usage: etherws ctl addport/],
    ['lisport', /Did you mean listport\?/],
    ['listport extra', /too many arguments/],
    ['listport --jsno', /Did you mean --json\?/],
    ['addport tap', /missing required argument 'NAME'/],
    ['addport tap a/b', /^error: NAME "a\/b" has a character that no device name may have/],
    ['addport tap tap0 --user x', /unknown option '--user'/],
    ['addport foo x', /unknown type of port 'foo'\nThere are tap, netdev, client/],
    ['addport server 1', /There are tap, netdev, client; a server port/],
    ['addport --bogus', /unknown option '--bogus'/],
    ['addport --bogus tap x', /unknown option '--bogus'/],
    ['--bogus listport', /unknown option '--bogus'/],
    ['listport --bogus', /unknown option '--bogus'/],
    ['listdoor --long', /unknown option '--long'/],
    ['schema nosuch', /no method 'nosuch'\nThere are addPort, /],
    ['addport tap x --mac 01:00:00:00:00:00', /^error: --mac "01:00:00:00:00:00" is a group address/],
    ['addport client http://a/', /ws:\/\/ or wss:\/\//],
    ['addport client ws://a/ --passwd x', /without a user/],
    ['addport client ws://a/ --user a:b --passwd x', /colon/],
    ['addport client ws://a/ --user a --passwd x --passwd-file y', /exclude each other/],
    ['addport client ws://a/ --user a --token-file y', /exclude each other/],
    ['addport client ws://a/ http://b/', /^error: URL "http:\/\/b\/" is not/],
    ['addport client ws://a/ --reconnect-min x', /^error: --reconnect-min must be a number of seconds .*, got "x"/],
    ['addport client ws://a/ --reconnect-min 99', /^error: --reconnect-min 99 is above --reconnect-max 60/],
    ['addport client ws://a/ --fwmark 0', /^error: --fwmark 0 is outside/],
    ['addport client ws://a/ --header Host:b', /^error: --header sets Host, which belongs to the handshake/],
    ['addport client ws://a/ --cert /c', /needs its key.*\nGive both, --cert and --key/],
    ['addport client ws://a/ --prefer-first', /^error: --prefer-first was given with one URL only/],
    [
      'addport client ws://a/ ws://b/ --prefer-first --no-reconnect',
      /--prefer-first and --no-reconnect exclude each other/,
    ],
    ['setport', /missing required argument 'PORT'/],
    ['setport 0 --shut 1', /port 0 is below 1/],
    ['setport 1a', /whole number/],
    ['setport _x', /^error: port "_x" does not begin with a letter/],
    ['setport a:b', /^error: port "a:b" has another character than letters/],
    ['setport 1 --name 7', /^error: --name "7" does not begin with a letter/],
    ['addport tap a --name 7', /^error: --name "7" does not begin with a letter/],
    ['addport netdev a --name', /^error: option '--name <PORTNAME>' argument missing/],
    ['setport 1 --shut 2', /Allowed choices are 0, 1/],
    ['delport 1.5', /whole number/],
    ['delport -1', /whole number/],
    ['setif 1 --mtu 575', /^error: --mtu 575 is outside 576\.\.65535/],
    ['setif 1 --address 10.0.0.256', /outside 0\.\.255/],
    ['setif 1 --address 10.0.0.1/33', /outside 1\.\.32/],
    ['setif 1 --address fd00::1', /ADDRESS\/LENGTH/],
    ['setif 1 --netmask 255.0.255.0', /contiguous/],
    ['setif 1 --address 10.0.0.1 --address 10.0.0.2', /stands twice/],
    ['--ctlurl ftp://a/ listport', /not the URL of a control API/],
    ['--ctlurl http://u:p@a/ listport', /--ctluser/],
    ['--ctlpasswd x listport', /password was given without a user/],
    ['--ctluser a --ctlpasswd x --ctlpasswd-file y listport', /exclude each other/],
  ];
  for (const [words, message] of wrong) {
    it(`ctl ${words}`, async () => {
      const { status, stdout, stderr } = await ctl(...words.split(' ').filter((word) => word !== ''));
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
      assert.equal(asked.length, 0, 'nothing was sent');
    });
  }

  it('of etherws itself', async () => {
    for (const [words, message] of [
      [[], /Usage: etherws/],
      [['ctrl'], /Did you mean ctl\?/],
      [['--verison'], /Did you mean --version\?/],
    ] as const) {
      const { status, stdout, stderr } = await etherws(words);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
    }
  });
});

describe('help', () => {
  const commands = ['', 'addport', 'addport tap', 'addport netdev', 'addport client', 'setport', 'delport'];
  for (const command of [...commands, 'listport', 'setif', 'listif', 'listfdb']) {
    it(`of ctl ${command} has examples and is no failure`, async () => {
      for (const option of ['--help', '-h']) {
        const { status, stdout, stderr } = await ctl(...command.split(' ').filter((word) => word !== ''), option);
        assert.deepEqual([status, stderr], [0, '']);
        assert.match(stdout, new RegExp(`^Usage: etherws ctl ${command}`));
        assert.match(stdout, /\nExamples:\n {2}\$ etherws ctl /);
        assert.doesNotMatch(stdout, /^.{101}/m, 'lines fit');
      }
    });
  }

  it('says of --json what a command prints', async () => {
    const jsonOf = async (command: string) =>
      /--json +(.*(?:\n {4,}\S.*)*)/.exec((await ctl(command, '--help')).stdout)?.[1];
    assert.equal(await jsonOf('listport'), 'print the result object in JSON');
    assert.equal(await jsonOf('watch'), 'print each event as a line of JSON');
    assert.equal(await jsonOf('capture'), 'without -w: print each frame as a line of JSON');
  });

  it('of ctl top does not show --json, which it refuses', async () => {
    const { stdout } = await ctl('top', '--help');
    assert.match(stdout, /--once/);
    assert.doesNotMatch(stdout, /--json/);
    assert.match((await ctl('top', '--json')).stderr, /top prints no JSON\nlistport --json has the rates, too/);
  });

  it('of etherws and by the command help', async () => {
    for (const words of [['--help'], ['help']]) {
      const { status, stdout } = await etherws(words);
      assert.equal(status, 0);
      assert.match(stdout, /^Usage: etherws \[options\] COMMAND[\s\S]*\n {2}sw [\s\S]*\n {2}ctl [\s\S]*Examples:/);
    }
    assert.match((await etherws(['help', 'ctl'])).stdout, /^Usage: etherws ctl [\s\S]*listfdb/);
    assert.match((await ctl('help', 'setif')).stdout, /^Usage: etherws ctl setif [\s\S]*--mtu/);
  });

  it('shows examples that are good command lines', async () => {
    const help = await Promise.all(
      [[], ['addport'], ['addport', 'client'], ['setport'], ['setif'], ['delport']].map((words) =>
        ctl(...words, '--help'),
      ),
    );
    const examples = help.flatMap(({ stdout }) =>
      [...stdout.matchAll(/^ {2}\$ etherws (ctl .*)$/gm)].map(([, line]) => line),
    );
    assert.ok(examples.length > 10);
    for (const example of examples) {
      const words = (example ?? '').replace(/--ctlurl \S+ /, '').split(' ');
      const { status, stderr } = await etherws(words, { ETHERWS_CTLURL: control.url }, ['x', 'y']);
      assert.notEqual(status, 2, `${example}: ${stderr}`);
    }
  });
});

describe('passwords', () => {
  const file = join(directory, 'password');
  writeFileSync(file, 'from file: ä\r\nsecond line\n', { mode: 0o600 });

  it('of the control API come from the option, the file, the environment or the person', async () => {
    const env = { ETHERWS_CTLURL: control.url };
    const inEnv = { ...env, ETHERWS_CTL_PASSWD: 'from env' };
    const user = ['ctl', '--ctluser', 'ann'];

    await etherws([...user, '--ctlpasswd', 'given', 'listport'], inEnv);
    assert.equal(lastLogin(), 'ann:given');
    await etherws([...user, '--ctlpasswd-file', file, 'listport'], inEnv);
    assert.equal(lastLogin(), 'ann:from file: ä');
    const quiet = await etherws([...user, 'listport'], inEnv);
    assert.deepEqual([lastLogin(), quiet.prompts], ['ann:from env', []]);
    const asking = await etherws([...user, 'listport'], { ...env, ETHERWS_CTL_PASSWD: '' }, ['typed']);
    assert.deepEqual([lastLogin(), asking.prompts], ['ann:typed', ['Control Password: ']]);
    await etherws(['ctl', 'listport'], { ...env, ETHERWS_CTLUSER: 'bob', ETHERWS_CTL_PASSWD: 'x' });
    assert.equal(lastLogin(), 'bob:x');
    await etherws(['ctl', 'listport'], inEnv);
    assert.equal(lastLogin(), undefined, 'a password without a user is for another one');
  });

  it('and users that are empty were not given, as in 1.x', async () => {
    const env = { ETHERWS_CTLURL: control.url };
    const nobody = ['--user', '', '--passwd', '', '--cacerts', ''];
    const line = ['ctl', '--ctluser', '', '--ctlpasswd', '', 'addport', 'client', 'ws://a/', ...nobody];
    const { status, stderr, prompts } = await etherws(line, env);
    assert.deepEqual([status, stderr, prompts], [0, '', []]);
    assert.equal(lastLogin(), undefined);
    assert.deepEqual(control.service.added.at(-1)?.options, {});
    const asking = await etherws(['ctl', '--ctluser', 'ann', '--ctlpasswd', '', 'listport'], env, ['typed']);
    assert.deepEqual([lastLogin(), asking.prompts], ['ann:typed', ['Control Password: ']]);
  });

  it('of a client port come the same way', async () => {
    const env = { ETHERWS_CTLURL: control.url };
    const inEnv = { ...env, ETHERWS_CLIENT_PASSWD: 'from env' };
    const dial = ['ctl', 'addport', 'client', 'ws://a/', '--user', 'ann'];

    await etherws([...dial, '--passwd', '-given'], inEnv);
    await etherws([...dial, '--passwd-file', file], inEnv);
    const quiet = await etherws(dial, inEnv);
    const asking = await etherws(dial, env, ['typed']);
    await etherws(['ctl', 'addport', 'client', 'ws://a/'], inEnv);
    assert.deepEqual([quiet.prompts, asking.prompts], [[], ['Client Password: ']]);
    assert.deepEqual(
      control.service.added.map(({ options }) => options),
      [...['-given', 'from file: ä', 'from env', 'typed'].map((passwd) => ({ user: 'ann', passwd })), {}],
    );
  });

  it('are both asked for, the control password first', async () => {
    const words = ['ctl', '--ctluser', 'ann', 'addport', 'client', 'ws://a/', '--user', 'bob'];
    const { prompts, status } = await etherws(words, { ETHERWS_CTLURL: control.url }, ['one', 'two']);
    assert.deepEqual([status, prompts], [0, ['Control Password: ', 'Client Password: ']]);
    assert.equal(lastLogin(), 'ann:one');
    assert.deepEqual(control.service.added[0]?.options, { user: 'bob', passwd: 'two' });
  });

  it('are not asked for in vain', async () => {
    const words = ['ctl', '--ctluser', 'ann', 'addport', 'client', 'http://wrong/', '--user', 'bob'];
    const { prompts, status } = await etherws(words, {}, ['one', 'two']);
    assert.deepEqual([status, prompts], [2, []]);
  });

  it('in a file that cannot be read or begins with nothing fail', async () => {
    const empty = join(directory, 'empty');
    writeFileSync(empty, '\n', { mode: 0o600 });
    for (const path of [empty, directory, join(directory, 'none')]) {
      const { status, stderr } = await ctl('--ctluser', 'ann', '--ctlpasswd-file', path, 'listport');
      assert.equal(status, 1);
      assert.match(stderr, /^ {2}.*\(FILE_UNREADABLE\)\n/m);
    }
  });
});

describe('a client port', () => {
  it('gets an absolute path of its certificates when the switch is on this host', async () => {
    await ctl('addport', 'client', 'wss://a/', '--cacerts', 'ca.pem', '--insecure');
    assert.deepEqual(control.service.added[0]?.options, { cacerts: resolve('ca.pem'), insecure: true });
  });

  it('is asked for with everything that was typed, and with nothing else', async () => {
    const file = join(directory, 'token');
    writeFileSync(file, 'abc.def\n', { mode: 0o600 });
    const many = ['--no-wait', '--reconnect-min', '0.5', '--proxy', 'direct', '--token-file', file];
    const more = ['--prefer-first', '30', '--header', 'A: b', '--header', 'C:d', '--cert', 'c.pem', '--key', '/k.pem'];
    await ctl('addport', 'client', 'ws://a/', 'ws://b/', 'ws://c/', ...many, ...more);
    assert.deepEqual(control.service.added[0]?.options, {
      alternatives: ['ws://b/', 'ws://c/'],
      wait: false,
      reconnectMin: 0.5,
      preferFirst: 30,
      proxy: 'direct',
      headers: ['A: b', 'C:d'],
      cert: resolve('c.pem'),
      key: '/k.pem',
      token: 'abc.def',
    });
  });
});

describe('tables', () => {
  it('have the columns of 1.x and one row a port, whatever there is to say; --long has the rest', async () => {
    const { service } = control;
    await service.addPort({ type: 'client', target: 'wss://a/' });
    Object.assign(service.setPort(1, {}), { state: 'backoff', reason: 'next try in 4 s: it is late', url: 'wss://b/' });
    await service.addPort({ type: 'client', target: 'wss://c/' });
    Object.assign(service.setPort(2, { name: 'uplink', description: 'to c' }), {
      rxBitRate: 12_345_678,
      wire: 'batched',
      roundTripMs: 1.25,
      rxDiscards: { runt: 2, badVid: 1 },
    });
    await service.addPort({ type: 'tap', target: 'tap0' });
    service.setInterface(3, { addresses: ['fd00::1/64', 'fd00::2/64'] });

    const columns = (text: string): string[][] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/\s+/));
    assert.deepEqual(columns((await ctl('listport')).stdout), [
      ['Port', 'Type', 'State', 'RX', 'TX', 'Target'],
      ['1', 'client', 'backoff', '0', '0', 'wss://a/'],
      ['2', 'client', 'up', '0', '0', 'wss://c/'],
      ['3', 'tap', 'up', '0', '0', 'tap0'],
    ]);
    assert.deepEqual(columns((await ctl('listif')).stdout), [
      ['Port', 'Type', 'Address', 'Netmask', 'MTU', 'Target'],
      ['3', 'tap', '-', '-', '1500', 'tap0'],
    ]);
    assert.deepEqual(columns((await ctl('listport', '--long')).stdout), [
      ['Port', 'Type', 'State', 'RX', 'TX', 'Target', 'Name', 'Wire', 'RTT'].concat([
        'RX-bit/s',
        'TX-bit/s',
        'RX-Drops',
        'TX-Drops',
        'URL',
        'Config',
        'Network',
        'Description',
        'Reason',
      ]),
      ['1', 'client', 'backoff', '0', '0', 'wss://a/', '-', '-', '-', '0', '0', '0', '0', 'wss://b/'].concat(
        '- default - next try in 4 s: it is late'.split(' '),
      ),
      ['2', 'client', 'up', '0', '0', 'wss://c/', 'uplink', 'batched', '1.3ms'].concat(
        '12.3M 0 3 0 - - default to c -'.split(' '),
      ),
      ['3', 'tap', 'up', '0', '0', 'tap0', '-', '-', '-', '0', '0', '0', '0', '-', '-', 'default', '-', '-'],
    ]);
    assert.deepEqual(columns((await ctl('listif', '--long')).stdout)[1]?.at(-1), 'fd00::1/64,fd00::2/64');
  });
});

describe('what a peer says', () => {
  it('does not reach the terminal as it is', async () => {
    const { port } = await control.service.addPort({ type: 'tap', target: 'a\x1b[2Jb' });
    Object.assign(control.service.setPort(port, {}), { state: 'down', reason: 'bye\r\n\u202e' });
    const { stdout } = await ctl('listport', '--long');
    assert.match(stdout, /^ {2}Port {2}Type {2}State {2}RX {2}TX {2}Target /);
    assert.match(stdout, / a\\u\{1b\}\[2Jb .* bye\\u\{d\}\\u\{a\}\\u\{202e\}\n$/);
    const json = await ctl('--json', 'listport');
    assert.match(json.stdout, /^[\x20-\x7e]+\n$/);
  });
});
