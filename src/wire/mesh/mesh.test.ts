import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';
import type { Vid } from '../ethernet/vid.ts';
import {
  encodeMeshFrame,
  MAX_MESH_PAYLOAD_BYTES,
  MESH_ADDRESS,
  type MeshMessage,
  readMeshFrame,
} from './mesh-frame.ts';
import {
  decodeDigest,
  decodeNames,
  decodeRecords,
  encodeDigest,
  encodeNames,
  encodeRecords,
  MOST_NAMES,
  MOST_RECORDS,
  type StationRecord,
} from './station-records.ts';

const SOURCE = 0x02aa_bbcc_ddee as MacAddress;
const CASES = fuzzCases(20_000);
const mac = (text: string): MacAddress => Number.parseInt(text, 16) as MacAddress;
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

test('a message is a frame of its own protocol, octet by octet', () => {
  const frame = encodeMeshFrame(SOURCE, { kind: 5, payload: Uint8Array.of(1, 2, 3) });
  assert.equal(hex(frame), `03455753000202aabbccddee88b545570102${'050003010203'}${'00'.repeat(36)}`);
  assert.deepEqual(readMeshFrame(frame), [{ kind: 5, payload: Uint8Array.of(1, 2, 3) }]);
  assert.equal(MESH_ADDRESS, 0x0345_5753_0002);
});

test('a frame may have several messages, of kinds that the receiver does not know', () => {
  const frame = Buffer.concat([encodeMeshFrame(SOURCE, { kind: 1, payload: new Uint8Array() }).subarray(0, 18)]);
  const several = Buffer.concat([frame, Buffer.from('01000107' + 'ff0000' + '0200020909' + '070000', 'hex')]);
  assert.deepEqual(
    readMeshFrame(several)?.map(({ kind, payload }) => [kind, hex(payload)]),
    [
      [1, '07'],
      [255, ''],
      [2, '0909'],
      [7, ''],
    ],
  );
});

test('other protocols, versions and kinds of frames, and cut messages, are none', () => {
  const frame = encodeMeshFrame(SOURCE, { kind: 1, payload: new Uint8Array(100).fill(7) });
  for (const at of [12, 13, 14, 15, 16, 17]) {
    const other = Uint8Array.from(frame);
    other[at] = (other[at] as number) ^ 1;
    assert.equal(readMeshFrame(other), undefined, `octet ${at}`);
  }
  for (let length = 0; length < frame.length; length++) {
    const read = readMeshFrame(frame.subarray(0, length));
    assert.deepEqual(read, length === 18 ? [] : undefined, `${length} octets`);
  }
});

test('a message that fits into no frame is a mistake', () => {
  const longest = { kind: 255, payload: new Uint8Array(MAX_MESH_PAYLOAD_BYTES) };
  assert.deepEqual(readMeshFrame(encodeMeshFrame(SOURCE, longest)), [longest]);
  for (const { kind, length } of [
    { kind: 0, length: 1 },
    { kind: 256, length: 1 },
    { kind: 1, length: MAX_MESH_PAYLOAD_BYTES + 1 },
  ]) {
    assert.throws(() => encodeMeshFrame(SOURCE, { kind, payload: new Uint8Array(length) }), RangeError);
  }
});

test('records, names and digests, octet by octet', () => {
  const record = { vid: 5 as Vid, mac: mac('02aabbccddee'), sequence: 7, isHeld: true, isIsolated: false, ageMs: 1200 };
  assert.equal(hex(encodeRecords([record])), '800502aabbccddee00000007000c');
  assert.deepEqual(decodeRecords(encodeRecords([record])), [record]);
  const isolated = { ...record, isHeld: false, isIsolated: true };
  assert.equal(hex(encodeRecords([isolated])), '400502aabbccddee00000007000c');
  assert.deepEqual(decodeRecords(encodeRecords([isolated])), [isolated]);
  assert.equal(hex(encodeNames([record])), '000502aabbccddee');
  assert.deepEqual(decodeNames(encodeNames([record])), [{ vid: 5, mac: record.mac }]);
  const digest = { count: 1, sums: [2, 0xffff_ffff] as const };
  assert.equal(hex(encodeDigest(digest)), '0000000100000002ffffffff');
  assert.deepEqual(decodeDigest(encodeDigest(digest)), digest);
  assert.deepEqual(
    [decodeRecords(new Uint8Array(13)), decodeNames(new Uint8Array(9)), decodeDigest(new Uint8Array(13))],
    [undefined, undefined, undefined],
  );
  assert.ok(14 * MOST_RECORDS <= MAX_MESH_PAYLOAD_BYTES && 8 * MOST_NAMES <= MAX_MESH_PAYLOAD_BYTES);
});

test('ages and sequence numbers beyond their fields are the most that these have', () => {
  const far = {
    vid: 4094 as Vid,
    mac: mac('ffffffffffff'),
    sequence: 2 ** 33,
    isHeld: false,
    isIsolated: false,
    ageMs: 1e12,
  };
  assert.deepEqual(decodeRecords(encodeRecords([far])), [{ ...far, sequence: 0xffff_ffff, ageMs: 6_553_500 }]);
  const early = { ...far, sequence: 0, ageMs: -5 };
  assert.deepEqual(decodeRecords(encodeRecords([early])), [{ ...early, ageMs: 0 }]);
});

test(`${CASES} frames with changed octets, cut and prolonged: a list of messages inside of the frame, or none`, () => {
  const random = new Random(fuzzSeed());
  let read = 0;
  for (let number = 0; number < CASES; number++) {
    const records: StationRecord[] = Array.from({ length: random.between(1, 5) }, () => ({
      vid: random.below(4096) as Vid,
      mac: (random.next() * 0x1_0000 + random.below(0x1_0000)) as MacAddress,
      sequence: random.next(),
      isHeld: random.once(2),
      isIsolated: random.once(2),
      ageMs: 100 * random.below(0x1_0000),
    }));
    assert.deepEqual(decodeRecords(encodeRecords(records)), records);
    const whole = encodeMeshFrame(SOURCE, { kind: random.between(1, 255), payload: encodeRecords(records) });
    for (let changes = random.below(4); changes > 0; changes--) {
      whole[random.between(random.once(9) ? 0 : 18, whole.length - 1)] = random.below(256);
    }
    const tail = random.once(8) ? random.bytes(random.below(500)) : Buffer.alloc(0);
    // Somewhere in the octets of a batch.
    const lead = random.below(20);
    const octets = Buffer.concat([Buffer.alloc(lead), whole, tail]);
    const end = random.once(4) ? random.between(lead, octets.length) : octets.length;
    const messages = readMeshFrame(octets.subarray(lead, end));
    for (const message of messages ?? []) read += judge(message, octets, lead, end);
  }
  assert.ok(read > CASES / 2, `only ${read} messages were read`);
});

/** @returns 1 if it could be read as one of stations */
function judge({ kind, payload }: MeshMessage, octets: Buffer, from: number, end: number): number {
  assert.ok(kind >= 1 && kind <= 255);
  const at = payload.byteOffset - octets.byteOffset;
  assert.ok(at >= from && at + payload.length <= end);
  for (const record of decodeRecords(payload) ?? []) {
    assert.ok(record.vid < 4096 && record.mac < 2 ** 48 && record.sequence < 2 ** 32 && record.ageMs <= 6_553_500);
  }
  for (const { vid, mac: address } of decodeNames(payload) ?? []) assert.ok(vid < 4096 && address < 2 ** 48);
  decodeDigest(payload);
  return decodeRecords(payload) === undefined ? 0 : 1;
}
