import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MacAddress } from '../ethernet/mac-address.ts';
import type { Vid } from '../ethernet/vid.ts';
import { decodeLeaseAnswer, encodeLeaseAnswer, type LeaseAnswer } from './lease-message.ts';
import { MAX_MESH_PAYLOAD_BYTES } from './mesh-frame.ts';

const HEAD = { transaction: 0x0102_0304, client: 0x02aa_bbcc_ddee as MacAddress };
const IPV6 = Buffer.from('20010db8000000000000000000000010', 'hex').toString('latin1');
const FOUR: LeaseAnswer = { ...HEAD, family: 4, vid: 0xffe as Vid, leases: [] };
const SIX: LeaseAnswer = {
  ...{ ...HEAD, family: 6, vid: 5 as Vid },
  leases: [
    { address: IPV6, seconds: 7200 },
    { address: `${'\0'.repeat(15)}\x01`, seconds: 0xffff_ffff },
  ],
};

/** A copy that stands behind other octets, as a message of a batch does. */
function behindOthers(octets: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.alloc(3, 0x77), octets])).subarray(3);
}

test('leases of DHCPv6, octet by octet, and an answer without leases', () => {
  const head = '06' + '0005' + '01020304' + '02aabbccddee';
  const leases = '20010db8000000000000000000000010' + '00001c20' + '00000000000000000000000000000001' + 'ffffffff';
  assert.equal(Buffer.from(encodeLeaseAnswer(SIX)).toString('hex'), head + leases);
  for (const answer of [FOUR, SIX])
    assert.deepEqual(decodeLeaseAnswer(behindOthers(encodeLeaseAnswer(answer))), answer);
});

test('an answer that is cut within a lease is none', () => {
  const octets = encodeLeaseAnswer(SIX);
  for (let length = 0; length < octets.length; length++) {
    const count = (length - 13) / 20;
    const read = decodeLeaseAnswer(octets.subarray(0, length));
    assert.deepEqual(read, count === 0 || count === 1 ? { ...SIX, leases: SIX.leases.slice(0, count) } : undefined);
  }
});

test('the leases beyond the 64th are left out, and 64 of DHCPv6 fit into a frame', () => {
  const leases = Array.from({ length: 65 }, (_, seconds) => ({ address: IPV6, seconds }));
  const octets = encodeLeaseAnswer({ ...SIX, leases });
  assert.ok(octets.length <= MAX_MESH_PAYLOAD_BYTES);
  assert.deepEqual(decodeLeaseAnswer(octets)?.leases, leases.slice(0, 64));
});
