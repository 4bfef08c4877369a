import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PcapngReader, type ReadPacket } from '../../src/capture/pcapng-reader.ts';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { createCredentials, LEFT, LEFT_TAP, openPair, PASSWORD, type Pair, RIGHT_TAP, USER } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import type { Outcome, Process } from '../support/process.ts';

/** Captures by the built command, from another host, over TLS with a password; checked by tshark and capinfos. */

interface World extends Pair {
  readonly leftSwitch: EtherwsSwitch;
  /** runs `etherws ctl capture ARGS` on the right host, for the left host's switch */
  capture(...args: readonly string[]): Process;
  watch(...args: readonly string[]): Process;
  /** the same command as text for a shell */
  readonly shellWords: string;
  allow(methods: string): void;
  path(name: string): string;
}

/** Starts a switch on the left host with its tap as port 1, and the tunnel of the right host as port 2 (`office`). */
async function open(t: TestContext): Promise<World | undefined> {
  const pair = await openPair(t, 'openssl', 'htpasswd', 'tshark', 'capinfos', 'bash', 'ping');
  if (pair === undefined) return undefined;
  const { left, right, lab } = pair;
  const { options, authority, htpasswd } = await createCredentials(pair);
  const [, key = '', , certificate = ''] = options;
  const path = (name: string): string => join(lab.directory, name);
  writeFileSync(path('password'), PASSWORD, { mode: 0o600 });
  const allow = (methods: string): void => {
    const rules = `    control: {methods: ${methods}}\n    tunnels: {ethertypes: [arp, ipv4]}\n`;
    writeFileSync(path('policy.yaml'), `users:\n  ${USER}:\n${rules}`);
  };
  allow('[listPort, subscribe, capture]');
  // Both services share one listener.
  const service = ['--ctlhost', '', '--ctlport', '8443', '--ctlhtpasswd', htpasswd];
  const certified = ['--ctlsslkey', key, '--ctlsslcert', certificate];
  const leftSwitch = await EtherwsSwitch.start(
    left,
    [
      '--port',
      '8443',
      '--policy',
      path('policy.yaml'),
      '--ctlsocket',
      path('ctl'),
      ...service,
      ...certified,
      ...options,
    ],
    ['--ctlurl', `unix:${path('ctl')}`],
  );
  const rightSwitch = await EtherwsSwitch.start(right, ['--port', '8000']);
  await leftSwitch.done('addport', 'tap', 'ethws0');
  await leftSwitch.done('setif', '1', '--address', `${LEFT_TAP.v4}/24`);
  await rightSwitch.done('addport', 'tap', 'ethws0');
  await rightSwitch.done('setif', '1', '--address', `${RIGHT_TAP.v4}/24`);
  const trust = ['--cacerts', authority.certificate];
  const login = ['--user', USER, '--passwd-file', path('password')];
  await rightSwitch.done('addport', 'client', `wss://${LEFT.name}:8443/`, ...trust, ...login);
  await leftSwitch.done('setport', '2', '--name', 'office');
  const url = ['--ctlurl', `https://${LEFT.name}:8443/ctl`, '--ctlsslcert', authority.certificate];
  const ctl = [...ETHERWS, 'ctl', ...url, '--ctluser', USER, '--ctlpasswd-file', path('password')];
  const words = [...ctl, 'capture'];
  const capture = (...args: readonly string[]): Process => right.spawn([...words, ...args], { timeoutMs: 300_000 });
  const watch = (...args: readonly string[]): Process =>
    right.spawn([...ctl, 'watch', ...args], { timeoutMs: 300_000 });
  return { ...pair, leftSwitch, capture, watch, allow, path, shellWords: words.map((word) => `'${word}'`).join(' ') };
}

/** Pings until the program ends. */
async function whilePinging(from: Host, to: string, program: Process): Promise<Outcome> {
  const pinging = from.spawn(['ping', '-i', '0.1', to], { timeoutMs: 300_000 });
  try {
    return await program.exited;
  } finally {
    await pinging.end();
  }
}

