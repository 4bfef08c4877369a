import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  dataFrame,
  discoveryFrame,
  groupFrame,
  joinFrame,
  leaveFrame,
  pimHelloFrame,
  queryFrame,
  recordsFrame,
} from '../../../test/support/multicast-frames.ts';
import { sourcesIn } from '../../../test/support/multicast-lan.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { type MulticastKind, MulticastPacket } from './multicast-packet.ts';
import { readMulticast } from './read-multicast.ts';

const LEAD = 7;

/** Reads the frame in a slab with other octets around it. */
function read(frame: Uint8Array, packet = new MulticastPacket()): MulticastPacket {
  const slab = Buffer.concat([Buffer.alloc(LEAD, 0xee), frame, Buffer.alloc(64, 0x11)]);
  readMulticast(packet, slab, LEAD, frame.length);
  return packet;
}

function facts({ kind, version, group, source, maxResponseMs, sources, isSuppressing }: MulticastPacket): object {
  return {
    kind,
    version,
    group: String(group),
    source: String(source),
    ...(kind === 'query' ? { maxResponseMs, sources, isSuppressing } : {}),
  };
}

const QUERY = { kind: 'query', sources: 0, isSuppressing: false };

test('what each message says', () => {
  const cases: [string, Buffer, object][] = [
    [
      'a general query of IGMPv1',
      queryFrame({ isOld: true, code: 0 }),
      { ...QUERY, version: 1, group: '0.0.0.0', source: '192.0.2.1', maxResponseMs: 10_000 },
    ],
    [
      'one of IGMPv2',
      queryFrame({ isOld: true, code: 50, from: '10.0.0.9' }),
      { ...QUERY, version: 2, group: '0.0.0.0', source: '10.0.0.9', maxResponseMs: 5000 },
    ],
    [
      'one of IGMPv3, with a time in floating point',
      queryFrame({ code: 0x8f }),
      { ...QUERY, version: 3, group: '0.0.0.0', source: '192.0.2.1', maxResponseMs: 24_800 },
    ],
    [
      'a query for a group and its sources',
      queryFrame({ group: '239.1.2.3', sources: ['10.0.0.1', '10.0.0.2'], isSuppressing: true, code: 10 }),
      {
        kind: 'query',
        version: 3,
        group: '239.1.2.3',
        source: '192.0.2.1',
        maxResponseMs: 1000,
        sources: 2,
        isSuppressing: true,
      },
    ],
    [
      'one of MLDv1',
      queryFrame({ family: 6, isOld: true, code: 4000 }),
      { ...QUERY, version: 1, group: '::', source: 'fe80::1', maxResponseMs: 4000 },
    ],
    [
      'one of MLDv2, with a time in floating point',
      queryFrame({ group: 'ff15::99', code: 0x8123 }),
      { ...QUERY, version: 2, group: 'ff15::99', source: 'fe80::1', maxResponseMs: 0x1123 << 3 },
    ],
    [
      'a report of IGMPv1',
      joinFrame('239.1.2.3', {}, 0x12),
      { kind: 'report', version: 1, group: '239.1.2.3', source: '192.0.2.1' },
    ],
    [
      'one of IGMPv2',
      joinFrame('239.1.2.3', { isPlain: true }),
      { kind: 'report', version: 2, group: '239.1.2.3', source: '192.0.2.1' },
    ],
    ['one of MLDv1', joinFrame('ff15::99'), { kind: 'report', version: 1, group: 'ff15::99', source: 'fe80::1' }],
    ['a leave', leaveFrame('239.1.2.3'), { kind: 'leave', version: 2, group: '239.1.2.3', source: '192.0.2.1' }],
    [
      'one in a VLAN',
      leaveFrame('ff15::99', { vid: 7 }),
      { kind: 'leave', version: 1, group: 'ff15::99', source: 'fe80::1' },
    ],
  ];
  for (const [what, frame, expected] of cases) assert.deepEqual(facts(read(frame)), expected, what);
});

test('the records of a report, with sources and auxiliary data, in order', () => {
  for (const [groups, source, others] of [
    [['239.1.2.3', '239.9.9.9', '232.1.1.1'], '10.0.0.1', ['10.0.0.2', '198.51.100.255']],
    [['ff15::1', 'ff35::2', 'ff1e::3'], '2001:db8::1', ['2001:db8::2', 'fe80::1:2']],
  ] as const) {
    const [first, second, third] = groups;
    const packet = read(
      recordsFrame([
        { type: 4, group: first },
        { type: 5, group: second, sources: [source, others[0], others[1]], auxiliary: 2 },
        { type: 3, group: third, sources: [others[1]] },
      ]),
    );
    assert.equal(packet.kind, 'records');
    const seen: unknown[] = [];
    while (packet.nextRecord()) seen.push([packet.recordType, String(packet.group), sourcesIn(packet)]);
    assert.deepEqual(seen, [
      [4, first, []],
      [5, second, [source, ...others]],
      [3, third, [others[1]]],
    ]);
    assert.equal(packet.nextRecord(), false);
    assert.equal(read(joinFrame('239.1.1.1'), packet).nextRecord(), false, 'no record of the message before');
  }
});

