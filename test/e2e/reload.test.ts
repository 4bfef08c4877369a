import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PlanEntry, PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import type { Host } from '../support/namespaces.ts';

const HEAD = 'tunnels: {host: 127.0.0.1, port: 0}\ncontrol: {port: 7867}\n';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-reload-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A switch with a configuration file that the test changes. */
class Configured {
  readonly file: string;
  readonly host: Host;
  readonly running: EtherwsSwitch;

  private constructor(file: string, host: Host, running: EtherwsSwitch) {
    this.file = file;
    this.host = host;
    this.running = running;
  }

  static async start(t: TestContext, host: Host, text: string, ...options: readonly string[]): Promise<Configured> {
    const file = join(directoryFor(t), 'etherws.yaml');
    writeFileSync(file, HEAD + text);
    const running = await EtherwsSwitch.start(host, ['--config', file, ...options]);
    return new Configured(file, host, running);
  }

  write(text: string): void {
    writeFileSync(this.file, HEAD + text);
  }

  /** `ctl reload`, as `ACTION PORT WHAT: CHANGE`. */
  async reload(...options: readonly string[]): Promise<string[]> {
    const answer = JSON.parse(await this.running.done('reload', '--json', ...options)) as { entries: PlanEntry[] };
    return answer.entries.map(({ action, port, what, change }) => `${action} ${port ?? '-'} ${what}: ${change}`);
  }

  /** `PORT NAME TARGET STATE CONFIG` for each port. */
  async ports(): Promise<string[]> {
    const ports = await this.running.ports();
    return ports.map(({ port, name, target, state, config }) => [port, name ?? '-', target, state, config].join(' '));
  }

  hangUp(): number {
    const since = this.running.process.stderr.length;
    this.running.process.signal('SIGHUP');
    return since;
  }
}

test('a reload applies the difference, and ports without one lose no frame', async (t) => {
  const lab = await openTapLab(t, 'ping');
  if (lab === undefined) return;
  const [left, middle, right] = [await lab.host('left'), await lab.host('middle'), await lab.host('right')];
  await lab.link(
    { host: left, device: 'eth0', addresses: ['192.0.2.1/24'] },
    { host: middle, device: 'l0', addresses: [] },
  );
  await lab.link(
    { host: right, device: 'eth0', addresses: ['192.0.2.2/24'] },
    { host: middle, device: 'r0', addresses: [] },
  );
  const cables = '  - {type: netdev, target: l0, name: left}\n  - {type: netdev, target: r0, name: right}\n';
  const configured = await Configured.start(
    t,
    middle,
    `ports:\n${cables}  - {type: tap, target: one0, name: one}\n  - {type: tap, target: two0, addresses: [198.51.100.1/24]}\n`,
  );
  const before = await configured.running.ports();
  await left.check(['ping', '-c', '1', '192.0.2.2']);
  const pings = left.spawn(['ping', '-q', '-i', '0.002', '192.0.2.2'], { timeoutMs: 60_000, env: { LC_ALL: 'C' } });

  configured.write(
    `ageout: 100\nports:\n  - {type: tap, target: new0}\n${cables}  - {type: tap, target: two0, name: two, shut: true, mtu: 1400}\n  - {type: tap, target: more0, options: {mac: "02:00:00:00:00:09"}}\n`,
  );
  const steps = [
    'remove 3 tap one0 (one): ',
    'add - tap new0: ',
    'change 4 tap two0 (two): name two, shut true, mtu 1400, without 198.51.100.1/24',
    'add - tap more0: ',
    'apply - ageout: 300 -> 100',
  ];
  assert.deepEqual(await configured.reload('--dry-run'), steps);
  assert.equal((await configured.ports()).length, 4, 'a dry run changes nothing');
  assert.deepEqual(await configured.reload(), steps);
  assert.deepEqual(await configured.ports(), [
    '1 left l0 up file',
    '2 right r0 up file',
    '4 two two0 shut file',
    '5 - new0 up file',
    '6 - more0 up file',
  ]);
  assert.deepEqual(await configured.reload('--dry-run'), []);
  const { mtu, addresses = [] } = (await configured.running.interfaces()).find(({ port }) => port === 4) ?? {};
  assert.deepEqual([mtu, addresses.filter((address) => !address.startsWith('fe80'))], [1400, []]);

  // By a signal, with a change that replaces a port.
  configured.write(
    `ageout: 100\nports:\n${cables}  - {type: tap, target: more0, options: {mac: "02:00:00:00:00:0a"}}\n`,
  );
  await configured.running.process.logged(/reloaded/, configured.hangUp());
  assert.deepEqual(await configured.ports(), ['1 left l0 up file', '2 right r0 up file', '6 - more0 up file']);
  assert.match(await middle.check(['ip', 'link', 'show', 'more0']), /02:00:00:00:00:0a/);

  pings.signal('SIGINT');
  const { stdout } = await pings.exited;
  const [, sent = '', received = ''] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  assert.ok(Number(sent) > 100, stdout);
  assert.equal(received, sent, stdout);
  const counted = ({ port, rx }: PortEntry): number => rx - (before.find((entry) => entry.port === port)?.rx ?? rx);
  for (const entry of (await configured.running.ports()).slice(0, 2)) assert.ok(counted(entry) >= Number(sent));
});

