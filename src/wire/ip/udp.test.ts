import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ETHER_TYPE_IPV4, ETHER_TYPE_IPV6 } from '../ethernet/transport-header.ts';
import { udpAt } from './udp.ts';

const ADDRESSES = '020000000001020000000002';
const IPV6 = `86dd6000000000081140${'00'.repeat(32)}0043004400080000`;

/** IPv4 with a UDP header. @param options in hexadecimal; a multiple of four octets */
function ipv4({ options = '', fragment = '0000', protocol = '11', headerWords = 0 } = {}): string {
  const words = headerWords || 5 + options.length / 8;
  return `08004${words.toString(16)}00001c0000${fragment}40${protocol}0000c0000201c0000202${options}0043004400080000`;
}

/** The offset of the header in a frame that stands behind two octets of another one. */
function at(hex: string, etherType: typeof ETHER_TYPE_IPV4 | typeof ETHER_TYPE_IPV6, cut = 0): number {
  const bytes = Buffer.from(`ffff${ADDRESSES}${hex}`, 'hex');
  return udpAt(bytes, 2, bytes.length - 2 - cut, etherType);
}

test('the header of UDP is found behind tags and options of IPv4', () => {
  assert.equal(at(ipv4(), ETHER_TYPE_IPV4), 2 + 14 + 20);
  assert.equal(at(`81000007${ipv4({ options: '01010101' })}`, ETHER_TYPE_IPV4), 2 + 18 + 24);
  assert.equal(at(IPV6, ETHER_TYPE_IPV6), 2 + 14 + 40);
  assert.equal(at(`88a8000781000007${IPV6}`, ETHER_TYPE_IPV6), 2 + 22 + 40);
});

test('other frames, later fragments and truncated ones have none', () => {
  assert.equal(at(IPV6, ETHER_TYPE_IPV4), 0);
  assert.equal(at(ipv4(), ETHER_TYPE_IPV6), 0);
  assert.equal(at(ipv4({ protocol: '06' }), ETHER_TYPE_IPV4), 0);
  assert.equal(at(ipv4({ fragment: '2001' }), ETHER_TYPE_IPV4), 0);
  assert.equal(at(ipv4({ fragment: '2000' }), ETHER_TYPE_IPV4), 36, 'the first fragment');
  assert.equal(at(ipv4({ headerWords: 4 }), ETHER_TYPE_IPV4), 0);
  for (let cut = 1; cut <= 42; cut++) assert.equal(at(ipv4(), ETHER_TYPE_IPV4, Math.min(cut, 28)), 0, `cut by ${cut}`);
  for (let cut = 1; cut <= 48; cut++) assert.equal(at(IPV6, ETHER_TYPE_IPV6, cut), 0, `cut by ${cut}`);
});