test('the sources of a query, in order', () => {
  for (const [group, sources] of [
    ['239.1.2.3', ['10.0.0.1', '198.51.100.255', '0.0.0.0']],
    ['ff15::1', ['2001:db8::1', 'fe80::1:2']],
  ] as const) {
    assert.deepEqual(sourcesIn(read(queryFrame({ group, sources }))), sources);
  }
});

test('what is no message of IGMP or MLD', () => {
  const doubled = Buffer.concat([joinFrame('239.1.2.3').subarray(0, 12), Buffer.from('88a80005', 'hex')]);
  const cases: [string, Buffer, MulticastKind][] = [
    ['data', dataFrame('239.1.2.3'), 'data'],
    ['data in a VLAN', dataFrame('ff15::9', { vid: 4094 }), 'data'],
    ['a group MAC address in front of an individual IP address', dataFrame('192.0.2.77'), 'foreign'],
    ['no IP', Buffer.concat([dataFrame('239.1.1.1').subarray(0, 12), Buffer.from('88b50000', 'hex')]), 'foreign'],
    ['an S-TAG', Buffer.concat([doubled, joinFrame('239.1.2.3').subarray(12)]), 'foreign'],
    [
      'two tags',
      Buffer.concat([
        joinFrame('239.1.2.3', { vid: 5 }).subarray(0, 16),
        Buffer.from('81000006', 'hex'),
        joinFrame('239.1.2.3', { vid: 5 }).subarray(16),
      ]),
      'foreign',
    ],
    ['an unknown type of IGMP', joinFrame('239.1.2.3', {}, 0x13), 'foreign'],
    ['ICMPv6 without a hop-by-hop header', joinFrame('ff15::9', { isPlain: true }), 'data'],
    ['another ICMPv6', groupFrame('ff02::1:ff00:1', 58, Buffer.from('8700000000000000', 'hex')), 'data'],
    ['a PIM hello', pimHelloFrame(4), 'router'],
    ['one over IPv6', pimHelloFrame(6), 'router'],
    ['another message of PIM', groupFrame('224.0.0.13', 103, Buffer.from('2300000000000000', 'hex')), 'data'],
    ['a PIM hello to another group', pimHelloFrame(4, {}).fill(14, 33, 34), 'data'],
    ['multicast router discovery', discoveryFrame(4), 'router'],
    ['its end', discoveryFrame(4, true), 'routerGone'],
    ['multicast router discovery over IPv6', discoveryFrame(6), 'router'],
    ['its end over IPv6', discoveryFrame(6, true), 'routerGone'],
    ['one to another group', discoveryFrame(4, false, { to: '224.0.0.107' }), 'foreign'],
    ['one to another group over IPv6', discoveryFrame(6, false, { to: 'ff02::6b' }), 'data'],
  ];
  for (const [what, frame, kind] of cases) assert.equal(read(frame).kind, kind, what);
});

test('a message that contradicts itself is malformed', () => {
  const cases: [string, Buffer][] = [
    ['a general query to a group', queryFrame({ to: '239.1.2.3' })],
    ['a general query to a group over IPv6', queryFrame({ family: 6, to: 'ff15::9' })],
    ['a query of MLD from a global address', queryFrame({ family: 6, from: '2001:db8::1' })],
    ['a query for no group', queryFrame({ group: '10.1.2.3', to: '224.0.0.1' })],
    ['a report for no group', joinFrame('10.1.2.3', { to: '224.0.0.1' })],
    ['one of MLD', joinFrame('2001:db8::1', { to: 'ff15::9' })],
    ['a leave for no group', leaveFrame('10.1.2.3')],
    ['fewer records than announced', recordsFrame([{ type: 4, group: '239.1.2.3' }], {}, 2)],
    ['fewer over IPv6', recordsFrame([{ type: 4, group: 'ff15::1' }], {}, 3)],
    ['more records than any frame can have', recordsFrame([{ type: 4, group: '239.1.2.3' }], {}, 65_535)],
  ];
  for (const [what, frame] of cases) assert.equal(read(frame).kind, 'malformed', what);
});

