import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilter } from './filter.ts';
import { FilterError } from './filter-error.ts';

/** A TCP segment over IPv4 from 192.0.2.1:40000 to 198.51.100.2:443, 54 octets long. */
const FRAME = Buffer.from(
  '0200000000020200000000010800' +
    '450000280001000040060000' +
    'c0000201c6336402' +
    '9c4001bb00000001000000005010ffff00000000',
  'hex',
);

function matches(filter: string, frame: Buffer = FRAME): boolean {
  return compileFilter(filter)(frame, 0, frame.length);
}

test('a filter is compiled once, and reads frames where they lie in a slab', () => {
  const isMatch = compileFilter('tcp dst port 443');
  const slab = Buffer.concat([Buffer.alloc(7), FRAME, FRAME]);
  assert.deepEqual(
    [isMatch(slab, 7, FRAME.length), isMatch(slab, 7 + FRAME.length, FRAME.length), isMatch(slab, 6, FRAME.length)],
    [true, true, false],
  );
  assert.ok(matches(''), 'an empty filter matches all frames');
});

test('a frame that ends in front of a field that is compared does not match, nor does its negation', () => {
  const cut = FRAME.subarray(0, 30);
  assert.deepEqual([matches('dst port 443', cut), matches('not dst port 443', cut)], [false, false]);
  assert.deepEqual([matches('ip or dst port 443', cut), matches('arp and dst port 443', cut)], [true, false]);
});

for (const [filter, complaint] of [
  ['hots 192.0.2.1', 'column 1: "hots" begins no test; did you mean host?'],
  ['constructor', 'column 1: "constructor" begins no test'],
  ['tcp port', 'column 9: the filter ends where a value must follow'],
  ['tcp port 65536', 'column 10: a port must be a number up to 65535, got "65536"'],
  ['port http', 'column 6: a port must be a number up to 65535, got "http"'],
  ['host', 'column 5: the filter ends where a value must follow'],
  ['host www.example', 'column 6: "www.example" is no IP address; names are not looked up'],
  ['host 192.0.2', 'column 6: "192.0.2" is no whole address; "net" takes it'],
  ['host 192.0.2.1/24', 'column 6: "192.0.2.1/24" is a network; write "net 192.0.2.1/24"'],
  ['net 192.0.2.1/24', 'column 5: "192.0.2.1/24" has bits behind its mask; is it a host?'],
  ['net 2001:db8::1/64', 'column 5: "2001:db8::1/64" has bits behind its mask; is it a host?'],
  ['net 10/33', 'column 5: the length of a network must be a number up to 32, got "33"'],
  ['host 02:00:00:00:00:01', 'column 6: "02:00:00:00:00:01" is a MAC address; write "ether host 02:00:00:00:00:01"'],
  ['ether host 192.0.2.1', 'column 12: a MAC address is as 02:00:00:00:00:01, got "192.0.2.1"'],
  ['ether proto 0x42', 'column 13: an EtherType is at least 0x600, got "0x42"'],
  ['ether', 'column 1: behind "ether" comes host, src, dst or proto'],
  ['arp port 80', 'column 1: "arp" and "port" do not go together'],
  ['tcp and (udp host 10.0.0.1)', 'column 10: "udp" and "host" do not go together'],
  ['ip6 host 192.0.2.1', 'column 1: "ip6" and "host" do not go together'],
  ['vlan 4096', 'column 6: a VLAN must be a number up to 4095, got "4096"'],
  ['tcp and', 'column 8: the filter ends where a test must follow'],
  ['tcp udp', 'column 5: expected "and" or "or", got "udp"'],
  ['(tcp', 'column 1: there is no ")" to this "("'],
  ['tcp)', 'column 4: expected "and" or "or", got ")"'],
  ['(tcp udp)', 'column 6: expected "and", "or" or ")", got "udp"'],
  ['tcp[13] = 2', 'column 4: octets by their offset, such as tcp[13], cannot be compared here'],
  ['tcp & udp', 'column 5: "&" is no operator; write "&&"'],
  ['tcp; ls', 'column 4: ";" has no meaning'],
  ['len 60', 'column 5: expected one of > < >= <= = !=, got "60"'],
  ['src port 80 or and', 'column 16: "and" begins no test'],
  ['port (80 or tcp)', 'column 13: expected a value for "port", got "tcp"'],
  ['port 80 and tcp or 443', 'column 20: "443" begins no test'],
  ['portrange 1-2-3', 'column 11: ports must be as FIRST-LAST, got "1-2-3"'],
  ['net 10.0.0.0/8 mask 255.0.0.0', 'column 21: a network has a length or a mask'],
  [`${'('.repeat(101)}tcp${')'.repeat(101)}`, 'column 101: it is nested too deeply'],
] as const) {
  test(`${filter.length > 40 ? 'deep parentheses' : filter}: ${complaint}`, () => {
    assert.throws(
      () => compileFilter(filter),
      (error) => {
        assert.ok(error instanceof FilterError, String(error));
        assert.ok(error.message.startsWith(complaint), error.message);
        return true;
      },
    );
  });
}
