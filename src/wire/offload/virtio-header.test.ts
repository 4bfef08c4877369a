import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checksumOffsetOf,
  checksumStartOf,
  flagsOf,
  gsoSizeOf,
  gsoTypeOf,
  headerBytesOf,
  markEncapsulated,
  neededOffloads,
  OFFLOAD_HEADER_BYTES,
  type OffloadHeader,
  shiftOffsets,
  writeHeaderBytes,
  writeOffloadHeader,
} from './virtio-header.ts';

/** What stands in front of the header, and behind it. */
const GUARD = 'eeeeee';
const AT = GUARD.length / 2;

const HEADER: OffloadHeader = {
  flags: 1,
  gsoType: 4,
  headerBytes: 0x1234,
  gsoSize: 0x5678,
  checksumStart: 0x9abc,
  checksumOffset: 0xdef0,
};
/** OASIS virtio 1.2, 5.1.6: little-endian. */
const OCTETS = '010434127856bc9af0de';

function bytesOf(octets: string): Buffer {
  return Buffer.from(`${GUARD}${octets}${GUARD}`, 'hex');
}

function octetsOf(bytes: Buffer): string {
  const text = bytes.toString('hex');
  assert.deepEqual([text.slice(0, GUARD.length), text.slice(-GUARD.length)], [GUARD, GUARD], 'only the header changes');
  return text.slice(GUARD.length, -GUARD.length);
}

function changed(octets: string, change: (bytes: Buffer) => void): string {
  const bytes = bytesOf(octets);
  change(bytes);
  return octetsOf(bytes);
}

test('each field is written to its place, and read from there', () => {
  assert.equal(
    changed('00'.repeat(OFFLOAD_HEADER_BYTES), (bytes) => writeOffloadHeader(bytes, AT, HEADER)),
    OCTETS,
  );
  const bytes = bytesOf(OCTETS);
  const read: OffloadHeader = {
    flags: flagsOf(bytes, AT),
    gsoType: gsoTypeOf(bytes, AT),
    headerBytes: headerBytesOf(bytes, AT),
    gsoSize: gsoSizeOf(bytes, AT),
    checksumStart: checksumStartOf(bytes, AT),
    checksumOffset: checksumOffsetOf(bytes, AT),
  };
  assert.deepEqual(read, HEADER);
  assert.equal(
    changed(OCTETS, (header) => writeHeaderBytes(header, AT, 0xfedc)),
    '0104dcfe7856bc9af0de',
  );
});

// Offloads: checksum 1, TSO4 2, TSO6 4, ECN 8, USO 16, encapsulated 32, unknown 0x40000000.
for (const [flags, gsoType, needed] of [
  [0x00, 0x00, 0],
  [0x02, 0x00, 0],
  [0x01, 0x00, 1],
  [0x03, 0x00, 1],
  [0x01, 0x01, 1 | 2],
  [0x01, 0x04, 1 | 4],
  [0x01, 0x81, 1 | 2 | 8],
  [0x01, 0x84, 1 | 4 | 8],
  [0x01, 0x05, 1 | 16],
  [0x81, 0x00, 1 | 32],
  [0x81, 0x01, 1 | 2 | 32],
  [0x80, 0x00, 32],
  [0x00, 0x01, 2],
  [0x04, 0x00, 0x4000_0000],
  [0x41, 0x00, 1 | 0x4000_0000],
  [0x01, 0x03, 1 | 0x4000_0000],
  [0x01, 0x85, 1 | 0x4000_0000],
  [0x00, 0x80, 0x4000_0000],
  [0xff, 0xff, 1 | 32 | 0x4000_0000],
] as const) {
  test(`flags 0x${flags.toString(16)} and gso_type 0x${gsoType.toString(16)} need the offloads ${needed}`, () => {
    const bytes = bytesOf(OCTETS);
    bytes[AT] = flags;
    bytes[AT + 1] = gsoType;
    assert.equal(neededOffloads(bytes, AT), needed);
  });
}

for (const [name, before, added, after] of [
  ['a super-frame', '0101 3600 0005 2200 1000', 4, '0101 3a00 0005 2600 1000'],
  ['one that loses a tag', '0101 0001 0005 0001 1000', -4, '0101 fc00 0005 fc00 1000'],
  ['a frame with a checksum', '0100 3600 0000 2200 1000', 4, '0100 3600 0000 2600 1000'],
  ['a frame whose offset gets a second octet', '0100 0000 0000 fe00 1000', 4, '0100 0000 0000 0201 1000'],
  ['a segmentation without a checksum', '0005 3600 0005 2200 1000', 4, '0005 3a00 0005 2200 1000'],
  ['a frame that needs nothing', '0000 3600 0005 2200 1000', 4, '0000 3600 0005 2200 1000'],
  ['a frame whose checksum was validated', '0200 3600 0000 2200 1000', 4, '0200 3600 0000 2200 1000'],
] as const) {
  test(`the offsets of ${name} move by ${added}, those that mean something`, () => {
    assert.equal(
      changed(before.replaceAll(' ', ''), (bytes) => shiftOffsets(bytes, AT, added)),
      after.replaceAll(' ', ''),
    );
  });
}

test('the mark of an encapsulation leaves the other flags', () => {
  for (const [flags, isEncapsulated, marked] of [
    [0x01, true, 0x81],
    [0x83, true, 0x83],
    [0x83, false, 0x03],
    [0x01, false, 0x01],
  ] as const) {
    const bytes = bytesOf(OCTETS);
    bytes[AT] = flags;
    markEncapsulated(bytes, AT, isEncapsulated);
    assert.equal(octetsOf(bytes), marked.toString(16).padStart(2, '0') + OCTETS.slice(2));
  }
});