async function fieldsOf(host: Host, file: string, fields: readonly string[], filter = ''): Promise<string[][]> {
  const args = fields.flatMap((field) => ['-e', field]);
  const output = await host.check(['tshark', '-r', file, '-T', 'fields', '-E', 'separator=;', ...args, '-Y', filter]);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.split(';'));
}

function packetsIn(file: string): ReadPacket[] {
  return new PcapngReader().read(readFileSync(file));
}

test('ctl capture takes frames from another host, over TLS and with a password', async (t) => {
  const world = await open(t);
  if (world === undefined) return;
  const { left, right, leftSwitch, capture, watch, path, shellWords, allow } = world;
  const pings = ['ping', '-c', '1', '-W', '20', LEFT_TAP.v4];

  await t.test('events come the same way, beside tunnels on one listener', async () => {
    const watching = watch('--events', 'port-down,port-up');
    await eventually(
      async () => {
        await leftSwitch.done('setport', '1', '--shut', '1');
        await leftSwitch.done('setport', '1', '--shut', '0');
        return watching.stdout;
      },
      (lines) => /port-up port=1 type=tap target=ethws0 state=up\n/.test(lines),
    );
    await watching.end();
  });

  await t.test('a file: interfaces, directions, both ends of a frame, statistics', async () => {
    const file = path('icmp.pcapng');
    const filter = `icmp and host ${RIGHT_TAP.v4}`;
    const done = capture('1', 'office', '1', '-w', file, '--filter', filter, '--count', '8');
    const { status, stdout, stderr } = await whilePinging(right, LEFT_TAP.v4, done);
    assert.deepEqual([status, stdout], [0, ''], stderr);
    assert.match(
      stderr,
      /^8 frames captured: --count is reached\n {2}port 1: \d+ seen, 4 matched, 0 lost\n {2}port 2 \(office\): \d+ seen, 4 matched, 0 lost\n$/,
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const fields = ['frame.interface_name', 'frame.packet_flags_direction', 'icmp.type', 'icmp.checksum.status'];
    assert.deepEqual((await fieldsOf(right, file, fields)).slice(-4), [
      ['office', '0x00000001', '8', '1'],
      ['port-1', '0x00000002', '8', '1'],
      ['port-1', '0x00000001', '0', '1'],
      ['office', '0x00000002', '0', '1'],
    ]);
    const [first, second] = packetsIn(file);
    assert.ok(Buffer.from(first?.bytes ?? []).equals(Buffer.from(second?.bytes ?? [])), 'what goes in comes out');
    const facts = await right.check(['capinfos', '-M', file]);
    assert.match(facts, /Number of packets: +8$/m);
    assert.match(
      facts,
      /Name = port-1\n +Description = port 1 in network default, tap ethws0\n[\s\S]*Number of stat entries = 1/,
    );
    assert.match(
      facts,
      /Name = office\n +Description = port 2 in network default, server 10\.1\.0\.2:\d+\n[\s\S]*Filter string = icmp/,
    );
  });

  await t.test('a pipe that tshark reads, and Ctrl-C, which ends it with the statistics', async () => {
    const file = path('errors');
    const writer = `{ echo $BASHPID > ${path('pid')}; exec ${shellWords} office -w - --snaplen 60 2>${file}; }`;
    const both = right.spawn(['bash', '-c', `${writer} | tshark -l -n -i - 2>/dev/null`], { timeoutMs: 300_000 });
    const pinging = right.spawn(['ping', '-i', '0.1', LEFT_TAP.v4], { timeoutMs: 300_000 });
    t.after(() => pinging.end());
    await both.output(/Echo \(ping\) reply/);
    await right.check(['bash', '-c', `kill -INT $(cat ${path('pid')})`]);
    const { stdout } = await both.exited;
    await pinging.end();
    assert.match(stdout, /192\.0\.2\.2 → 192\.0\.2\.1 +ICMP 98 Echo \(ping\) request/);
    assert.match(
      readFileSync(file, 'utf8'),
      /^\d+ frames? captured: ended\n {2}port 2 \(office\): \d+ seen, \d+ matched, 0 lost\n$/,
    );
  });

  await t.test('lines, with the reason of a discard', async () => {
    const watching = capture('office', '--filter', 'ip6', '--duration', '60');
    await eventually(
      async () => {
        await right.run(['ping', '-6', '-c', '1', '-W', '1', 'ff02::1%ethws0']);
        return watching.stdout;
      },
      (lines) => lines !== '',
    );
    assert.match(
      watching.stdout,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z office in [0-9a-f:]{17} > 33:33:[0-9a-f:]{11}, IPv6 [0-9a-f:]+ > ff02::[0-9a-f]+ .*, \d+ octets: ICMPv6 [a-z0-9 ]+.* \[discarded: typeDenied\]\n/m,
    );
    await watching.end();
    await leftSwitch.process.logged(/capture ends.*connection closed/, 0);
  });

  await t.test('a reader that stops loses frames, and no traffic does', async () => {
    const file = path('slow.pcapng');
    const slow = capture('1', '-w', file);
    await eventually(
      async () => {
        await right.check(pings);
        return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      },
      (size) => size > 1000,
    );
    slow.signal('SIGSTOP');
    // 40 MiB: more than the sockets' buffers and the switch's limit.
    const flood = await right.run(['ping', '-q', '-f', '-c', '15000', '-s', '1400', LEFT_TAP.v4]);
    assert.match(flood.stdout, /15000 packets transmitted, 15000 received, 0% packet loss/);
    slow.signal('SIGCONT');
    slow.signal('SIGINT');
    const { status, stderr } = await slow.exited;
    const [, seen, matched, lost] =
      /port 1: (\d+) seen, (\d+) matched, (\d+) lost, since this reader was too slow/.exec(stderr)?.map(Number) ?? [];
    assert.deepEqual([status, seen], [0, matched], stderr);
    const facts = await right.check(['capinfos', '-M', '-c', file]);
    assert.match(facts, new RegExp(`Number of packets: +${(matched ?? 0) - (lost ?? 0)}$`, 'm'));
    assert.ok((lost ?? 0) > 1000, stderr);
  });

  await t.test('the end of its port ends it, and is said', async () => {
    const watching = capture('office', '1');
    await watching.output(/office/);
    await leftSwitch.done('delport', 'office');
    await watching.output(/^port 2 \(office\) was removed$/m);
    await leftSwitch.done('delport', '1');
    const { status, stderr } = await watching.exited;
    assert.equal(status, 1);
    assert.match(stderr, /\d+ frames? captured: no port of the capture is left\n[\s\S]*\(PORT_CLOSED\)\n$/);
  });

  await t.test('it needs a right of its own, and true words', async () => {
    allow('all');
    leftSwitch.process.signal('SIGHUP');
    const forbidden = await eventually(
      () => capture('1').exited,
      ({ stderr }) => stderr.includes('METHOD_FORBIDDEN'),
    );
    assert.match(forbidden.stderr, /METHOD_FORBIDDEN: The user alice may not call capture/);
    for (const [args, status, words] of [
      [['1', '--filter', 'tcp prt 80'], 2, /^error: --filter, column 5: expected "and" or "or", got "prt"\n/],
      [['1', '--count', '0'], 2, /^error: --count 0 is below 1\n/],
      [['1', '--duration', '0'], 2, /^error: --duration must be a number of seconds above 0/],
      [[], 2, /capture is of ports or of a network/],
    ] as const) {
      const wrong = await capture(...args).exited;
      assert.deepEqual([wrong.status, wrong.stdout], [status, '']);
      assert.match(wrong.stderr, words);
    }
    const local = await left.run([...ETHERWS, 'ctl', '--ctlurl', `unix:${path('ctl')}`, 'capture', '7', '-w', '/no/x']);
    assert.match(local.stderr, /METHOD_FORBIDDEN/);
    await leftSwitch.stop();
  });
});
