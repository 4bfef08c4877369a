import assert from 'node:assert/strict';
import { PassThrough, type Writable } from 'node:stream';
import { test } from 'node:test';
import { CommanderError } from '../../src/cli/commander.ts';
import { PLAIN } from '../../src/cli/page.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { swCommand } from '../../src/cli/sw.ts';
import { TYPED, typedDocument } from '../../src/cli/sw-options.ts';
import type { ControlCaller, Terminal } from '../../src/cli/terminal.ts';
import { readConfig } from '../../src/config/sw-config.ts';
import { ControlClient } from '../../src/control/client.ts';
import { ControlError } from '../../src/control/control-answer.ts';
import type { WatchedEvent } from '../../src/control/event-stream.ts';
import type { MethodName } from '../../src/control/schema.ts';
import { EtherwsError } from '../../src/errors.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const CONTROL_CASES = fuzzCases(20_000);
const SWITCH_CASES = fuzzCases(5000);

const COMMANDS = [
  'addport',
  'setport',
  'delport',
  'listport',
  'setif',
  'listif',
  'listfdb',
  'addfdb',
  'delfdb',
  'flushfdb',
  'addmdb',
  'delmdb',
  'capture',
  'tap',
  'netdev',
  'client',
  'help',
];
const OPTIONS = [
  ...['--ctlurl', '--ctluser', '--ctlpasswd', '--ctlpasswd-file', '--ctlsslcert', '--ctlinsecure', '--json', '--help'],
  ...['--user', '--passwd', '--passwd-file', '--cacerts', '--insecure', '--shut', '--address', '--netmask', '--mtu'],
  ...['-h', '--', '-', '--mtu=1400', '--shut=1', '--json=1', '-hV', '--no-insecure', '--__proto__', '--constructor'],
];
const VALUES = [
  ...['0', '1', '2', '65536', '-1', '1.5', '1e3', '0x10', '9'.repeat(400), 'tap0', 'eth0', 'ws://a/', 'wss://b:1/x'],
  ...['http://127.0.0.1:1/ctl', 'https://[::1]/', 'ann', 'a:b', '10.0.0.1', '10.0.0.1/24', 'fd00::1/64', '255.255.0.0'],
  ...['/dev/null', '/nonexistent', '/', '', ' ', '\u001b[2J', '\u202e', '__proto__', 'constructor', 'toString', '..'],
];
const LIKELY: readonly (readonly string[])[] = [
  ['addport', 'tap', 'tap0'],
  ['addport', 'netdev', 'eth0'],
  ['addport', 'client', 'ws://a/', '--user', 'ann', '--passwd', 'x'],
  ['setport', '1', '--shut', '1'],
  ['delport', '1'],
  ['listport'],
  ['setif', '1', '--address', '10.0.0.1', '--netmask', '255.0.0.0', '--mtu', '1400', '--address', 'fd00::1/64'],
  ['listif', '--json'],
  ['listfdb'],
  ['addfdb', '02:00:00:00:00:01', '1', '--vid', '5', '--sticky'],
  ['delfdb', '02:00:00:00:00:01'],
  ['flushfdb', '--port', '1'],
  ['addmdb', '239.1.2.3', '1', '--vid', '5'],
  ['addmdb', '232.1.2.3', '1', '--source', '192.0.2.1'],
  ['delmdb', 'ff05::5', '1'],
  ['capture', '1', 'up', '--count', '1', '--snaplen', '60', '--filter', 'tcp'],
];
const SWITCH_OPTIONS = [
  ...['--debug', '--foreground', '--ageout', '--fdb-size', '--path', '--host', '--port', '--htpasswd', '--sslkey'],
  ...['--sslcert', '--ctlpath', '--ctlhost', '--ctlport', '--ctlhtpasswd', '--ctlsslkey', '--ctlsslcert', '--ctlname'],
  ...['--forward-reserved', '--logformat', '--logfile', '--pidfile', '--help', '-x'],
];

function word(random: Random, options: readonly string[]): string {
  switch (random.below(8)) {
    case 0:
      return random.pick(COMMANDS);
    case 1:
    case 2:
    case 3:
      return random.pick(options);
    case 4:
      return random.text(20);
    default:
      return random.pick(VALUES);
  }
}

function words(random: Random, options: readonly string[], likely: readonly string[]): string[] {
  const line = random.once(5) ? [] : [...likely];
  for (let changes = random.below(5); changes > 0; changes--) {
    line.splice(random.below(line.length + 1), random.below(2), word(random, options));
  }
  return line;
}