test('a file with errors changes nothing, and is told with its places to the caller and to the log', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const text = 'ports:\n  - {type: tap, target: one0}\n';
  const configured = await Configured.start(t, await lab.host('host'), text, '--logformat', 'text');
  const { file, running } = configured;
  const before = await configured.ports();
  configured.write('ageuot: 5\nports:\n  - {type: tap, target: two0, mtu: 12}\n');
  const lines = [
    `${file}:3:1: unknown key "ageuot": did you mean ageout?`,
    `${file}:5:36: ports[0].mtu 12 is outside 576..65535`,
  ];
  for (const options of [[], ['--dry-run']]) {
    const { status, stdout, stderr } = await running.ctl(['reload', ...options]);
    const summary = `${file} has 2 errors (CONFIG_INVALID)`;
    assert.deepEqual([status, stdout, stderr.trimEnd().split('\n')], [1, '', [...lines, summary]]);
  }
  const since = configured.hangUp();
  await running.process.logged(/Cannot reload.*has 2 errors; nothing of it is applied/, since);
  for (const line of lines) assert.ok(running.process.stderr.slice(since).includes(line), line);
  rmSync(file);
  assert.match((await running.ctl(['reload'])).stderr, /FILE_UNREADABLE: Cannot read the configuration/);
  assert.deepEqual(await configured.ports(), before);
});

test('a step that fails does not keep the others, is told with its place, and is tried again', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const host = await lab.host('host');
  const configured = await Configured.start(t, host, '');
  configured.write('ports:\n  - {type: netdev, target: absent0}\n  - {type: tap, target: one0}\n');
  const { status, stdout, stderr } = await configured.running.ctl(['reload']);
  assert.equal(status, 1);
  assert.match(stdout, /^ {2}Action.*\n {2}add +- +netdev absent0 +-\n {2}add +- +tap one0 +-\n$/);
  assert.match(stderr, new RegExp(`^ {2}netdev absent0: DEVICE_NOT_FOUND: ${configured.file}:4:5: .*\n$`));
  assert.equal([...configured.running.process.stderr.matchAll(/cannot add netdev absent0/g)].length, 1);
  assert.deepEqual(await configured.ports(), ['1 - one0 up file']);
  await host.check(['ip', 'link', 'add', 'absent0', 'type', 'veth', 'peer', 'name', 'absent1']);
  for (const end of ['absent0', 'absent1']) await host.check(['ip', 'link', 'set', end, 'up']);
  await configured.running.process.logged(/reloaded/, configured.hangUp());
  assert.deepEqual(await configured.ports(), ['1 - one0 up file', '2 - absent0 up file']);
});

