import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolFrame } from '../../../test/support/protocol-frames.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { type DissectedFrame, dissect } from './dissect.ts';
import type { DissectedField } from './layer.ts';

const ENDS = '020000000002 02000000000a';

function frame(hex: string): DissectedFrame {
  return dissect(Buffer.from(`${ENDS}${hex}`.replaceAll(' ', ''), 'hex'));
}

function line(hex: string): string {
  const { protocol, info } = frame(hex).summary;
  return `${protocol} ${info}`;
}

const IPV4_ENDS = 'c0000201 c0000202';
const IPV6_ENDS = 'fe800000000000000000000000000001 ff020000000000000000000000000001';

function udp4(ports: string, payload: string): string {
  const octets = payload.replaceAll(' ', '').length / 2 + 8;
  const word = (value: number): string => value.toString(16).padStart(4, '0');
  return `0800 4500 ${word(20 + octets)} 0000 0000 4011 0000 ${IPV4_ENDS} ${ports} ${word(octets)} 0000 ${payload}`;
}

const NAME = '07 6578616d706c65 03 6f7267 00';

test('a line says what a frame is for', () => {
  for (const [hex, expected] of [
    ['0806 0001 0800 06 04 0001 02000000000a c0000201 000000000000 c0000202', 'ARP who has 192.0.2.2? tell 192.0.2.1'],
    ['0806 0001 0800 06 04 0002 02000000000a c0000201 020000000002 c0000202', 'ARP 192.0.2.1 is at 02:00:00:00:00:0a'],
    ['0806 0001 0800 06 04 0001 02000000000a c0000201 000000000000 c0000201', 'ARP announcement of 192.0.2.1'],
    ['0806 0001 0800 06 04 0001 02000000000a 00000000 000000000000 c0000202', 'ARP probe for 192.0.2.2'],
    [
      `0800 4500 0020 0000 0000 4001 0000 ${IPV4_ENDS} 0800 0000 0007 0001 61626364`,
      'ICMP echo request, id 7, seq 1, 4 octets',
    ],
    [
      `0800 4500 0020 0001 2000 4001 0000 ${IPV4_ENDS} 0800 0000 0007 0001`,
      'IPv4 fragment of ICMP at 0, identification 0x0001',
    ],
    [
      `0800 4500 0028 0000 0000 4006 0000 ${IPV4_ENDS} 01bb c000 00000001 00000002 5012 ffff 0000 0000`,
      'TCP 443 → 49152 [SYN ACK] seq 1 ack 2 win 65535, 0 octets',
    ],
    [`0800 4500 0018 0000 0000 4059 0000 ${IPV4_ENDS} 01020304`, 'OSPF OSPF'],
    [udp4('c000 0035', `1a2b 0100 0001 0000 0000 0000 ${NAME} 0001 0001`), 'DNS query 0x1a2b A example.org'],
    [
      udp4('0035 c000', `1a2b 8183 0001 0000 0000 0000 ${NAME} 0001 0001`),
      'DNS response 0x1a2b no such name, A example.org',
    ],
    [
      udp4('0035 c000', `1a2b 8180 0001 0001 0000 0000 ${NAME} 0001 0001 c00c 0001 0001 0000003c 0004 c0000207`),
      'DNS response 0x1a2b A example.org, A 192.0.2.7',
    ],
    [udp4('14e9 14e9', `0000 0000 0001 0000 0000 0000 ${NAME} 000c 8001`), 'mDNS query PTR example.org'],
    [udp4('c000 c001', '01020304'), 'UDP 49152 → 49153, 4 octets'],
    [
      `86dd 60000000 0020 3a ff ${IPV6_ENDS} 8700 0000 00000000 fe800000000000000000000000000002 0101 02000000000a`,
      'ICMPv6 neighbor solicitation for fe80::2 from 02:00:00:00:00:0a',
    ],
    [
      `86dd 60000000 0020 00 ff ${IPV6_ENDS} 3a00 0502 0000 0100 8300 0000 0000 0000 ff050000000000000000000000000003`,
      'ICMPv6 multicast listener report ff05::3',
    ],
    [
      '0026 42 42 03 0000 02 02 3c 8000 020000000001 00004e20 8001 02000000000a 8002 0100 1400 0200 0f00',
      'RSTP designated, root 32768.02:00:00:00:00:01, cost 20000, bridge 32769.02:00:00:00:00:0a, port 0x8002',
    ],
    ['88cc 0207 04 02000000001a 0407 05 75706c696e6b 0602 0079 0a04 636f7265 0000', 'LLDP core, port uplink'],
    ['8100 6007 88b5 01', 'Ethernet type 0x88b5'],
    ['8847 0001', 'MPLS type 0x8847 (MPLS)'],
  ] as const) {
    assert.equal(line(hex), expected);
  }
});

test('an ICMP error is said to be one, with the packet that it quotes as further layers', () => {
  const quoted = `4500 001c 0000 0000 4011 0000 ${IPV4_ENDS} 1388 0035 0008 0000`;
  const { summary, layers } = frame(
    `0800 4500 0038 0000 0000 4001 0000 c0000202 c0000201 0303 0000 00000000 ${quoted}`,
  );
  assert.deepEqual(summary, {
    protocol: 'ICMP',
    source: '192.0.2.2',
    destination: '192.0.2.1',
    info: 'port unreachable',
  });
  assert.deepEqual(
    layers.map(({ protocol }) => protocol),
    ['Ethernet', 'IPv4', 'ICMP', 'IPv4', 'UDP'],
  );
});