/** A control client that returns random results, with hostile texts and all kinds of errors. It sends nothing. */
function fakeCaller(random: Random): ControlCaller {
  const text = (): string => random.text(30);
  const port = (): object => ({
    ...{ port: random.below(9), type: text(), target: text(), tx: random.next(), rx: 0, shut: random.once(2) },
    ...{ state: 'down', reason: random.pick([null, text()]), address: random.pick([null, text()]), netmask: null },
    ...{ wire: random.pick([null, 'raw', 'batched']), roundTripMs: random.pick([null, 0, 12.345]) },
    ...{ mtu: 1500, addresses: [text(), text()], vid: 0, mac: text(), age: 1 },
    ...{ moves: 1, movedFrom: 2, flapping: true },
  });
  const member = (): object => ({
    ...port(),
    address: text(),
    kind: text(),
    state: text(),
    expires: null,
    filterMode: random.pick([null, text()]),
    sourceList: [{ address: text(), expires: random.pick([null, 0, 9]) }],
  });
  const call = (method: MethodName): Promise<never> => {
    if (random.once(6)) return Promise.reject(new ControlError(-32602, text(), text()));
    if (random.once(6)) return Promise.reject(new EtherwsError('CONNECTION_REFUSED', text(), { hint: text() }));
    return Promise.resolve({
      entries: Array.from({ length: random.below(3) }, method.endsWith('Mdb') ? member : port),
    } as never);
  };
  const watch = async (_params: object, onEvent: (event: WatchedEvent) => void): Promise<never> => {
    const event = { sequence: 1, time: text(), event: text() };
    for (let count = random.below(3); count > 0; count--) onEvent({ ...port(), ...event });
    throw new EtherwsError('CONTROL_FAILED', text());
  };
  const capture = (): Promise<never> => Promise.reject(new EtherwsError('CONTROL_FAILED', text()));
  return { call, watch, observe: capture, capture };
}

class FuzzTerminal implements Terminal {
  readonly env: Terminal['env'];
  readonly paint = PLAIN;
  readonly #random: Random;
  stdout = '';
  stderr = '';

  constructor(random: Random) {
    this.#random = random;
    this.env = random.once(4) ? { ETHERWS_CTLURL: random.pick(VALUES), ETHERWS_CTL_PASSWD: random.text(5) } : {};
  }

  output(): Writable {
    return new PassThrough();
  }

  print(text: string): void {
    this.stdout += text;
  }

  complain(text: string): void {
    this.stderr += text;
  }

  askPassword(): Promise<string> {
    const isRefused = this.#random.once(3);
    return isRefused
      ? Promise.reject(new EtherwsError('ARGUMENT_INVALID', 'none'))
      : Promise.resolve(this.#random.text(9));
  }

  openPage(): Promise<boolean> {
    return Promise.resolve(this.#random.once(2));
  }

  async openControl(options: ConstructorParameters<typeof ControlClient>[0]): Promise<ControlCaller> {
    new ControlClient(options);
    return fakeCaller(this.#random);
  }
}

/** Control characters, which must not reach the terminal from a switch. */
const CONTROLS = /[^\n\P{C}]|[\u2028\u2029]/u;

test(`${CONTROL_CASES} command lines of etherws ctl: each ends with a status and says why`, async () => {
  const random = new Random(fuzzSeed());
  const statuses = new Map<number, number>();
  for (let number = 0; number < CONTROL_CASES; number++) {
    const line = ['ctl', ...words(random, OPTIONS, random.pick(LIKELY))];
    const terminal = new FuzzTerminal(random);
    try {
      const status = await runCommandLine(line, terminal);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      assert.ok([0, 1, 2].includes(status), `status ${status}`);
      assert.equal(terminal.stdout !== '', status === 0, 'standard output has what was asked for, or nothing');
      if (status !== 0) assert.notEqual(terminal.stderr, '', 'a failure says why');
      assert.doesNotMatch(terminal.stdout + terminal.stderr, CONTROLS);
      assert.doesNotMatch(terminal.stderr, /unexpected|TypeError|\n {4}at /);
    } catch (error) {
      throw new Error(`seed ${random.seed}, case ${number}: ${JSON.stringify(line)}\n${terminal.stderr}`, {
        cause: error,
      });
    }
  }
  assert.deepEqual([...statuses.keys()].sort(), [0, 1, 2], 'every status came up');
});

test(`${SWITCH_CASES} command lines of etherws sw: each is a configuration or wrong`, async () => {
  const random = new Random(fuzzSeed());
  const seen = { good: 0, wrong: 0 };
  for (let number = 0; number < SWITCH_CASES; number++) {
    const line = words(random, SWITCH_OPTIONS, ['--foreground', '--port', '8000']);
    const command = swCommand()
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .action((options: Record<string, unknown>) => {
        readConfig(typedDocument(options), TYPED);
      });
    try {
      await command.parseAsync(line, { from: 'user' });
      seen.good++;
    } catch (error) {
      if (!(error instanceof EtherwsError || error instanceof CommanderError)) {
        throw new Error(`seed ${random.seed}, case ${number}: ${JSON.stringify(line)}`, { cause: error });
      }
      assert.notEqual(error.message, '');
      seen.wrong++;
    }
  }
  assert.ok(seen.good > 100 && seen.wrong > 100, JSON.stringify(seen));
});
