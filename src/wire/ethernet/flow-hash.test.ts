import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FrameFields, frameOf } from '../../../test/support/frames.ts';
import { flowHashOf } from './flow-hash.ts';

const SEED = 0x5eed;
const FIRST_FRAGMENT = 0x2000;
const LATER_FRAGMENT = 0x0010;

function hashOf(frame: Uint8Array): number {
  return flowHashOf(frame, 0, frame.length, SEED);
}

function udp(fields: Partial<FrameFields> = {}): Buffer {
  return frameOf({ protocol: 'udp', payload: Buffer.from('payload'), ...fields }).bytes;
}

/** A copy of a frame with some octets replaced. */
function changed(frame: Buffer, at: number, ...octets: number[]): Buffer {
  const copy = Buffer.from(frame);
  copy.set(octets, at);
  return copy;
}

function fragment(frame: Buffer, field: number): Buffer {
  return changed(frame, 14 + 6, field >>> 8, field & 0xff);
}

for (const ipv6 of [false, true]) {
  for (const tags of [[], [7], [7, 8]]) {
    test(`a flow is its addresses, protocol and ports: ${ipv6 ? 'IPv6' : 'IPv4'} behind ${tags.length} tags`, () => {
      const fields: Partial<FrameFields> = { ipv6, tags };
      const {
        bytes: frame,
        networkStart,
        transportStart,
      } = frameOf({ protocol: 'udp', payload: Buffer.alloc(9), ...fields });
      const same = udp({ ...fields, payload: Buffer.alloc(700, 1), tos: 0xb8, ttl: 3, id: 99 });
      assert.equal(hashOf(same), hashOf(frame));
      const addresses = networkStart + (ipv6 ? 8 : 12);
      const places = [0, 6, addresses, transportStart - 1, transportStart, transportStart + 3];
      places.push(networkStart + (ipv6 ? 6 : 9));
      for (const at of places) {
        const other = changed(frame, at, (frame[at] as number) ^ 1);
        assert.notEqual(hashOf(other), hashOf(frame), `octet ${at}`);
      }
    });
  }
}

test('a VLAN tells flows apart, a priority does not', () => {
  assert.notEqual(hashOf(udp({ tags: [8] })), hashOf(udp({ tags: [7] })));
  assert.equal(hashOf(udp({ tags: [0xe007] })), hashOf(udp({ tags: [7] })));
});

test('all fragments of a packet are one flow, whatever stands where the ports would be', () => {
  const frame = udp();
  const first = fragment(frame, FIRST_FRAGMENT);
  const later = fragment(changed(frame, 34, 1, 2, 3, 4), LATER_FRAGMENT);
  assert.equal(hashOf(later), hashOf(first));
});

test('ports are found behind IPv4 options, and not where the protocol has none', () => {
  const frame = udp({ payload: Buffer.alloc(40) });
  const withOptions = changed(frame, 14, 0x46);
  assert.notEqual(hashOf(changed(withOptions, 14 + 24, 9)), hashOf(withOptions));
  const icmp = changed(frame, 14 + 9, 1);
  assert.equal(hashOf(changed(icmp, 34, 9)), hashOf(icmp));
});

test('the seed changes which flows meet', () => {
  const frames = Array.from({ length: 64 }, (_, port) => udp({ destinationPort: port }));
  const queues = [1, 2].map((seed) => frames.map((frame) => flowHashOf(frame, 0, frame.length, seed) % 16));
  const pairs = (of: number[]) => of.flatMap((a, i) => of.map((b, j) => (i < j && a === b ? `${i},${j}` : '')));
  assert.notDeepEqual(pairs(queues[0] ?? []), pairs(queues[1] ?? []));
});

