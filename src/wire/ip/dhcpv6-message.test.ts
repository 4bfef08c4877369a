import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dhcpv6Reply, dhcpv6Request, ipv6Frame, ipv6Hex } from '../../../test/support/ip-frames.ts';
import { type Dhcpv6Message, MOST_ADDRESSES, readDhcpv6Message } from './dhcpv6-message.ts';

const [ADA, SERVER] = ['020000000001', '0200000000fe'];
const HEADERS = 14 + 40 + 8;

function read(frame: string, length = frame.length / 2): Dhcpv6Message | undefined {
  const bytes = Buffer.concat([Buffer.alloc(32, 0x35), Buffer.from(frame, 'hex')]).subarray(0, 32 + length);
  return readDhcpv6Message(bytes, 32, length);
}

const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, '0');
const option = (code: number, content: string): string => `${hex(code, 2)}${hex(content.length / 2, 2)}${content}`;
const address = (text: string, seconds = 600): string => option(5, `${ipv6Hex(text)}${hex(300, 4)}${hex(seconds, 4)}`);
const association = (inner: string): string => option(3, '00'.repeat(12) + inner);

/** A message of the type with these options, from a client. */
function message(type: number, options: string, ports: readonly [number, number] = [546, 547]): string {
  const payload = `${hex(type, 1)}000007${options}`;
  return ipv6Frame(
    '333300010002',
    ADA,
    'fe80::a',
    17,
    `${hex(ports[0], 2)}${hex(ports[1], 2)}${hex(8 + payload.length / 2, 2)}0000${payload}`,
  );
}

/** The valid lifetimes of the addresses that it has. */
const lifetimes = (frame: string): number[] | undefined =>
  read(frame)?.addresses.map(({ validSeconds }) => validSeconds);

test('the client is the source of a message to a server, and the destination of one from a server', () => {
  const fields = { client: ADA, transaction: 0x87_6543, addresses: [['2001:db8::10', 7200]] } as const;
  const addresses = [{ address: Buffer.from(ipv6Hex('2001:db8::10'), 'hex').toString('latin1'), validSeconds: 7200 }];
  const common = { transaction: 0x87_6543, client: 0x0200_0000_0001, addresses };
  assert.deepEqual(read(dhcpv6Reply(SERVER, fields)), { ...common, type: 7, isFromServer: true });
  assert.deepEqual(read(dhcpv6Request(fields, 'fe80::a')), { ...common, type: 3, isFromServer: false });
});

test('a message is read as soon as its header is there, and never behind the end of the packet', () => {
  const frame = message(1, '');
  for (let length = 14; length < HEADERS + 4; length++) assert.equal(read(frame, length), undefined, String(length));
  assert.deepEqual(lifetimes(frame), []);
  assert.deepEqual(lifetimes(frame + association(address('2001:db8::1'))), [], 'padding is no option');
  const short = `${frame.slice(0, 36)}000b${frame.slice(40)}`;
  assert.equal(read(short), undefined, 'the packet ends inside of the header');
});

test('other ports, other protocols and messages between relay agents are not read', () => {
  assert.equal(read(message(11, ''))?.type, 11);
  for (const type of [12, 13]) assert.equal(read(message(type, '')), undefined, `type ${type}`);
  assert.equal(read(message(1, '', [546, 548])), undefined);
  const frame = message(1, '');
  assert.equal(read(`${frame.slice(0, 40)}06${frame.slice(42)}`), undefined, 'TCP');
  assert.equal(read(`${frame.slice(0, 24)}88b5${frame.slice(28)}`), undefined, 'another EtherType');
});

test('only addresses in an association count, in whole, 16 of a message at most', () => {
  assert.deepEqual(lifetimes(message(3, association(address('2001:db8::1', 1) + address('2001:db8::2', 2)))), [1, 2]);
  assert.deepEqual(
    lifetimes(message(3, association(address('2001:db8::1', 1)) + association(address('2001:db8::2', 2)))),
    [1, 2],
  );
  assert.deepEqual(lifetimes(message(3, address('2001:db8::1'))), [], 'outside');
  assert.deepEqual(lifetimes(message(3, option(4, '00'.repeat(12) + address('2001:db8::1')))), [], 'a temporary one');
  assert.deepEqual(lifetimes(message(3, option(3, '00'.repeat(4)) + association(address('2001:db8::1', 1)))), [1]);
  assert.deepEqual(lifetimes(message(3, association(option(13, '00'.repeat(30)) + address('2001:db8::1', 1)))), [1]);
  assert.deepEqual(lifetimes(message(3, association(option(5, '00'.repeat(23)) + address('2001:db8::1', 1)))), [1]);
  const cut = association(address('2001:db8::1', 1)).slice(0, -2);
  assert.deepEqual(lifetimes(message(3, cut)), [], 'the option is cut');
  const many = Array.from({ length: MOST_ADDRESSES + 1 }, (_, at) => address('2001:db8::1', at)).join('');
  assert.deepEqual(lifetimes(message(3, association(many)))?.length, MOST_ADDRESSES);
});
