import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advertisement,
  arpFrame,
  ipv6Frame,
  ipv6Hex,
  solicitation,
  udpFrame,
} from '../../../test/support/ip-frames.ts';
import { type ClaimedSource, readClaimedSource } from './claimed-source.ts';

const [ADA, BOB, ALL] = ['020000000001', '020000000002', 'ffffffffffff'];
const mac = (hex: string): number => Number.parseInt(hex, 16);
const octets = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
const NO_OPTION = '';

/** Reads a frame that stands between other octets; behind its first `length` ones it goes on as if it were complete. */
function claimOf(frame: string, length = frame.length / 2): ClaimedSource | 'unreadable' | undefined {
  const around = Buffer.alloc(64, 0x5a);
  return readClaimedSource(Buffer.concat([around, Buffer.from(frame, 'hex'), around]), around.length, length);
}

function readable(frame: string): ClaimedSource {
  const claim = claimOf(frame);
  assert.ok(claim !== undefined && claim !== 'unreadable', frame);
  return claim;
}

/** How many octets must be there before the frame can be judged. */
function leastOctets(frame: string): number {
  let length = 14;
  while (claimOf(frame, length) === 'unreadable') length++;
  return length;
}

const udp = (ports: readonly [number, number], payload = '00'.repeat(8)): string =>
  udpFrame(ALL, ADA, '192.0.2.10', '192.0.2.1', ports, payload);
/** With these octets of the IPv4 header, from its start on, in place of the former ones. */
const patched = (frame: string, at: number, hex: string): string =>
  frame.slice(0, 2 * (14 + at)) + hex + frame.slice(2 * (14 + at) + hex.length);
const icmp = (type: number, rest: string, source = 'fe80::a'): string =>
  ipv6Frame('333300000001', ADA, source, 58, `${type.toString(16)}000000${rest}`);
const linkLayer = (type: number, address: string): string => `0${type}01${address}`;

test('IPv4: the source address, as soon as its header is complete', () => {
  const frame = udp([5000, 5001]);
  assert.deepEqual(claimOf(frame), { by: 'ipv4', address: '\xc0\0\x02\x0a', mac: undefined, isBeginner: false });
  assert.equal(leastOctets(frame), 14 + 20);
});

test('IPv4: a client of DHCP may have no address: UDP from port 68 to 67 (RFC 2131, 4.1), and nothing else', () => {
  const isBeginner = (frame: string): boolean => readable(frame).isBeginner;
  assert.equal(isBeginner(udp([68, 67])), true);
  assert.equal(isBeginner(patched(udp([68, 67]), 6, '4000')), true, 'it may forbid fragments');
  for (const ports of [
    [67, 67],
    [68, 68],
    [5000, 67],
    [68, 5000],
  ] as const)
    assert.equal(isBeginner(udp(ports)), false);
  assert.equal(isBeginner(patched(udp([68, 67]), 9, '06')), false, 'TCP');
  assert.equal(isBeginner(patched(udp([68, 67]), 6, '0001')), false, 'a later fragment has no ports');
  const withOptions = patched(udp([5000, 5001], `00440043${'00'.repeat(8)}`), 0, '47');
  assert.equal(isBeginner(withOptions), true, 'behind the options of a header of 28 octets');
  const cut = (length: number): unknown => (claimOf(udp([68, 67]), length) as ClaimedSource).isBeginner;
  assert.deepEqual([cut(34 + 3), cut(34 + 4)], [false, true], 'the ports are there');
});

test('ARP for IPv4 on Ethernet (RFC 826): the sender’s addresses, as soon as the packet is complete', () => {
  const frame = arpFrame(ADA, '192.0.2.10', '192.0.2.1', BOB);
  assert.deepEqual(claimOf(frame), { by: 'arp', address: '\xc0\0\x02\x0a', mac: mac(BOB), isBeginner: true });
  assert.equal(leastOctets(frame), 14 + 28);
  for (const [at, hex] of [
    [0, '0006'],
    [2, '86dd'],
    [4, '08'],
    [5, '10'],
  ] as const) {
    assert.equal(claimOf(patched(frame, at, hex)), 'unreadable', `${hex} at ${at}`);
  }
});

