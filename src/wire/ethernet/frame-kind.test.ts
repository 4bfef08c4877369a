import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FrameKind, innerEtherType, kindOf } from './frame-kind.ts';

const LEAD = 5;
const ADDRESSES = '020000000002020000000001';
const IPV4_ADDRESSES = 'c0000201 ffffffff';
const IPV6_ADDRESSES = `${'fe80'.padEnd(32, '0')}${'ff02'.padEnd(32, '0')}`;

function ipv4(protocol: string, payload: string, { first = '45', fragment = '0000', options = '' } = {}): string {
  return `0800 ${first}000030 0001${fragment} 40${protocol}0000 ${IPV4_ADDRESSES} ${options} ${payload}`;
}

function ipv6(next: string, payload: string): string {
  return `86dd 60000000 0010${next}ff ${IPV6_ADDRESSES} ${payload}`;
}

/** One extension header of so many units of 8 octets more than one. */
function extension(next: string, units = 0): string {
  return `${next}${units.toString(16).padStart(2, '0')}000000000000${'00'.repeat(8 * units)}`;
}

const UDP_FROM_DHCP = '0043 0044';
const UDP_FROM_DHCPV6 = '0223 0222';
const ADVERTISEMENT = '86';
const EIGHT = ['3c', '3c', '3c', '3c', '3c', '3c', '3c'].map((next) => extension(next)).join('');

/** What a frame is, and how many octets of it tell. */
const CASES: readonly (readonly [string, string, FrameKind, number])[] = [
  ['an unknown type', '88b5', 'other', 14],
  ['a length', '002e', 'other', 14],
  ['a DHCP server', ipv4('11', UDP_FROM_DHCP), 'dhcpServer', 14 + 20 + 2],
  ['one in a C-TAG', `8100 0005 ${ipv4('11', UDP_FROM_DHCP)}`, 'dhcpServer', 18 + 20 + 2],
  ['one in two tags', `88a8 0005 8100 0006 ${ipv4('11', UDP_FROM_DHCP)}`, 'dhcpServer', 22 + 20 + 2],
  ['one behind options', ipv4('11', UDP_FROM_DHCP, { first: '46', options: '01010101' }), 'dhcpServer', 14 + 24 + 2],
  ['one in a first fragment', ipv4('11', UDP_FROM_DHCP, { fragment: '2000' }), 'dhcpServer', 14 + 20 + 2],
  ['a later fragment', ipv4('11', UDP_FROM_DHCP, { fragment: '0001' }), 'other', 14 + 20],
  ['another UDP port', ipv4('11', '0044 0043'), 'other', 14 + 20 + 2],
  ['a port that differs in its high octet', ipv4('11', '0143'), 'other', 14 + 20 + 2],
  ['TCP', ipv4('06', UDP_FROM_DHCP), 'other', 14 + 20],
  ['the port of DHCPv6 over IPv4', ipv4('11', UDP_FROM_DHCPV6), 'other', 14 + 20 + 2],
  ['a DHCPv6 server', ipv6('11', UDP_FROM_DHCPV6), 'dhcpServer', 14 + 40 + 2],
  ['a router advertisement', ipv6('3a', ADVERTISEMENT), 'routerAdvertisement', 14 + 40 + 1],
  ['another ICMPv6', ipv6('3a', '80'), 'other', 14 + 40 + 1],
  ['TCP over IPv6', ipv6('06', ADVERTISEMENT), 'other', 14 + 40],
  ...(['00', '2b', '3c', '87', '8b', '8c'] as const).map(
    (type) =>
      [
        `one behind extension header 0x${type}`,
        ipv6(type, extension('3a', 1) + ADVERTISEMENT),
        'routerAdvertisement',
        14 + 40 + 16 + 1,
      ] as const,
  ),
  [
    'one behind authentication',
    ipv6('33', `3a01 0000 00000000 00000000 ${ADVERTISEMENT}`),
    'routerAdvertisement',
    14 + 40 + 12 + 1,
  ],
  [
    'one in a first fragment',
    ipv6('2c', `3aff 0001 00000001 ${ADVERTISEMENT}`),
    'routerAdvertisement',
    14 + 40 + 8 + 1,
  ],
  ['a later fragment of IPv6', ipv6('2c', `3a00 0008 00000001 ${ADVERTISEMENT}`), 'other', 14 + 40 + 8],
  [
    'one behind eight extension headers',
    ipv6('3c', `${EIGHT}${extension('3a')}${ADVERTISEMENT}`),
    'routerAdvertisement',
    14 + 40 + 64 + 1,
  ],
];

function slabOf(hex: string): { slab: Buffer; length: number } {
  const frame = Buffer.from((ADDRESSES + hex).replaceAll(' ', ''), 'hex');
  return { slab: Buffer.concat([Buffer.alloc(LEAD, 0xee), frame]), length: frame.length };
}

for (const [name, hex, kind, least] of CASES) {
  test(`${name}: ${kind}, known from ${least} octets on`, () => {
    const { slab, length: whole } = slabOf(hex);
    for (let length = 0; length <= whole; length++) {
      // What lies behind the frame in the slab is no part of it.
      assert.equal(kindOf(slab, LEAD, length), length < least ? 'unreadable' : kind, `${length} octets`);
    }
  });
}

test('what cannot be told from any header is unreadable', () => {
  const unreadable: [string, string][] = [
    ['three tags', `8100 0001 8100 0001 8100 0001 ${ipv6('3a', ADVERTISEMENT)}`],
    ['an IPv4 header that is shorter than itself', ipv4('11', UDP_FROM_DHCP, { first: '44' })],
    ['nine extension headers', ipv6('3c', `${EIGHT}${extension('3c')}${extension('3a')}${ADVERTISEMENT}`)],
  ];
  for (const [name, hex] of unreadable) {
    const { slab, length } = slabOf(hex);
    assert.equal(kindOf(slab, LEAD, length), 'unreadable', name);
  }
});

test('the EtherType stands behind at most two tags; a frame that ends in them has none', () => {
  for (const [hex, lengths] of [
    ['0806', [[14, 0x0806]]],
    ['002e', [[14, 0x2e]]],
    [
      '8100 0005 0806',
      [
        [17, -1],
        [18, 0x0806],
      ],
    ],
    [
      '88a8 0005 8100 0006 0806',
      [
        [18, -1],
        [21, -1],
        [22, 0x0806],
      ],
    ],
    ['8100 0001 8100 0001 8100 0001 0806', [[26, 0x8100]]],
  ] as const) {
    const { slab } = slabOf(hex);
    for (const [length, type] of lengths) assert.equal(innerEtherType(slab, LEAD, length), type, `${hex}, ${length}`);
  }
});
