import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { LEFT, openPair, type Pair } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import { run } from '../support/process.ts';

/** The facts of a device in the kernel. */
interface Device {
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly promiscuity: number;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

async function device(host: Host, name: string): Promise<Device | undefined> {
  const { status, stdout } = await host.run(['ip', '-json', '-details', 'address', 'show', 'dev', name]);
  return status === 0 ? (JSON.parse(stdout) as Device[])[0] : undefined;
}

/** A pair whose kernels send no frames by themselves, so that all counters are known. */
async function openQuietPair(t: TestContext): Promise<Pair | undefined> {
  const pair = await openPair(t);
  await pair?.left.check(['bash', '-c', 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > $f; done']);
  return pair;
}

test('every command does what 1.x did and prints what 1.x printed', async (t) => {
  const pair = await openQuietPair(t);
  if (pair === undefined) return;
  const { left, right } = pair;
  await left.check([
    'bash',
    '-c',
    'ip link add cable0 type veth peer name cable1 && ip link set cable0 up && ip link set cable1 up',
  ]);
  const lan = await EtherwsSwitch.start(left, ['--port', '8000']);
  await EtherwsSwitch.start(right, ['--host', '10.1.0.2', '--port', '8000']);

  await t.test('empty lists are their titles', async () => {
    assert.equal(await lan.done('listport'), '  Port  Type  State  RX  TX  Target\n');
    assert.equal(await lan.done('listif'), '  Port  Type  Address  Netmask  MTU  Target\n');
    assert.equal(await lan.done('listfdb'), '  Port  VLAN  MAC  Age\n');
    assert.equal(await lan.done('listport', '--json'), '{"entries":[]}\n');
  });

  await t.test('addport tap creates the device and brings it up', async () => {
    assert.equal(
      await lan.done('addport', 'tap', 'ethws0'),
      '  Port  Type  State  RX  TX  Target\n     1  tap   up      0   0  ethws0\n',
    );
    assert.ok((await device(left, 'ethws0'))?.flags.includes('UP'));
  });

  await t.test('addport netdev attaches a device promiscuously', async () => {
    assert.equal(
      await lan.done('addport', 'netdev', 'cable0'),
      '  Port  Type    State  RX  TX  Target\n     2  netdev  up      0   0  cable0\n',
    );
    assert.equal((await device(left, 'cable0'))?.promiscuity, 1);
  });

  await t.test('addport client dials', async () => {
    assert.equal(
      await lan.done('addport', 'client', 'ws://10.1.0.2:8000/'),
      '  Port  Type    State  RX  TX  Target\n     3  client  up      0   0  ws://10.1.0.2:8000/\n',
    );
  });

  await t.test('setport shuts and opens again', async () => {
    const shut = '  Port  Type  State  RX  TX  Target\n     1  tap   shut    0   0  ethws0\n';
    assert.equal(await lan.done('setport', '1', '--shut', '1'), shut);
    assert.equal((await lan.port(1)).shut, true);
    assert.equal(await lan.done('setport', '1', '--shut', '0'), shut.replace('shut', 'up  '));
    assert.equal((await lan.port(1)).shut, false);
  });

  await t.test('setif sets address, netmask and MTU, each also alone', async () => {
    assert.equal(
      await lan.done('setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0', '--mtu', '1400'),
      '  Port  Type  Address    Netmask         MTU  Target\n     1  tap   192.0.2.1  255.255.255.0  1400  ethws0\n',
    );
    assert.equal((await device(left, 'ethws0'))?.mtu, 1400);
    await lan.done('setif', '1', '--mtu', '1300');
    await lan.done('setif', '1', '--netmask', '255.255.0.0');
    assert.equal(
      await lan.done('setif', '1', '--address', '192.0.2.9'),
      '  Port  Type  Address    Netmask       MTU  Target\n     1  tap   192.0.2.9  255.255.0.0  1300  ethws0\n',
    );
    const addresses = (await device(left, 'ethws0'))?.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    assert.deepEqual(addresses, ['192.0.2.9/16'], 'the primary address was replaced, not joined by another');
  });

  await t.test('setif adds addresses with a prefix length, IPv6 too, and listif --long shows all', async () => {
    await left.check(['bash', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/ethws0/disable_ipv6']);
    await lan.done('setif', '1', '--address', '2001:DB8:0::7/64', '--address', '198.51.100.1/25');
    const [entry] = await lan.interfaces();
    assert.equal(entry?.address, '192.0.2.9');
    for (const address of ['192.0.2.9/16', '198.51.100.1/25', '2001:db8::7/64']) {
      assert.ok(entry?.addresses.includes(address), `${address} in ${entry?.addresses}`);
      assert.match(await lan.done('listif', '--long'), new RegExp(`[ ,]${address}(,|$)`, 'm'));
    }
    const kernel = (await device(left, 'ethws0'))?.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    assert.ok(kernel?.includes('2001:db8::7/64') && kernel.includes('198.51.100.1/25'), String(kernel));
  });

  await t.test('listif shows only ports that have a device', async () => {
    assert.deepEqual(
      (await lan.interfaces()).map(({ port, type, target }) => ({ port, type, target })),
      [
        { port: 1, type: 'tap', target: 'ethws0' },
        { port: 2, type: 'netdev', target: 'cable0' },
      ],
    );
  });

  await t.test('delport prints the last state, removes the tap, and gives a netdev back as it was', async () => {
    await lan.done('setport', '1', '--shut', '1');
    assert.match(await lan.done('delport', '1'), /^ {5}1 {2}tap {3}shut +\d+ +\d+ {2}ethws0$/m);
    assert.equal(await device(left, 'ethws0'), undefined);
    await lan.done('delport', '2');
    assert.equal((await device(left, 'cable0'))?.promiscuity, 0);
    await lan.done('delport', '3');
    assert.deepEqual(await lan.ports(), []);
  });

  await t.test('a number is never used again', async () => {
    await lan.done('addport', 'tap', 'ethws0');
    assert.deepEqual(
      (await lan.ports()).map(({ port }) => port),
      [4],
    );
  });

  await t.test('what fails says so on standard error, with status 1, and changes nothing', async () => {
    await lan.done('addport', 'client', 'ws://10.1.0.2:8000/');
    const before = await lan.done('listport', '--json');
    for (const [args, words] of [
      [['delport', '99'], /no port 99/],
      [['setport', '99', '--shut', '1'], /no port 99/],
      [['setif', '5', '--address', '192.0.2.5'], /type client/],
      [['addport', 'netdev', 'nosuch0'], /nosuch0/],
      [['addport', 'tap', 'lo'], /lo\b/],
      [['addport', 'tap', 'ethws0'], /ethws0/],
      [['addport', 'client', 'ws://10.1.0.2:9/'], /10\.1\.0\.2/],
      [['addport', 'client', 'wss://10.1.0.2/', '--cacerts', '/nosuch.pem'], /nosuch\.pem/],
    ] as const) {
      const { status, stdout, stderr } = await lan.ctl(args);
      assert.equal(status, 1, `${args.join(' ')}: ${stderr}`);
      assert.equal(stdout, '');
      assert.match(stderr, words);
      assert.match(stderr, /^ {2}\S.* \(-32602\)\n {2}\S.*\n$/, 'the message with the code, the detail below it');
    }
    assert.equal(await lan.done('listport', '--json'), before);
  });
});

test('wrong usage ends with status 2 and says on standard error what was wrong', async () => {
  for (const args of [
    [],
    ['nosuch'],
    ['ctl'],
    ['ctl', 'nosuch'],
    ['ctl', 'addport'],
    ['ctl', 'addport', 'vlan', 'x'],
    ['ctl', 'addport', 'tap'],
    ['ctl', 'addport', 'tap', 'a-name-that-is-too-long'],
    ['ctl', 'addport', 'tap', 'a', 'b'],
    ['ctl', 'addport', 'client', 'http://192.0.2.1/'],
    ['ctl', 'addport', 'client', 'ws://192.0.2.1/', '--passwd', 'x'],
    ['ctl', 'setport', '1one', '--shut', '1'],
    ['ctl', 'setport', '0', '--shut', '1'],
    ['ctl', 'setport', '1', '--shut', '2'],
    ['ctl', 'setif', '1', '--mtu', '575'],
    ['ctl', 'setif', '1', '--address', '192.0.2.256'],
    ['ctl', 'setif', '1', '--netmask', '255.0.255.0'],
    ['ctl', 'setif', '1', '--address', '2001:db8::1'],
    ['ctl', 'delport'],
    ['ctl', 'listport', '--nosuch'],
    ['ctl', '--ctlurl', 'ftp://127.0.0.1/', 'listport'],
    ['sw', '--nosuch'],
    ['sw', '--ageout', '0'],
  ]) {
    const { status, stdout, stderr } = await run([...ETHERWS, ...args]);
    assert.equal(status, 2, `etherws ${args.join(' ')}: ${status} ${stderr}`);
    assert.equal(stdout, '', args.join(' '));
    assert.notEqual(stderr.trim(), '', args.join(' '));
    assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace for a mistake of the user');
  }
});

test('without a switch ctl says where it looked, with status 1', async (t) => {
  const pair = await openPair(t);
  if (pair === undefined) return;
  const { status, stdout, stderr } = await pair.left.run([...ETHERWS, 'ctl', 'listport']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /127\.0\.0\.1/);
  assert.match(stderr, /\(CONNECTION_REFUSED\)/);
  const far = await pair.left.run([...ETHERWS, 'ctl', '--ctlurl', `http://${LEFT.v4}:7999/ctl`, 'listport']);
  assert.match(far.stderr, /7999/);
});

test('--help on every level shows examples, --version the version', async () => {
  const ctl = ['addport', 'setport', 'delport', 'listport', 'setif', 'listif', 'listfdb'].map((name) => ['ctl', name]);
  const types = ['tap', 'netdev', 'client'].map((type) => ['ctl', 'addport', type]);
  for (const command of [[], ['sw'], ['ctl'], ...ctl, ...types]) {
    const { status, stdout, stderr } = await run([...ETHERWS, ...command, '--help']);
    assert.equal(status, 0, command.join(' '));
    assert.equal(stderr, '');
    assert.match(stdout, /Usage: etherws/);
    assert.match(stdout, /Examples?:\n(.*\n)*.*\$ .*etherws/m, `etherws ${command.join(' ')} --help has an example`);
  }
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const shown = await run([...ETHERWS, '--version']);
  assert.equal(shown.status, 0);
  assert.ok(shown.stdout.includes(version));
});
