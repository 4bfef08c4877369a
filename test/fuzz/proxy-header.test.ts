import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from '../../src/net/proxy-protocol.ts';
import { binaryHeader, INET_BODY, inet6Body } from '../support/proxy-headers.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const CASES = fuzzCases(100_000);
const GROUPS = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9];
const ORIGINS = [
  Buffer.from('PROXY TCP4 192.0.2.9 10.0.0.1 56324 443\r\n'),
  Buffer.from('PROXY TCP6 2001:db8::9 ::ffff:10.0.0.1 56324 443\r\n'),
  Buffer.from('PROXY UNKNOWN ffff::1 ::1 1 2\r\n'),
  Buffer.from('POST / HTTP/1.1\r\nHost: a\r\n\r\n'),
  binaryHeader(),
  binaryHeader({ body: Buffer.concat([INET_BODY, Buffer.alloc(100)]) }),
  binaryHeader({ family: 0x21, body: inet6Body(GROUPS, GROUPS, [1, 2]) }),
  binaryHeader({ command: 0x20, family: 0, body: Buffer.alloc(0) }),
];

test(`${CASES} mutated headers: no exception, a bound on what is waited for, and a verdict that stays`, () => {
  const random = new Random(fuzzSeed());
  for (let run = 0; run < CASES; run++) {
    const bytes = mutated(random, ORIGINS[run % ORIGINS.length] as Buffer);
    const verdict = readProxyHeader(bytes);
    if (verdict.kind === 'incomplete') {
      assert.ok(bytes.length < MAX_PROXY_HEADER_BYTES, `run ${run}: ${bytes.length} octets were not enough`);
      continue;
    }
    if (verdict.kind === 'present') {
      const { length, source } = verdict;
      assert.ok(length > 0 && length <= Math.min(bytes.length, MAX_PROXY_HEADER_BYTES), `run ${run}`);
      if (source !== undefined) {
        assert.notEqual(isIP(source.address), 0, `run ${run}: ${source.address}`);
        assert.ok(source.tcpPort >= 0 && source.tcpPort <= 0xffff, `run ${run}`);
      }
    }
    // What arrives later, or arrived in other pieces, changes nothing.
    assert.deepEqual(readProxyHeader(Buffer.concat([bytes, random.bytes(random.below(30))])), verdict, `run ${run}`);
    const { kind } = readProxyHeader(bytes.subarray(0, random.below(bytes.length + 1)));
    assert.ok(kind === 'incomplete' || kind === verdict.kind, `run ${run}: ${kind}, then ${verdict.kind}`);
  }
});

function mutated(random: Random, origin: Buffer): Buffer {
  const bytes = Buffer.from(origin);
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(bytes.length);
    bytes[at] = random.once(2) ? random.next() : random.pick([0x0a, 0x0d, 0x20, 0x30, 0x3a, 0xff]);
  }
  if (random.once(4)) return bytes.subarray(0, random.below(bytes.length + 1));
  if (random.once(4)) return Buffer.concat([bytes, random.bytes(random.below(3000))]);
  return bytes;
}
