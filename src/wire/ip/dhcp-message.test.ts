import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dhcpPayload, dhcpReply, dhcpRequest, udpFrame } from '../../../test/support/ip-frames.ts';
import { type DhcpMessage, readDhcpMessage } from './dhcp-message.ts';

const [ADA, SERVER] = ['020000000001', '0200000000fe'];
const FIXED_END = 14 + 20 + 8 + 240;

/** Reads a frame that stands between other octets, of which the ones behind `length` do not belong to it. */
function read(frame: string, length = frame.length / 2): DhcpMessage | undefined {
  const bytes = Buffer.concat([Buffer.alloc(32, 0x35), Buffer.from(frame, 'hex')]).subarray(0, 32 + length);
  return readDhcpMessage(bytes, 32, length);
}

/** A client's message with these options. */
function withOptions(options: string, ports: readonly [number, number] = [68, 67]): string {
  const fixed = dhcpPayload(3, { client: ADA }).slice(0, 480);
  return udpFrame('ffffffffffff', ADA, '0.0.0.0', '255.255.255.255', ports, fixed + options);
}

test('a message is read as soon as its fixed fields and its type are there, cut anywhere else it is none', () => {
  const frame = withOptions('350103');
  for (let length = 14; length < FIXED_END + 3; length++) assert.equal(read(frame, length), undefined, String(length));
  assert.equal(read(frame)?.type, 3);
  assert.equal(read(withOptions('ff')), undefined, 'a message of BOOTP has no type');
});

test('clients and servers are known by ports and op, Ethernet by its address type and length', () => {
  const lease = {
    client: ADA,
    assigned: '192.0.2.10',
    current: '192.0.2.9',
    leaseSeconds: 600,
    transaction: 0x8765_4321,
  };
  assert.deepEqual(read(dhcpReply(SERVER, lease)), {
    ...{ type: 5, transaction: 0x8765_4321, client: 0x0200_0000_0001, isFromServer: true, hostName: undefined },
    ...{ assigned: 0xc000_020a, current: 0xc000_0209, leaseSeconds: 600 },
  });
  assert.equal(read(dhcpRequest({ client: ADA }))?.isFromServer, false);
  const payload = dhcpPayload(3, { client: ADA });
  const from = (ports: readonly [number, number], octets = payload): DhcpMessage | undefined =>
    read(udpFrame('ffffffffffff', ADA, '0.0.0.0', '255.255.255.255', ports, octets));
  assert.ok(from([68, 67]));
  for (const ports of [
    [67, 68],
    [68, 68],
    [5000, 67],
  ] as const)
    assert.equal(from(ports), undefined, String(ports));
  for (const start of ['02010600', '01060600', '01010800'])
    assert.equal(from([68, 67], start + payload.slice(8)), undefined);
  assert.equal(from([68, 67], payload.replace('63825363', '63825364')), undefined, 'no magic cookie');
  const frame = dhcpRequest({ client: ADA });
  assert.equal(read(`${frame.slice(0, 24)}88b5${frame.slice(28)}`), undefined, 'another EtherType');
});

test('options: padding is passed over, nothing counts behind the end, of equal ones the first does', () => {
  const options = (hex: string): [number, number | undefined] | undefined => {
    const found = read(withOptions(hex));
    return found && [found.type, found.leaseSeconds];
  };
  assert.deepEqual(options('0000350103330400000258ff'), [3, 600]);
  assert.deepEqual(options('350103ff00330400000258'), [3, undefined]);
  assert.deepEqual(options('350103350105330400000258330400000001ff'), [3, 600]);
  assert.deepEqual(options('640109 3604c0000201 350103 330400000258ff'.replaceAll(' ', '')), [3, 600]);
  assert.equal(options('35020303ff'), undefined, 'a type has one octet');
  assert.deepEqual(options('3501033302ffffff'), [3, undefined], 'a lease time has four');
  assert.deepEqual(options('35010333'), [3, undefined], 'the last option is cut behind its code');
  assert.deepEqual(options('3501033304000002'), [3, undefined], 'the last option is cut');
});

test('the name: option 12, or else that of option 81, in text or in the form of DNS (RFC 4702)', () => {
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const name = (options: string): string | undefined => read(withOptions(`${options}350103ff`))?.hostName;
  const option = (code: string, content: string): string =>
    `${code}${(content.length / 2).toString(16).padStart(2, '0')}${content}`;
  assert.equal(name(''), undefined);
  assert.equal(name(option('0c', hex('printer'))), 'printer');
  assert.equal(name(option('0c', hex('one')) + option('0c', hex('two'))), 'one');
  assert.equal(name(option('0c', '')), undefined);
  assert.equal(name(option('0c', hex('a'.repeat(80)))), 'a'.repeat(63));
  const full = option('51', `000000${hex('host.example')}`);
  assert.equal(name(full), 'host.example');
  assert.equal(name(full + option('0c', hex('printer'))), 'printer');
  assert.equal(name(full + option('51', `000000${hex('other')}`)), 'host.example');
  assert.equal(name(option('51', `04000004${hex('host')}07${hex('example')}00`)), 'host');
  assert.equal(name(option('51', `04000040${hex('cut')}`)), 'cut', 'a label that is longer than its option');
  for (const flags of ['00', '04']) assert.equal(name(option('51', `${flags}0000`)), undefined, 'no name');
});