test('IPv6: the source address, as soon as its header is complete', () => {
  const frame = ipv6Frame(ALL, ADA, '2001:db8::a', 17, '8700870000080000');
  const address = octets(ipv6Hex('2001:db8::a'));
  assert.deepEqual(claimOf(frame), { by: 'ipv6', address, mac: undefined, isBeginner: false });
  assert.equal(leastOctets(frame), 14 + 40);
  assert.equal(readable(`${frame}${'00'.repeat(30)}`).by, 'ipv6', 'UDP is not ICMPv6, whatever its port');
});

test('IPv6: extension headers must be there in whole, and a later fragment claims its source only', () => {
  const options = ipv6Frame(ALL, ADA, 'fe80::a', 60, '1100010400000000');
  assert.equal(leastOctets(options), 14 + 40 + 8);
  const later = ipv6Frame(ALL, ADA, 'fe80::a', 44, `3a00000800000001${'88'.repeat(40)}`);
  assert.deepEqual(claimOf(later), {
    by: 'ipv6',
    address: octets(ipv6Hex('fe80::a')),
    mac: undefined,
    isBeginner: false,
  });
});

test('ICMPv6 may come from no address, as MLD; of it RFC 4861 has the types 133 to 137', () => {
  const by = [132, 133, 134, 135, 136, 137, 138, 143].map((type) => {
    const { by: kind, isBeginner } = readable(icmp(type, '00'.repeat(60)));
    assert.equal(isBeginner, true);
    return kind;
  });
  assert.deepEqual(by, ['ipv6', 'nd', 'nd', 'nd', 'nd', 'nd', 'ipv6', 'ipv6']);
  assert.equal(leastOctets(icmp(143, '')), 14 + 40 + 4);
});

test('neighbour discovery: advertisements claim their target, solicitations their source, or the target that they probe', () => {
  const [source, target] = [octets(ipv6Hex('fe80::a')), octets(ipv6Hex('fe80::b'))];
  const none = '\0'.repeat(16);
  assert.equal(readable(solicitation(ADA, 'fe80::a', 'fe80::b')).address, source);
  assert.equal(readable(solicitation(ADA, '::', 'fe80::b', NO_OPTION)).address, target, 'duplicate address detection');
  assert.equal(readable(icmp(136, `00000000${ipv6Hex('fe80::b')}`)).address, target);
  for (const type of [133, 134, 137]) {
    assert.equal(readable(icmp(type, `00000000${ipv6Hex('fe80::b')}`)).address, source, `type ${type}`);
  }
  assert.equal(readable(icmp(133, `00000000${ipv6Hex('fe80::b')}`, '::')).address, none);
  assert.equal(leastOctets(solicitation(ADA, 'fe80::a', 'fe80::b', NO_OPTION)), 14 + 40 + 24);
  assert.equal(leastOctets(advertisement(ADA, 'fe80::b')), 14 + 40 + 24);
  assert.equal(leastOctets(icmp(133, '00000000')), 14 + 40 + 4, 'a router solicitation has no target');
});

test('neighbour discovery: the link-layer address of the option that names the sender (RFC 4861, 4.6.1)', () => {
  const fields = (octetsOfThem: number): string => '00'.repeat(octetsOfThem - 4);
  const macOf = (frame: string): number | undefined => readable(frame).mac;
  for (const [type, size, option] of [
    [133, 8, 1],
    [134, 16, 1],
    [135, 24, 1],
    [136, 24, 2],
  ] as const) {
    const other = linkLayer(3 - option, BOB);
    assert.equal(macOf(icmp(type, fields(size) + other + linkLayer(option, ADA))), mac(ADA), `type ${type}`);
    assert.equal(macOf(icmp(type, fields(size) + other)), undefined, `type ${type}`);
  }
  // In a redirect both options may be of another station.
  for (const size of [24, 40]) {
    assert.equal(macOf(icmp(137, fields(size) + linkLayer(1, ADA) + linkLayer(2, ADA))), undefined);
  }
  const prefix = `0304${'40'.repeat(30)}`;
  assert.equal(macOf(icmp(134, fields(16) + prefix + linkLayer(1, ADA))), mac(ADA), 'behind an option of 32 octets');
  assert.equal(macOf(icmp(134, `${fields(16)}0500${'00'.repeat(6)}${linkLayer(1, ADA)}`)), undefined, 'of no length');
  const frame = icmp(133, fields(8) + linkLayer(1, ADA));
  const cut = (missing: number): unknown => (claimOf(frame, frame.length / 2 - missing) as ClaimedSource).mac;
  assert.deepEqual([cut(1), cut(0)], [undefined, mac(ADA)]);
});