test('a header that ends too early keeps the fields that are there', () => {
  const { summary, layers } = frame(`0800 4500 0028 0000 0000 4006 0000 ${IPV4_ENDS} 01bb c000 0000`);
  assert.equal(`${summary.protocol} ${summary.info}`, 'TCP 443 → 49152 (cut)');
  assert.deepEqual(
    layers.at(-1)?.fields.map(({ label, value, start }) => [label, value, start]),
    [
      ['Source port', '443', 34],
      ['Destination port', '49152', 36],
    ],
  );
  assert.ok(layers.at(-1)?.isCut);
  assert.equal(dissect(Buffer.alloc(3)).summary.info, 'cut');
  assert.equal(dissect(Buffer.alloc(0)).summary.info, 'cut');
});

test('names that point at themselves end, and so do options without a length', () => {
  assert.equal(line(udp4('c000 0035', '1a2b 0100 0001 0000 0000 0000 c00c 0001 0001')), 'DNS query 0x1a2b (cut)');
  assert.equal(line(udp4('c000 0035', '1a2b 0100 0001 0000 0000 0000 0161 c00c 0001 0001')), 'DNS query 0x1a2b (cut)');
  const solicitation = `8700 0000 00000000 fe800000000000000000000000000002 0100 02000000000a`;
  assert.equal(
    line(`86dd 60000000 0020 3a ff ${IPV6_ENDS} ${solicitation}`),
    'ICMPv6 neighbor solicitation for fe80::2',
  );
});

test('texts of a peer cannot drive a terminal or a page', () => {
  const host = Buffer.from('a\u001b[31m\u202e\u2028<b>').toString('hex');
  const { summary } = frame(`88cc 0207 04 02000000001a 0407 05 75706c696e6b 0602 0079 0a0f ${host} 0000`);
  assert.equal(summary.info, 'a\ufffd[31m\ufffd\ufffd<b>, port uplink');
});

function eachField(fields: readonly DissectedField[], visit: (field: DissectedField) => void): number {
  let count = 0;
  for (const field of fields) {
    visit(field);
    count += 1 + eachField(field.fields ?? [], visit);
  }
  return count;
}

const CASES = fuzzCases(100_000);

test(`${CASES} hostile frames: no exception, bounded and printable, no octet beside the frame`, () => {
  const random = new Random(fuzzSeed());
  let known = 0;
  for (let run = 0; run < CASES; run++) {
    const whole = random.once(8) ? random.bytes(random.below(1600)) : protocolFrame(random);
    for (let flips = random.below(6); flips > 0; flips--)
      if (whole.length > 0) whole[random.below(whole.length)] = random.next();
    const bytes = Uint8Array.from(random.once(2) ? whole : whole.subarray(0, random.between(0, whole.length)));
    const { layers, summary } = dissect(bytes);
    let fields = 0;
    for (const layer of layers) {
      fields += eachField(layer.fields, ({ label, value, start, octets }) => {
        const where = `seed ${random.seed}, run ${run}: ${layer.protocol}, ${label}`;
        assert.ok(start >= 0 && octets >= 0 && start + octets <= bytes.length, where);
        assert.doesNotMatch(value, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|undefined|NaN/u, where);
      });
    }
    assert.ok(fields <= 2200 && layers.length <= 25, `${fields} fields in ${layers.length} layers`);
    assert.ok(summary.info.length < 2000, summary.info);
    if (layers.length > 2) known++;
  }
  assert.ok(known > CASES / 2, `${known} of ${CASES} frames have more than two layers`);
});

test('a frame of 64 KiB of short TLVs does not make a field of each', () => {
  const bytes = Buffer.alloc(65_000);
  Buffer.from('0180c200000e02000000000a88cc', 'hex').copy(bytes);
  for (let at = 14; at + 1 < bytes.length; at += 2) bytes.writeUInt16BE(9 << 9, at);
  const { layers } = dissect(bytes);
  assert.ok((layers[1]?.fields.length ?? 0) <= 1001, `${layers[1]?.fields.length}`);
});

test('records that all point to one long name are not spelled out without end', () => {
  const word = (value: number): string => value.toString(16).padStart(4, '0');
  // 100 labels of 5 octets behind the header of 12 octets, and 60 records with a pointer to them.
  const long = `${'05 6162636465'.repeat(100)} 00 0001 0001 00000000 0000`;
  const records = `${word(0xc00c)} 0001 0001 00000000 0000`.repeat(60);
  const frame = dissect(
    Buffer.from(
      `${ENDS}${udp4('14e9 14e9', `0000 8400 0000 ${word(61)} 0000 0000 ${long}${records}`)}`.replaceAll(' ', ''),
      'hex',
    ),
  );
  assert.equal(frame.summary.protocol, 'mDNS');
  const text = JSON.stringify(frame);
  assert.ok(text.includes('abcde.abcde'));
  assert.ok(text.length < 20_000, `${text.length} characters`);
});
