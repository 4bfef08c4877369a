import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { joinPair, LEFT_TAP, macOf, openPair, pings } from '../support/lan.ts';
import type { Host, Lab } from '../support/namespaces.ts';

interface Bench {
  readonly lab: Lab;
  readonly host: Host;
  readonly lan: EtherwsSwitch;
}

async function openBench(t: TestContext): Promise<Bench | undefined> {
  const lab = await openTapLab(t, 'ping');
  if (lab === undefined) return undefined;
  const host = await lab.host('bench');
  return { lab, host, lan: await EtherwsSwitch.start(host, ['--port', '8000']) };
}

async function refused(lan: EtherwsSwitch, args: readonly string[], words: RegExp): Promise<void> {
  const { status, stderr } = await lan.ctl(args);
  assert.equal(status, 1, args.join(' '));
  assert.match(stderr, words);
}

test('a device is one port of a switch', async (t) => {
  const bench = await openBench(t);
  if (bench === undefined) return;
  const { host, lan } = bench;
  await host.check(['ip', 'link', 'add', 'cable0', 'type', 'veth', 'peer', 'name', 'cable1']);
  await lan.done('addport', 'netdev', 'cable0');
  await lan.done('addport', 'tap', 'ethws0');
  const busy = /DEVICE_BUSY[\s\S]*port of this switch already/;
  await refused(lan, ['addport', 'netdev', 'cable0'], busy);
  await refused(lan, ['addport', 'netdev', 'ethws0'], busy);
  await refused(lan, ['addport', 'tap', 'cable0'], busy);
  await refused(lan, ['addport', 'tap', 'ethws0'], busy);
  await refused(lan, ['addport', 'netdev', 'none0'], /DEVICE_NOT_FOUND/);
  assert.equal((await lan.ports()).length, 2);
  await lan.done('delport', '1');
  await lan.done('addport', 'netdev', 'cable0');
});

test('a device that comes back is the same port with its counters; only delport ends it', async (t) => {
  const bench = await openBench(t);
  if (bench === undefined) return;
  const { host, lan } = bench;
  const plug = async (): Promise<void> => {
    await host.check(['ip', 'link', 'add', 'nic0', 'type', 'veth', 'peer', 'name', 'wire0']);
    await host.check(['ip', 'address', 'add', '192.0.2.50/24', 'dev', 'wire0']);
    await host.check(['ip', 'link', 'set', 'wire0', 'up']);
  };
  const make = async (): Promise<void> => {
    await host.check(['ip', 'tuntap', 'add', 'qemu0', 'mode', 'tap']);
    await host.check(['ip', 'address', 'add', '192.0.2.60/24', 'dev', 'qemu0']);
  };
  await plug();
  await make();
  await lan.done('addport', 'netdev', 'nic0');
  await lan.done('addport', 'tap', 'qemu0');
  const isAll = (state: string) => (ports: { state: string }[]) => ports.every((port) => port.state === state);
  await eventually(() => lan.ports(), isAll('up'));
  let received = 0;
  for (let round = 0; round < 2; round++) {
    // ARP requests of its kernel for an unused address make the port receive frames.
    await host.run(['ping', '-c1', '-W1', '-I', 'wire0', '192.0.2.51']);
    const before = await eventually(
      () => lan.port(1),
      ({ rx }) => rx > received,
    );
    received = before.rx;
    await host.check(['ip', 'link', 'delete', 'nic0']);
    await host.check(['ip', 'link', 'delete', 'qemu0']);
    const [nic, qemu] = await eventually(
      () => lan.ports(),
      (ports) => ports.every(({ reason }) => reason?.startsWith('waiting for') === true),
    );
    assert.deepEqual(
      [nic, qemu].map((port) => [port?.port, port?.state, port?.target, port?.reason]),
      [
        [1, 'down', 'nic0', 'waiting for nic0'],
        [2, 'down', 'qemu0', 'waiting for qemu0'],
      ],
    );
    assert.ok((nic?.rx ?? 0) >= received);
    // Neither is listed among the interfaces that can be configured.
    assert.deepEqual(await lan.interfaces(), []);
    await refused(lan, ['setif', '1', '--mtu', '1400'], /DEVICE_NOT_FOUND[\s\S]*"nic0" is gone/);
    await refused(lan, ['addport', 'netdev', 'nic0'], /DEVICE_(BUSY|NOT_FOUND)/);
    await plug();
    await make();
    const ports = await eventually(() => lan.ports(), isAll('up'));
    assert.ok((ports[0]?.rx ?? 0) >= received);
    assert.deepEqual(
      (await lan.interfaces()).map(({ port, target }) => [port, target]),
      [
        [1, 'nic0'],
        [2, 'qemu0'],
      ],
    );
  }
  await host.check(['ip', 'link', 'delete', 'nic0']);
  await lan.done('delport', '1');
  await plug();
  assert.equal((await lan.ports()).length, 1);
});

