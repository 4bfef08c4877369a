import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import type { InterfaceChange, NetworkInterface } from '../../bridge/port-details.ts';
import { type ErrorCode, EtherwsError } from '../../errors.ts';
import { formatPrefix, parsePrefix } from '../../wire/ethernet/ip-address.ts';
import { planAddresses } from './interface-settings.ts';
import { TapPort } from './tap-port.ts';

const skip = enterOwnNamespace('ip');

async function openInterface(t: TestContext, name: string, ...addresses: string[]): Promise<NetworkInterface> {
  const port = await TapPort.open(name);
  t.after(() => port.close());
  for (const address of addresses) execFileSync('ip', ['address', 'add', address, 'dev', name]);
  return port.networkInterface;
}

/** All addresses but the link-local one, which the kernel adds. */
function addressesOf(device: NetworkInterface): string[] {
  return device
    .read()
    .addresses.map(formatPrefix)
    .filter((address) => !address.startsWith('fe80:'));
}

function prefixes(...texts: string[]): { address: string; prefixLength: number }[] {
  return texts.map(parsePrefix).map(({ address, prefixLength }) => ({ address, prefixLength }));
}

function refused(code: ErrorCode, message: RegExp, action: () => unknown): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('the addresses that a change leads to', { skip }, () => {
  const plan = (present: string[], change: InterfaceChange): string[] =>
    planAddresses(prefixes(...present), change, 'tap0').map(formatPrefix);
  const present = ['192.0.2.1/28', '198.51.100.1/24', '2001:db8::1/64'];

  assert.deepEqual(plan([], { address: '10.0.0.1' }), ['10.0.0.1/8'], 'the prefix length of its class');
  assert.deepEqual(plan([], { address: '192.168.0.1', netmask: '255.255.0.0' }), ['192.168.0.1/16']);
  assert.deepEqual(plan(present, { address: '192.0.2.2' }), ['192.0.2.2/28', ...present.slice(1)]);
  assert.deepEqual(plan(present, { netmask: '255.255.255.0' }), ['192.0.2.1/24', ...present.slice(1)]);
  assert.deepEqual(plan(present, { address: '198.51.100.1' }), ['198.51.100.1/28', '2001:db8::1/64']);
  assert.deepEqual(plan(present, { addresses: prefixes('203.0.113.1/24', '2001:db8::2/64') }), [
    ...present,
    '203.0.113.1/24',
    '2001:db8::2/64',
  ]);
  assert.deepEqual(plan(present, { addresses: prefixes('192.0.2.1/25') }), ['192.0.2.1/25', ...present.slice(1)]);
  assert.deepEqual(plan(['2001:db8::1/64'], { addresses: [{ address: '2001:DB8:0::1', prefixLength: 48 }] }), [
    '2001:db8::1/48',
  ]);
  assert.deepEqual(
    plan(present, { withoutAddresses: prefixes('192.0.2.1/28', '10.0.0.1/8'), addresses: prefixes('203.0.113.1/24') }),
    ['198.51.100.1/24', '2001:db8::1/64', '203.0.113.1/24'],
    'what is not there needs not be taken away',
  );
  refused('ADDRESS_INVALID', /"tap0" has no IPv4 address/, () => plan([], { netmask: '255.0.0.0' }));
  refused('ADDRESS_INVALID', /not contiguous/, () => plan(present, { netmask: '255.0.255.0' }));
  refused('ADDRESS_INVALID', /has no netmask/, () => plan(present, { address: '2001:db8::2' }));
});

test('setif as in 1.x: address, netmask, MTU', { skip }, async (t) => {
  const device = await openInterface(t, 'classic');
  device.configure({ address: '192.0.2.1', netmask: '255.255.255.240', mtu: 1400 });
  assert.deepEqual(addressesOf(device), ['192.0.2.1/28']);
  assert.equal(device.read().mtu, 1400);
  const shown = execFileSync('ip', ['address', 'show', 'classic'], { encoding: 'utf8' });
  assert.match(shown, /inet 192\.0\.2\.1\/28 brd 192\.0\.2\.15 /);

  device.configure({ address: '192.0.2.17' });
  assert.deepEqual(addressesOf(device), ['192.0.2.17/28']);
  device.configure({ netmask: '255.255.255.0' });
  assert.deepEqual(addressesOf(device), ['192.0.2.17/24']);
  device.configure({});
  assert.deepEqual(addressesOf(device), ['192.0.2.17/24']);
});

test('a new primary address leaves the others, and comes first', { skip }, async (t) => {
  const device = await openInterface(t, 'order', '192.0.2.1/24', '192.0.2.9/24', '198.51.100.1/24');
  device.configure({ address: '203.0.113.1' });
  const [primary, ...others] = addressesOf(device);
  assert.equal(primary, '203.0.113.1/24');
  assert.deepEqual(others.sort(), ['192.0.2.9/24', '198.51.100.1/24']);
});