const MESSAGES: readonly Buffer[] = [
  queryFrame({ isOld: true }),
  queryFrame({ group: '239.1.2.3', sources: ['10.0.0.1'] }),
  joinFrame('239.1.2.3'),
  leaveFrame('239.1.2.3', { vid: 9 }),
  recordsFrame([{ type: 4, group: '239.1.2.3', sources: ['10.0.0.1'], auxiliary: 1 }]),
  queryFrame({ family: 6, isOld: true }),
  queryFrame({ group: 'ff15::9', sources: ['2001:db8::1'] }),
  joinFrame('ff15::9', { vid: 9 }),
  leaveFrame('ff15::9'),
  recordsFrame([{ type: 4, group: 'ff15::9', sources: ['2001:db8::1'], auxiliary: 1 }]),
];

test('a message with one changed bit is no message, but for fields that no checksum covers', () => {
  for (const message of MESSAGES) {
    const isTagged = message.readUInt16BE(12) === 0x8100;
    const network = isTagged ? 18 : 14;
    const isSix = message.readUInt16BE(network - 2) === 0x86dd;
    const { kind } = read(message);
    assert.ok(!['foreign', 'data', 'malformed'].includes(kind), kind);
    for (let bit = network * 8; bit < message.length * 8; bit++) {
      const changed = Buffer.from(message);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const at = (bit >> 3) - network;
      // IPv6 has no checksum of its header: traffic class, flow label and hop limit are covered by none, nor are the options.
      const isUncovered = isSix && (at < 4 || at === 7 || (at >= 40 && at < 48));
      const changedKind = read(changed).kind;
      if (!isUncovered)
        assert.ok(['foreign', 'data', 'malformed'].includes(changedKind), `octet ${at}: ${changedKind}`);
    }
  }
});

test('a message is read from its last octet on, and not before', () => {
  for (const message of MESSAGES) {
    const { kind } = read(message);
    for (let length = 14; length < message.length; length++) {
      const shorter = read(message.subarray(0, length)).kind;
      assert.ok(['foreign', 'data', 'malformed'].includes(shorter), `${kind} of ${length} octets: ${shorter}`);
    }
    assert.equal(read(Buffer.concat([message, Buffer.alloc(20)])).kind, kind, 'with padding');
  }
});

test('any groups, sources and times come back as they were sent', () => {
  const ipv4 = fc.tuple(fc.integer({ min: 224, max: 239 }), fc.nat(255), fc.nat(255), fc.nat(255));
  const ipv6 = fc.uint8Array({ minLength: 15, maxLength: 15 });
  const record = fc.record({
    type: fc.integer({ min: 1, max: 6 }),
    four: ipv4,
    six: ipv6,
    count: fc.nat(5),
    auxiliary: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), fc.boolean(), fc.nat(4094), (records, isSix, vid) => {
      const sent = records.map(({ type, four, six, count, auxiliary }) => ({
        type,
        group: isSix ? hexGroup(six) : four.join('.'),
        sources: new Array<string>(count).fill(isSix ? '2001:db8::7' : '10.0.0.7'),
        auxiliary,
      }));
      const packet = read(recordsFrame(sent, { vid }));
      assert.equal(packet.kind, 'records');
      for (const { type, group, sources } of sent) {
        assert.equal(packet.nextRecord(), true);
        const again = joinFrame(group);
        assert.deepEqual(
          [packet.recordType, packet.sources, String(packet.group)],
          [type, sources.length, String(read(again).group)],
        );
      }
      assert.equal(packet.nextRecord(), false);
    }),
  );
});

function hexGroup(octets: Uint8Array): string {
  const hex = `ff${Buffer.from(octets).toString('hex')}`;
  return hex.match(/.{4}/g)?.join(':') ?? '';
}

test(`${fuzzCases(200_000)} changed frames: nothing throws, and no record is outside of its frame`, () => {
  const random = new Random(fuzzSeed());
  const packet = new MulticastPacket();
  const kinds = new Set<MulticastKind>();
  for (let number = fuzzCases(200_000); number > 0; number--) {
    const frame = Buffer.from(random.pick(MESSAGES));
    for (let changes = random.below(4); changes > 0; changes--)
      frame[random.between(12, frame.length - 1)] = random.next();
    const length = random.once(4) ? random.between(14, frame.length) : frame.length;
    // The frame is at the end of its slab, so that a read behind it is undefined, and the group none.
    kinds.add(readMulticast(packet, frame, 0, length));
    if (packet.kind === 'query') for (const source of sourcesIn(packet)) assert.ok(!source.includes('NaN'), source);
    while (packet.nextRecord()) {
      assert.ok(Number.isInteger(packet.group.w3) && Number.isInteger(packet.recordType), `seed ${random.seed}`);
      assert.equal(sourcesIn(packet).length, packet.sources);
      assert.ok(
        packet.sourcesAt + packet.sources * (packet.source.family === 4 ? 4 : 16) <= length,
        `seed ${random.seed}`,
      );
    }
  }
  assert.ok(kinds.size >= 6, [...kinds].join(' '));
});