test('a TAP device in another network namespace carries on, and is listed and set there', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { left, right } = pair;
  const { leftSwitch } = await joinPair(pair);
  // Names of namespaces are files in /run, so the laboratory needs its own.
  await left.check(['mount', '-t', 'tmpfs', 'tmpfs', '/run']);
  await left.check(['ip', 'netns', 'add', 'blue']);
  await left.check(['ip', 'link', 'set', 'ethws0', 'netns', 'blue']);
  await eventually(
    () => leftSwitch.port(1),
    ({ state, netns }) => state === 'down' && netns === 'blue',
  );
  await left.check(['ip', '-n', 'blue', 'link', 'set', 'ethws0', 'up']);
  await eventually(
    () => leftSwitch.port(1),
    ({ state, netns, reason }) => state === 'up' && netns === 'blue' && reason === null,
  );
  await leftSwitch.done('setif', '1', '--address', LEFT_TAP.v4, '--netmask', '255.255.255.0');
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.match(await leftSwitch.done('listport', '--long'), /ethws0 .* in network namespace blue\n/);
  assert.match(await leftSwitch.done('listif', '--long'), /192\.0\.2\.1 .* ethws0 +- +blue +\S/);
  const [entry] = await leftSwitch.interfaces();
  assert.deepEqual([entry?.address, entry?.netns], [LEFT_TAP.v4, 'blue']);
  assert.match(leftSwitch.process.stderr, /in another network namespace/);

  await leftSwitch.done('addport', 'tap', 'eth7', '--netns', 'blue', '--mac', '02:00:00:00:00:77');
  await leftSwitch.done('setif', '3', '--address', '192.0.2.7', '--netmask', '255.255.255.0');
  assert.match(await left.check(['ip', '-n', 'blue', 'link', 'show', 'eth7']), /,UP[\s\S]*02:00:00:00:00:77/);
  await left.check(['ip', '-n', 'blue', 'link', 'set', 'ethws0', 'down']);
  assert.ok(await pings(right, '192.0.2.7'));
  await refused(
    leftSwitch,
    ['addport', 'tap', 'eth8', '--netns', 'red'],
    /NETNS_NOT_FOUND: There is no network namespace "red"/,
  );
  for (const other of ['/etc/passwd', '/proc/self/ns/uts']) {
    await refused(
      leftSwitch,
      ['addport', 'tap', 'eth8', '--netns', other],
      /NETNS_NOT_FOUND: "\S+" is not a network namespace/,
    );
  }
  await refused(leftSwitch, ['addport', 'tap', 'eth7', '--netns', 'blue'], /DEVICE_BUSY/);

  // A namespace that is created again, as by a container that restarts, gets its device again.
  await left.check(['ip', 'netns', 'delete', 'blue']);
  await eventually(
    () => leftSwitch.port(3),
    ({ state, reason }) => state === 'down' && reason === 'waiting for eth7',
  );
  assert.doesNotMatch(leftSwitch.process.stderr, /cannot be had/);
  await left.check(['ip', 'netns', 'add', 'blue']);
  await eventually(
    () => leftSwitch.port(3),
    ({ state, netns }) => state === 'up' && netns === 'blue',
  );
  assert.match(await left.check(['ip', '-n', 'blue', 'link', 'show', 'eth7']), /02:00:00:00:00:77/);
  // A device that was deleted by hand is not created again.
  await left.check(['ip', '-n', 'blue', 'link', 'delete', 'eth7']);
  await eventually(
    () => leftSwitch.port(3),
    ({ reason }) => reason === 'waiting for eth7',
  );
});