test('addresses of both families are added, or their prefix length changed', { skip }, async (t) => {
  const device = await openInterface(t, 'added');
  device.configure({ addresses: prefixes('192.0.2.1/24', '2001:db8::1/64') });
  device.configure({ addresses: prefixes('192.0.2.1/24', '198.51.100.1/32', '2001:db8::2/128') });
  assert.deepEqual(addressesOf(device).sort(), [
    '192.0.2.1/24',
    '198.51.100.1/32',
    '2001:db8::1/64',
    '2001:db8::2/128',
  ]);
  device.configure({ addresses: prefixes('192.0.2.1/25', '2001:db8::1/48') });
  assert.deepEqual(addressesOf(device).sort(), [
    '192.0.2.1/25',
    '198.51.100.1/32',
    '2001:db8::1/48',
    '2001:db8::2/128',
  ]);
});

test('what is wrong is refused before anything is changed', { skip }, async (t) => {
  const device = await openInterface(t, 'wrong', '192.0.2.1/24', '2001:db8::1/64');
  const before = device.read();
  for (const [code, message, change] of [
    ['ARGUMENT_INVALID', /MTU 575 is outside 576\.\.65535/, { mtu: 575 }],
    ['ARGUMENT_INVALID', /MTU 65536 is outside/, { mtu: 65_536 }],
    ['ARGUMENT_INVALID', /MTU 1500\.5 is outside/, { mtu: 1500.5 }],
    ['ADDRESS_INVALID', /not contiguous/, { mtu: 1400, netmask: '255.0.255.0' }],
    ['ADDRESS_INVALID', /multicast/, { mtu: 1400, address: '224.0.0.1' }],
    ['ADDRESS_INVALID', /33 is outside/, { mtu: 1400, addresses: [{ address: '10.0.0.1', prefixLength: 33 }] }],
    ['ADDRESS_INVALID', /needs an MTU of 1280/, { mtu: 1000, addresses: prefixes('2001:db8::2/64') }],
  ] as const) {
    refused(code, message, () => device.configure(change));
    assert.deepEqual(device.read(), before);
  }
});

test('what the kernel refuses is taken back', { skip }, async (t) => {
  const device = await openInterface(t, 'undone', '192.0.2.1/24', '192.0.2.9/24', '2001:db8::1/64');
  const before = device.read();
  const isSame = (): void => {
    const { addresses, mtu } = device.read();
    assert.equal(mtu, before.mtu);
    assert.deepEqual(addresses.slice(0, 2), before.addresses.slice(0, 2));
    assert.deepEqual(addresses.map(formatPrefix).sort(), before.addresses.map(formatPrefix).sort());
  };
  // The kernel refuses ::1 on other devices than lo; it is the last step of the change.
  const impossible = [{ address: '::1', prefixLength: 128 }];
  refused('ADDRESS_INVALID', /"undone" does not take ::1\/128/, () =>
    device.configure({ mtu: 2000, address: '198.51.100.1', addresses: impossible }),
  );
  isSame();
  refused('ARGUMENT_INVALID', /"undone" does not take an MTU of 65535/, () => device.configure({ mtu: 65_535 }));
  isSame();
});

test('a small MTU takes IPv6 away, as the kernel has it, and is no failure', { skip }, async (t) => {
  const device = await openInterface(t, 'small', '192.0.2.1/24', '2001:db8::1/64');
  device.configure({ mtu: 576 });
  assert.deepEqual(device.read(), { mtu: 576, addresses: [{ address: '192.0.2.1', prefixLength: 24 }] });
  device.configure({ mtu: 1500, addresses: prefixes('2001:db8::1/64') });
  assert.deepEqual(addressesOf(device), ['192.0.2.1/24', '2001:db8::1/64']);
});

test('IPv6 that is switched off is named as the reason', { skip }, async (t) => {
  const device = await openInterface(t, 'noipv6');
  writeFileSync('/proc/sys/net/ipv6/conf/noipv6/disable_ipv6', '1');
  refused('ADDRESS_INVALID', /does not take 2001:db8::1\/64/, () =>
    device.configure({ addresses: prefixes('2001:db8::1/64') }),
  );
});

test('a device that is gone says so', { skip }, async (t) => {
  const device = await openInterface(t, 'gone');
  execFileSync('ip', ['link', 'delete', 'gone']);
  refused('DEVICE_NOT_FOUND', /"gone" is gone/, () => device.read());
  refused('DEVICE_NOT_FOUND', /"gone" is gone/, () => device.configure({ mtu: 1400 }));
});