test('what calls change is marked; SIGHUP leaves it while the file is the same, and reload puts the file back', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const text =
    'ports:\n  - {type: tap, target: one0, name: one, addresses: [192.0.2.1/24]}\n  - {type: tap, target: two0}\n';
  const configured = await Configured.start(t, await lab.host('host'), text);
  const { running } = configured;
  await running.done('setport', 'one', '--shut', '1', '--name', 'first');
  await running.done('setif', 'first', '--address', '198.51.100.7/24', '--mtu', '1400');
  await running.done('delport', '2');
  await running.done('addport', 'tap', 'three0');
  const changed = ['1 first one0 shut changed', '3 - three0 up added'];
  assert.deepEqual(await configured.ports(), changed);
  assert.match(await running.done('listport', '--long'), /one0 .* changed /);
  await running.process.logged(/reloaded/, configured.hangUp());
  assert.deepEqual(await configured.ports(), changed, 'the file is the same');
  const steps = [
    'change 1 tap one0 (one): name one, shut false, mtu 1500, without 198.51.100.7/24',
    'add - tap two0: ',
  ];
  assert.deepEqual(await configured.reload('--dry-run'), steps);
  assert.deepEqual(await configured.reload(), steps);
  assert.deepEqual(await configured.ports(), ['1 one one0 up file', '3 - three0 up added', '4 - two0 up file']);

  // A port that a call has added becomes one of the file, and is not opened again.
  const { rx } = await running.port(3);
  configured.write(`${text}  - {type: tap, target: three0, name: third}\n`);
  assert.deepEqual(await configured.reload(), ['change 3 tap three0 (third): name third']);
  const third = await running.port(3);
  assert.deepEqual([third.name, third.config, third.rx >= rx], ['third', 'file', true]);
  // One port gets the name that another one loses.
  configured.write(text.replace('name: one', 'name: third').replace('two0', 'three0, name: one'));
  await running.done('reload');
  assert.deepEqual(await configured.ports(), ['1 third one0 up file', '3 one three0 up file']);
});

test('options that take effect at once do, and the others are named', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const password = join(directoryFor(t), 'password');
  writeFileSync(password, 'one');
  const options = `{user: ann, passwd-file: ${password}}`;
  const text = `fdb-size: 100\nports: [{type: client, target: "ws://127.0.0.1:9/", options: ${options}}]\n`;
  const configured = await Configured.start(t, await lab.host('host'), text);
  const { running } = configured;
  assert.deepEqual(await configured.reload(), []);
  writeFileSync(password, 'two');
  assert.deepEqual(await configured.reload(), ['replace 1 client ws://127.0.0.1:9/: '], 'another password');
  configured.write(
    'fdb-size: 200\nlimits: {max-tunnels: 7, trusted-proxies: [10.0.0.0/8]}\ndaemon: {logformat: json}\n',
  );
  const since = configured.hangUp();
  await running.process.logged(/takes effect at the next start: daemon\.logformat/, since);
  assert.doesNotMatch(running.process.stderr.slice(since), /next start: (fdb-size|limits)/);
  const stdout = await running.done('reload', '--dry-run');
  assert.match(
    stdout,
    /^ {2}Action {3}Port {2}What {14}Change\n {2}restart +- {2}daemon\.logformat {2}auto -> json \(at the next start\)\n$/,
  );
});

test('reload without a configuration file reads certificates and the policy again', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const policy = join(directoryFor(t), 'policy.yaml');
  writeFileSync(policy, '');
  const running = await EtherwsSwitch.start(await lab.host('host'), ['--port', '0', '--policy', policy]);
  assert.equal(await running.done('reload'), '  Nothing to change\n');
  await running.done('addport', 'tap', 'one0');
  assert.equal((await running.port(1)).config, null);
  writeFileSync(policy, 'default: [');
  const { status, stderr } = await running.ctl(['reload']);
  assert.equal(status, 1);
  assert.match(stderr, /certificates, keys, policy: .*policy\.yaml/);
});