test('the kernel chooses a name for %d and for none; a MAC address is set', async (t) => {
  const bench = await openBench(t);
  if (bench === undefined) return;
  const { host, lan } = bench;
  await lan.done('addport', 'tap', 'lab%d');
  await lan.done('addport', 'tap', 'lab%d', '--mac', '02:AB:00:00:00:01');
  await lan.done('addport', 'tap', '');
  assert.deepEqual(
    (await lan.ports()).map(({ target }) => target),
    ['lab0', 'lab1', 'tap0'],
  );
  assert.equal(await macOf(host, 'lab1'), '02:ab:00:00:00:01');
  for (const args of [
    ['addport', 'tap', 'a%s'],
    ['addport', 'tap', '%d%d'],
    ['addport', 'netdev', ''],
    ['addport', 'netdev', 'eth%d'],
    ['addport', 'tap', 'x', '--mac', '01:00:00:00:00:01'],
    ['addport', 'tap', 'x', '--mac', '00:00:00:00:00:00'],
    ['addport', 'tap', 'x', '--mac', '2:0:0:0:0:1'],
  ]) {
    assert.equal((await lan.ctl(args)).status, 2, args.join(' '));
  }
});

test('a persistent device of several queues is attached, unless another program has one of them', async (t) => {
  const bench = await openBench(t);
  if (bench === undefined) return;
  const { host, lan } = bench;
  await host.check(['ip', 'tuntap', 'add', 'queues0', 'mode', 'tap', 'multi_queue']);
  await lan.done('addport', 'tap', 'queues0');
  await lan.done('setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0');
  await host.run(['ping', '-c1', '-W1', '192.0.2.2']);
  await eventually(
    () => lan.port(1),
    ({ rx, state }) => state === 'up' && rx > 0,
  );
  const other = await EtherwsSwitch.start(
    host,
    ['--port', '8001', '--ctlport', '7868'],
    ['--ctlurl', 'http://127.0.0.1:7868/ctl'],
  );
  await refused(
    other,
    ['addport', 'tap', 'queues0'],
    /DEVICE_BUSY[\s\S]*Another program has a queue of TAP device "queues0"/,
  );
  await lan.done('delport', '1');
  await other.done('addport', 'tap', 'queues0');

  await host.check(['ip', 'tuntap', 'add', 'layer3', 'mode', 'tun']);
  await refused(lan, ['addport', 'tap', 'layer3'], /DEVICE_BUSY[\s\S]*it is a TUN device/);
});

test('a tunnel over a device that becomes a port is warned of, whichever comes first', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { leftSwitch, rightSwitch } = await joinPair(pair);
  const warning = /warn.*(runs over eth0|eth0.*own packets)/i;
  assert.doesNotMatch(leftSwitch.process.stderr + rightSwitch.process.stderr, warning);
  // At the server the tunnel is added first.
  await leftSwitch.done('addport', 'netdev', 'eth0');
  await leftSwitch.process.output(/tunnel of port 2 runs over eth0, which is port 3/);
  await leftSwitch.done('delport', '3');
  // At the client the device's port is added first.
  await rightSwitch.done('delport', '2');
  await rightSwitch.done('addport', 'netdev', 'eth0');
  await rightSwitch.done('setport', '3', '--shut', '1');
  await rightSwitch.done('addport', 'client', 'ws://10.1.0.1:8000/');
  await rightSwitch.process.output(/tunnel of port 4 runs over eth0, which is port 3/);
});

test('a device that loses its link loses its stations, but not its static ones', async (t) => {
  const bench = await openBench(t);
  if (bench === undefined) return;
  const { host, lan } = bench;
  await host.check(['ip', 'link', 'add', 'nic0', 'type', 'veth', 'peer', 'name', 'wire0']);
  await host.check(['ip', 'address', 'add', '192.0.2.50/24', 'dev', 'wire0']);
  await host.check(['ip', 'link', 'set', 'wire0', 'up']);
  await lan.done('addport', 'netdev', 'nic0', '--fdb', '02:00:00:00:00:77');
  const kinds = async (): Promise<string[]> =>
    (JSON.parse(await lan.done('listfdb', '--json')) as { entries: { kind: string }[] }).entries.map(
      ({ kind }) => kind,
    );
  const speak = async (): Promise<string[]> => {
    await host.run(['ping', '-c', '1', '-W', '1', '192.0.2.51']);
    return kinds();
  };
  await eventually(speak, (found) => found.includes('learned') && found.includes('static'));
  await host.check(['ip', 'link', 'set', 'wire0', 'down']);
  await eventually(kinds, (found) => found.join() === 'static');
  await host.check(['ip', 'link', 'set', 'wire0', 'up']);
  await eventually(speak, (found) => found.includes('learned'));
});
