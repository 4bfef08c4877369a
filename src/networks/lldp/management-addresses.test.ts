import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge } from '../../bridge/bridge.ts';
import type { Described, DeviceDetails } from '../../bridge/port-details.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import { check } from '../../schema/check.ts';
import { NETWORK_LLDP_OPTIONS } from '../../schema/lldp-options.ts';
import { objectOf } from '../../schema/table.ts';
import { showManagementAddress } from '../../wire/lldp/shown.ts';
import { managementAddresses } from './management-addresses.ts';

/** A port of a device with these addresses; undefined: one that is gone. */
class DevicePort extends MemoryPort implements Described {
  readonly details: DeviceDetails;

  constructor(addresses: readonly string[] | undefined, netns?: string) {
    super();
    const read = () => {
      if (addresses === undefined) throw new Error('no such device');
      return { addresses: addresses.map((address) => ({ address, prefixLength: 24 })), mtu: 1500 };
    };
    this.details = { kind: 'device', netns, networkInterface: { read, configure: () => undefined } };
  }
}

function told(setting: string, ports: readonly MemoryPort[], control?: string): string[] {
  const bridge = new Bridge();
  for (const port of ports) bridge.attach(port);
  return managementAddresses(setting, bridge.ports.values(), control).map(
    (address) => `${showManagementAddress(address)} ${address.interfaceSubtype}:${address.interfaceNumber}`,
  );
}

test('auto: the first IPv4 and IPv6 address of the devices, with the port number; else the control service', () => {
  const guest = new DevicePort(['192.0.2.9'], '/run/netns/guest');
  const ports = [
    ...[new MemoryPort(), guest, new DevicePort(undefined)],
    ...[new DevicePort(['fe80::1', '169.254.1.1', '2001:db8::1']), new DevicePort(['192.0.2.1', '2001:db8::2'])],
  ];
  assert.deepEqual(told('auto', ports, '198.51.100.1'), ['192.0.2.1 3:5', '2001:db8::1 3:4']);
  assert.deepEqual(told('auto', [guest], '198.51.100.1'), ['198.51.100.1 1:0']);
  assert.deepEqual(told('auto', [], '2001:db8::9'), ['2001:db8::9 1:0']);
  for (const nowhere of [
    undefined,
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    '::ffff:127.0.0.1',
  ]) {
    assert.deepEqual(told('auto', [], nowhere), [], nowhere);
  }
});

test('none tells none, and a list exactly these', () => {
  const ports = [new DevicePort(['192.0.2.1'])];
  assert.deepEqual(told('none', ports, '198.51.100.1'), []);
  assert.deepEqual(told('203.0.113.7,2001:db8::5', ports), ['203.0.113.7 1:0', '2001:db8::5 1:0']);
});

test('the setting has canonical addresses, at most four, and says what is wrong', () => {
  const settings = objectOf(NETWORK_LLDP_OPTIONS);
  const value = (lldpManagement: string): unknown => check(settings, { lldpManagement });
  assert.deepEqual(value('192.0.2.1, 2001:DB8:0::1'), { lldpManagement: '192.0.2.1,2001:db8::1' });
  assert.throws(() => value('192.0.2.300'), /192\.0\.2\.300/);
  assert.throws(() => value('automatic'), /lldpManagement/);
  assert.throws(() => value('224.0.0.1'), /multicast/);
  assert.throws(() => value('192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5'), /more than 4 addresses/);
});
