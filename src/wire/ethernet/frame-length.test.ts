import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statedLength, TAGS_NONE, TAGS_ONE_CUSTOMER, TAGS_STACKED, tagBytesOf } from './frame-length.ts';

const ADDRESSES = '020000000002020000000001';

/** A frame of `length` octets: two addresses, `head`, then 0xee. */
function frameOf(head: string, length = 1518): Buffer {
  const frame = Buffer.alloc(length, 0xee);
  Buffer.from(ADDRESSES + head.replaceAll(' ', ''), 'hex').copy(frame);
  return frame;
}

test('a frame ends where its payload says', () => {
  const cases: [string, string, number][] = [
    ['IPv4', '0800 4500 0054 0000 0000 40 01 0000', 14 + 84],
    ['IPv4 behind a C-TAG', '8100 0064 0800 4500 0054 0000 0000 40 01 0000', 18 + 84],
    ['IPv4 behind two tags', '88a8 0064 8100 0064 0800 4500 0054 0000 0000 40 01 0000', 22 + 84],
    ['IPv6', '86dd 6000 0000 0020 3a ff', 14 + 40 + 32],
    ['ARP', '0806 0001 0800 06 04 0001', 14 + 28],
    ['IPv4 of a header alone', '0800 4500 0014', 14 + 20],
    ['802.3 with a length field', '0026 4242 03', 14 + 38],
    ['802.3 of an LLC header alone', '0003 4242 03', 14 + 3],
    ['802.3 of the greatest length', '05dc 4242 03', 14 + 1500],
  ];
  for (const [name, head, length] of cases) {
    const frame = frameOf(head);
    assert.equal(statedLength(frame, 0, frame.length), length, name);
    const inSlab = Buffer.concat([Buffer.alloc(99, 0xff), frame]);
    assert.equal(statedLength(inSlab, 99, frame.length), length, `${name}, elsewhere in a slab`);
  }
});

test('a frame that states nothing, or more than there is, is as long as it came', () => {
  const cases: [string, string, number][] = [
    ['IPv4, longer than the frame', '0800 4500 0600', 1518],
    ['IPv4, shorter than its header', '0800 4500 0013', 1518],
    ['IPv4 of another version', '0800 6500 0054', 1518],
    ['IPv4 without a whole header', '0800 4500 0014', 33],
    ['an IPv6 jumbogram', '86dd 6000 0000 0000 00 ff', 1518],
    ['IPv6 without a whole header', '86dd 6000 0000 0000 3b ff', 53],
    ['ARP, cut', '0806 0001 0800 06 04', 21],
    ['802.3 without room for LLC', '0002 4242', 1518],
    ['an unknown type', '88b5 0000', 1518],
    ['three tags', '8100 0001 8100 0001 8100 0001 0800 4500 0054', 1518],
    ['a tag that is cut', '8100 00', 15],
    ['a tag at the end, without a type behind it', '8100 0001 05', 17],
    ['a tag and a length field, and nothing behind them', '8100 0001 0026', 18],
    ['ARP whose header alone is there', '0806 0001 0800 00 00 0001', 22],
    ['IPv6 of another version', '86dd 7000 0000 0020 3a ff', 1518],
    ['1501 octets, which is no length field', '05dd 4242 03', 1518],
    ['IPv4 that ends where the frame does', '0800 4500 05e0', 1518],
  ];
  for (const [name, head, length] of cases) {
    assert.equal(statedLength(frameOf(head, length), 0, length), length, name);
  }
});

test('tags make room as the egress allows', () => {
  const cases: [string, number, number, number][] = [
    ['0800', 0, 0, 0],
    ['8100 0001 0800', 0, 4, 4],
    ['88a8 0001 0800', 0, 0, 4],
    ['88a8 0001 8100 0001 0800', 0, 0, 8],
    ['8100 0001 8100 0001 0800', 0, 4, 8],
    ['8100 0001 8100 0001 8100 0001 0800', 0, 4, 8],
    ['9100 0001 0800', 0, 0, 0],
  ];
  for (const [head, ...expected] of cases) {
    const frame = frameOf(head);
    const found = [TAGS_NONE, TAGS_ONE_CUSTOMER, TAGS_STACKED].map((allowance) =>
      tagBytesOf(frame, 0, frame.length, allowance as typeof TAGS_NONE),
    );
    assert.deepEqual(found, expected, head);
  }
});

test('no octet behind the end of a frame is read', () => {
  // The octets after the frame, as in a slab, would give another length.
  const cases: [string, string, number][] = [
    ['a header that is cut in its type', '0800 4500 0014', 13],
    ['IPv4', '0800 4500 0014', 14 + 19],
    ['IPv6', '86dd 6000 0000 0001 3b ff', 14 + 39],
    ['ARP', '0806 0001 0800 00 00 0001', 14 + 7],
    ['a tag', '8100 0001 0800 4500 0014', 17],
    ['a second tag', '8100 0001 8100 0001 0026', 21],
  ];
  for (const [name, head, length] of cases) assert.equal(statedLength(frameOf(head), 0, length), length, name);
  assert.equal(statedLength(frameOf('0800 4500 0014'), 0, 14 + 20), 34, 'a whole IPv4 header');
  assert.equal(statedLength(frameOf('0800 4500 0014'), 0, 14 + 21), 34, 'and one octet of padding');
  assert.equal(statedLength(frameOf('86dd 6000 0000 0001 3b ff'), 0, 14 + 42), 14 + 41, 'a whole IPv6 header');
  assert.equal(statedLength(frameOf('0806 0001 0800 00 00 0001'), 0, 14 + 9), 14 + 8, 'a whole ARP header');
});

test('tags count that end inside of the frame, wherever it lies', () => {
  const slab = Buffer.concat([Buffer.alloc(7, 0x81), frameOf('88a8 0001 8100 0001 0800')]);
  const tags = (length: number) => tagBytesOf(slab, 7, length, TAGS_STACKED);
  assert.deepEqual([17, 18, 21, 22, 60].map(tags), [0, 4, 4, 8, 8]);
  const customer = frameOf('8100 0001 0800');
  assert.deepEqual(
    [17, 18].map((length) => tagBytesOf(customer, 0, length, TAGS_ONE_CUSTOMER)),
    [0, 4],
  );
});
