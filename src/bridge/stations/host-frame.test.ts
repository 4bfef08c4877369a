import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advertisement,
  arpFrame,
  dhcpReply,
  dhcpRequest,
  ipv6Frame,
  udpFrame,
} from '../../../test/support/ip-frames.ts';
import { ADA, BOB } from '../../../test/support/memory-lan.ts';
import { hostFrameOf } from './host-frame.ts';

/** What a frame is that begins somewhere within a batch. */
function kindOf(frame: string): string | undefined {
  const octets = Buffer.concat([Buffer.alloc(5, 0xff), Buffer.from(frame, 'hex')]);
  return hostFrameOf(octets, 5);
}

const tagged = (frame: string, ...tags: string[]): string => `${frame.slice(0, 24)}${tags.join('')}${frame.slice(24)}`;
const udp = (ports: readonly [number, number]): string => udpFrame(BOB, ADA, '192.0.2.1', '192.0.2.2', ports);
const icmpv6 = (kind: number): string => ipv6Frame(BOB, ADA, 'fe80::1', 58, `${kind.toString(16)}00`.padEnd(48, '0'));

test('ARP and neighbour discovery are claims, DHCP by either port is DHCP, behind up to two tags', () => {
  for (const [kind, frame] of [
    ['claim', arpFrame(ADA, '192.0.2.1', '192.0.2.2')],
    ['claim', advertisement(ADA, 'fe80::1')],
    ['dhcp', dhcpRequest({ client: ADA })],
    ['dhcp', dhcpReply(BOB, { client: ADA })],
  ] as const) {
    for (const tags of [[], ['81000005'], ['88a80005', '81000006']]) assert.equal(kindOf(tagged(frame, ...tags)), kind);
    assert.equal(kindOf(tagged(frame, '88a80005', '81000006', '81000007')), undefined, 'behind three tags');
  }
});

test('of ICMPv6 the messages of routers and neighbours are claims, if no router has passed them on', () => {
  const kinds = Array.from({ length: 256 }, (_, kind) => kind).filter((kind) => kindOf(icmpv6(kind)) === 'claim');
  assert.deepEqual(kinds, [133, 134, 135, 136]);
  assert.equal(kindOf(icmpv6(135).replace('3aff', '3afe')), undefined, 'the hop limit is lower');
  assert.equal(kindOf(ipv6Frame(BOB, ADA, 'fe80::1', 17, '87'.padEnd(48, '0'))), undefined, 'UDP');
});

test('data is neither, whatever ports it has', () => {
  assert.equal(kindOf(udp([4000, 53])), undefined);
  assert.equal(kindOf(udp([66, 69])), undefined);
  assert.equal(kindOf(udp([67, 68])), 'dhcp');
  assert.equal(kindOf(udp([67, 68]).replace('004011', '004006')), undefined, 'TCP');
  assert.equal(kindOf(udp([67, 68]).replace('08004500', '08004600')), undefined, 'IPv4 options');
  assert.equal(kindOf(`${BOB}${ADA}88b5${'00'.repeat(46)}`), undefined);
});