test('of a truncated frame the fields that are complete count, and each as soon as it is', () => {
  // A frame of 13 octets has no hash. Then: addresses and type; tags; IP header; ports.
  const cases: [Buffer, number[]][] = [
    [udp(), [14, 34, 38]],
    [udp({ tags: [7] }), [14, 18, 38, 42]],
    [udp({ tags: [7, 8] }), [14, 18, 22, 42, 46]],
    [udp({ ipv6: true }), [14, 54, 58]],
    [udp({ ipv6: true, tags: [7, 8] }), [14, 18, 22, 62, 66]],
    [changed(udp(), 14 + 9, 1), [14, 34]],
    [changed(udp(), 14, 0x44), [14, 34]],
    [changed(udp(), 14, 0x46), [14, 34, 42]],
    [changed(udp({ ipv6: true }), 12, 0x88, 0xb5), [14]],
  ];
  for (const [frame, expected] of cases) {
    const hashes = Array.from({ length: frame.length + 1 }, (_, length) => flowHashOf(frame, 0, length, SEED));
    const found = hashes.flatMap((hash, length) => (length > 0 && hash !== hashes[length - 1] ? [length] : []));
    assert.deepEqual(found, expected, frame.toString('hex'));
  }
});

test('the EtherType tells flows apart', () => {
  const frame = changed(udp(), 12, 0x88, 0xb5);
  assert.notEqual(hashOf(changed(frame, 12, 0x88, 0xb6)), hashOf(frame));
});

test('a third tag is what the first two are around', () => {
  const frame = udp({ tags: [7, 8] });
  const third = changed(frame, 20, 0x81, 0);
  assert.equal(hashOf(changed(third, 22, 9, 9)), hashOf(third));
});

test('flows that differ in one field only fill all queues about evenly', () => {
  const frame = udp();
  for (const [what, at] of [
    ['the source', 6],
    ['the low octets of the destination', 4],
    ['the IPv4 source', 14 + 12],
    ['the ports', 34],
  ] as const) {
    const flows = new Array(64).fill(0);
    const high = new Array(64).fill(0);
    for (let number = 0; number < 0x4000; number++) {
      const hash = hashOf(changed(frame, at, number >> 8, number & 0xff));
      flows[hash % 64]++;
      high[Math.floor(hash / 2 ** 26)]++;
    }
    // The mean is 256 flows in a queue, the deviation 16; by chance one in a million queues is beyond 5 deviations.
    for (const queue of [...flows, ...high]) assert.ok(Math.abs(queue - 256) <= 5 * 16, `${what}: ${queue} of 256`);
  }
});

test('many flows spread evenly', () => {
  const queues = new Set<number>();
  for (let port = 0; port < 1024; port++) queues.add(hashOf(udp({ destinationPort: port })) % 1024);
  // By chance 1024·(1 - 1/e) = 647 of the queues are used.
  assert.ok(queues.size > 600, `${queues.size} of 1024`);
});

test('nothing behind the end of a frame counts, however short it is and whatever it claims', () => {
  const frames = [udp(), udp({ ipv6: true }), udp({ tags: [1, 2] }), changed(udp(), 14, 0x4f)];
  const start = fc.oneof(fc.constantFrom(...frames), fc.uint8Array({ maxLength: 80 }));
  fc.assert(
    fc.property(
      start,
      fc.nat(80),
      fc.uint8Array({ minLength: 80, maxLength: 80 }),
      fc.nat(9),
      (frame, cut, junk, lead) => {
        const length = Math.min(cut, frame.length);
        const whole = frame.subarray(0, length);
        const slab = Buffer.concat([junk.subarray(0, lead), whole, junk]);
        const hash = flowHashOf(slab, lead, length, SEED);
        // A copy that ends with the frame: a read beyond it would give undefined.
        assert.equal(hash, flowHashOf(Uint8Array.from(whole), 0, length, SEED));
        assert.ok(Number.isInteger(hash) && hash >= 0 && hash <= 0xffff_ffff);
      },
    ),
  );
});

test('an IPv4 header that claims to be shorter than it can be has no ports', () => {
  for (const first of [0x40, 0x41, 0x43]) {
    const frame = changed(udp(), 14, first);
    // The header's fields that differ between packets of a flow: type of service, identification, time to live.
    for (const at of [1, 4, 5, 8]) assert.equal(hashOf(changed(frame, 14 + at, 0x77)), hashOf(frame), `octet ${at}`);
  }
});
