import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Decoded, decodeLldpdu } from './decode.ts';
import { cutText, encodeLldpdu } from './encode.ts';
import { isLldp, lldpFrame } from './frame.ts';
import { CHASSIS, capabilityNames, type Lldpdu, MAX_MANAGEMENT_ADDRESSES, PORT } from './lldpdu.ts';
import { printable } from './printable.ts';
import { showChassisId, showManagementAddress, showPortId } from './shown.ts';

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 0x1a);

/** An LLDPDU as octets: each TLV as its type and its value in hexadecimal. */
function pdu(...tlvs: readonly (readonly [type: number, hex: string])[]): Buffer {
  return Buffer.concat(
    tlvs.map(([type, hex]) => {
      const value = Buffer.from(hex, 'hex');
      return Buffer.concat([Buffer.from([(type << 1) | (value.length >>> 8), value.length & 255]), value]);
    }),
  );
}

const CHASSIS_TLV = [1, '0402000000001a'] as const;
const PORT_TLV = [2, '0575706c696e6b'] as const;
const TTL_TLV = [3, '0079'] as const;
const END = [0, ''] as const;
const MANDATORY = [CHASSIS_TLV, PORT_TLV, TTL_TLV] as const;

function decode(octets: Uint8Array): Decoded {
  const decoded = decodeLldpdu(octets, 0, octets.length);
  assert.notEqual(typeof decoded, 'string', String(decoded));
  return decoded as Decoded;
}

/** Plain objects, as the decoder makes them. */
const PLAIN = { noNullPrototype: true } as const;
const identifier = fc.record(
  { subtype: fc.integer({ min: 0, max: 255 }), octets: fc.uint8Array({ minLength: 1, maxLength: 255 }) },
  PLAIN,
);
const word = fc.integer({ min: 0, max: 0xffff });
/** Without characters that are replaced: these have a test of their own. */
const text = fc.string({ minLength: 1, maxLength: 255, unit: 'grapheme-ascii' });
const lldpdus = fc.record(
  {
    chassisId: identifier,
    portId: identifier,
    ttlSeconds: fc.integer({ min: 1, max: 0xffff }),
    portDescription: text,
    systemName: text,
    systemDescription: text,
    capabilities: fc.record({ supported: word, enabled: word }, PLAIN),
    managementAddresses: fc.array(
      fc.record(
        {
          family: fc.integer({ min: 0, max: 255 }),
          octets: fc.uint8Array({ minLength: 1, maxLength: 31 }),
          interfaceSubtype: fc.integer({ min: 0, max: 255 }),
          interfaceNumber: fc.integer({ min: 0, max: 0xffff_ffff }),
        },
        PLAIN,
      ),
      { minLength: 1, maxLength: MAX_MANAGEMENT_ADDRESSES },
    ),
    portVlanId: word,
  },
  { requiredKeys: ['chassisId', 'portId', 'ttlSeconds'], ...PLAIN },
);

test('what is encoded is decoded again, with any padding behind it', () => {
  fc.assert(
    fc.property(lldpdus, fc.uint8Array({ maxLength: 50 }), (lldpdu, padding) => {
      const octets = Buffer.concat([encodeLldpdu(lldpdu as Lldpdu), padding]);
      assert.deepEqual(decode(octets), { lldpdu, discarded: 0, unrecognized: 0 });
    }),
  );
});

test('no octets make the decoder throw, and what it keeps is bounded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1600 }), fc.nat(40), (tail, at) => {
      const octets = Buffer.concat([pdu(...MANDATORY), tail]);
      for (const start of [0, at]) {
        const decoded = decodeLldpdu(octets, start, octets.length);
        if (typeof decoded === 'string') continue;
        const { chassisId, systemName = '', managementAddresses = [] } = decoded.lldpdu;
        assert.ok(chassisId.octets.length <= 255 && systemName.length <= 255);
        assert.ok(managementAddresses.length <= MAX_MANAGEMENT_ADDRESSES);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a valid LLDPDU with one changed octet is taken or refused, never thrown on', () => {
  const whole = encodeLldpdu({
    chassisId: { subtype: CHASSIS.macAddress, octets: MAC },
    portId: { subtype: PORT.interfaceName, octets: Buffer.from('uplink') },
    ttlSeconds: 121,
    systemName: 'relay',
    capabilities: { supported: 4, enabled: 4 },
    managementAddresses: [{ family: 1, octets: Uint8Array.of(192, 0, 2, 1), interfaceSubtype: 2, interfaceNumber: 3 }],
    portVlanId: 1,
  });
  for (let at = 0; at < whole.length; at++) {
    for (let value = 0; value < 256; value++) {
      const octets = Buffer.from(whole);
      octets[at] = value;
      assert.doesNotThrow(() => decodeLldpdu(octets, 0, octets.length));
    }
    assert.doesNotThrow(() => decodeLldpdu(whole, 0, at));
  }
});

test('the mandatory TLVs come first, in their order and once', () => {
  const refusals: readonly (readonly [string, ...(readonly [number, string])[]])[] = [
    ['order'],
    ['order', END],
    ['order', CHASSIS_TLV, PORT_TLV],
    ['order', CHASSIS_TLV, PORT_TLV, END],
    ['order', PORT_TLV, CHASSIS_TLV, TTL_TLV],
    ['order', CHASSIS_TLV, TTL_TLV, PORT_TLV],
    ['order', [5, '61'], ...MANDATORY],
    ['duplicate', ...MANDATORY, CHASSIS_TLV],
    ['duplicate', ...MANDATORY, [5, '61'], TTL_TLV],
    ['length', [1, '04'], PORT_TLV, TTL_TLV],
    ['length', CHASSIS_TLV, [2, '05'], TTL_TLV],
    ['length', CHASSIS_TLV, PORT_TLV, [3, '79']],
    ['length', [1, `04${'00'.repeat(256)}`], PORT_TLV, TTL_TLV],
    ['end', ...MANDATORY, [0, '00']],
  ];
  for (const [fault, ...tlvs] of refusals) {
    const octets = pdu(...tlvs);
    assert.equal(decodeLldpdu(octets, 0, octets.length), fault, JSON.stringify(tlvs));
  }
  const long = pdu([1, `04${'61'.repeat(255)}`], PORT_TLV, [3, '007900']);
  assert.equal(decode(long).lldpdu.chassisId.octets.length, 255);
});

test('the End TLV may be absent, a TLV may not reach beyond the LLDPDU', () => {
  assert.equal(decode(pdu(...MANDATORY)).lldpdu.ttlSeconds, 121);
  for (const cut of [1, 2]) {
    const octets = pdu(...MANDATORY, [5, '6162']);
    assert.equal(decodeLldpdu(octets, 0, octets.length - cut), 'truncated');
  }
  const half = Buffer.concat([pdu(...MANDATORY), Buffer.from([10])]);
  assert.equal(decodeLldpdu(half, 0, half.length), 'truncated');
});

test('optional TLVs that are malformed or there twice are passed over and counted', () => {
  const discarded = [
    [7, '000400'],
    [8, ''],
    [8, '01'],
    [8, '0100020000000100'],
    [8, `21${'01'.repeat(40)}`],
    [8, '0501c00002010200000003'],
    [127, '0080c2'],
    [127, '0080c20100'],
    [5, '61'.repeat(256)],
  ] as const;
  for (const tlv of discarded) {
    const { discarded: count, unrecognized, lldpdu } = decode(pdu(...MANDATORY, tlv, [4, '78'], END));
    assert.deepEqual([count, unrecognized, lldpdu.portDescription], [1, 0, 'x'], JSON.stringify(tlv));
  }
  const twice = [
    [4, '61'],
    [5, '61'],
    [6, '61'],
    [7, '00040004'],
    [127, '0080c2010007'],
  ] as const;
  const { lldpdu, discarded: count } = decode(pdu(...MANDATORY, ...twice, ...twice, END));
  assert.equal(count, twice.length);
  assert.deepEqual(lldpdu.capabilities, { supported: 4, enabled: 4 });
  assert.equal(lldpdu.portVlanId, 7);
  const address = [8, '0501c0000201020000000300'] as const;
  const many = decode(pdu(...MANDATORY, ...Array.from({ length: MAX_MANAGEMENT_ADDRESSES + 2 }, () => address)));
  assert.equal(many.discarded, 2);
  assert.deepEqual(many.lldpdu.managementAddresses?.[0], {
    family: 1,
    octets: Uint8Array.of(192, 0, 2, 1),
    interfaceSubtype: 2,
    interfaceNumber: 3,
  });
  const longest = decode(pdu(...MANDATORY, [8, `20ff${'61'.repeat(31)}020000000300`]));
  assert.equal(longest.lldpdu.managementAddresses?.[0]?.octets.length, 31);
});

test('TLVs of reserved types and of other organizations are counted as unrecognized', () => {
  const others = [
    [9, '00'],
    [126, ''],
    [127, '00120f0100'],
    [127, '00120f01'],
    [127, '0080c20300'],
  ] as const;
  assert.equal(decode(pdu(...MANDATORY, ...others, END, [5, '61'])).unrecognized, 5);
  assert.equal(decode(pdu(...MANDATORY, END, [5, '61'])).lldpdu.systemName, undefined, 'what follows is padding');
});

test('a shutdown LLDPDU has the mandatory TLVs and an End TLV only', () => {
  const { chassisId, portId } = decode(pdu(...MANDATORY)).lldpdu;
  const octets = encodeLldpdu({ chassisId, portId, ttlSeconds: 0, systemName: 'relay', portVlanId: 1 });
  assert.deepEqual(octets, pdu(CHASSIS_TLV, PORT_TLV, [3, '0000'], END));
});

test('a text that is empty is left out', () => {
  const { chassisId, portId } = decode(pdu(...MANDATORY)).lldpdu;
  const octets = encodeLldpdu({ chassisId, portId, ttlSeconds: 121, portDescription: '', systemName: 'relay' });
  assert.deepEqual(octets, pdu(...MANDATORY, [5, '72656c6179'], END));
});

test('texts are cut at a character, and shown without control characters', () => {
  assert.equal(cutText('a'.repeat(300)).length, 255);
  assert.equal(cutText(`${'a'.repeat(254)}ü`).length, 254);
  assert.equal(cutText(`${'a'.repeat(253)}ü`).toString(), `${'a'.repeat(253)}ü`);
  assert.equal(cutText('ü').toString(), 'ü');
  assert.equal(printable(Buffer.from('relay\0\0')), 'relay');
  assert.equal(printable(Buffer.from('a\x1b[2J\nb\u2028c\u202e')), 'a\ufffd[2J\ufffdb\ufffdc\ufffd');
  assert.equal(printable(Uint8Array.of(0x61, 0xff)), 'a\ufffd');
  assert.equal(printable(Buffer.from('\ufeffrelay')), '\ufffdrelay', 'a byte order mark');
});

test('identifiers and addresses are shown as what their subtypes say', () => {
  const ids: readonly (readonly [string, number, string])[] = [
    ['02:00:00:00:00:1a', CHASSIS.macAddress, '02000000001a'],
    ['0x0200', CHASSIS.macAddress, '0200'],
    ['192.0.2.1', CHASSIS.networkAddress, '01c0000201'],
    ['0xc00002', CHASSIS.networkAddress, '01c00002'],
    ['2001:db8::1', CHASSIS.networkAddress, '0220010db8000000000000000000000001'],
    ['eth0', CHASSIS.interfaceName, '65746830'],
    ['0x1b5b', CHASSIS.local, '1b5b'],
    ['0x00', CHASSIS.local, '00'],
  ];
  for (const [shown, subtype, hex] of ids) {
    assert.equal(showChassisId({ subtype, octets: Buffer.from(hex, 'hex') }), shown);
  }
  assert.equal(showPortId({ subtype: PORT.macAddress, octets: MAC }), '02:00:00:00:00:1a');
  assert.equal(showPortId({ subtype: PORT.networkAddress, octets: Buffer.from('01c0000201', 'hex') }), '192.0.2.1');
  assert.equal(showPortId({ subtype: PORT.interfaceName, octets: Buffer.from('tap0') }), 'tap0');
  const address = { interfaceSubtype: 1, interfaceNumber: 0 };
  assert.equal(showManagementAddress({ family: 6, octets: MAC, ...address }), '02:00:00:00:00:1a');
  assert.equal(showManagementAddress({ family: 9, octets: Uint8Array.of(7), ...address }), '0x07');
  assert.equal(showManagementAddress({ family: 2, octets: Uint8Array.of(7), ...address }), '0x07');
  assert.equal(showManagementAddress({ family: 9, octets: new Uint8Array(16), ...address }), `0x${'00'.repeat(16)}`);
});

test('capabilities have the names of table 8-4, in the order of their bits', () => {
  const names = 'other repeater bridge wlan-ap router telephone docsis station c-vlan s-vlan tpmr';
  assert.equal(capabilityNames(0xffff).join(' '), names);
  assert.deepEqual(capabilityNames(0b10100), ['bridge', 'router']);
  assert.deepEqual(capabilityNames(0x8000), []);
});

test('a frame goes to the nearest bridge, and is at least 60 octets long', () => {
  const { chassisId, portId } = decode(pdu(...MANDATORY)).lldpdu;
  const short = lldpFrame(0x02_0000_0000_1a as never, { chassisId, portId, ttlSeconds: 0 });
  assert.equal(short.length, 60);
  assert.equal(short.toString('hex', 0, 14), '0180c200000e02000000001a88cc');
  assert.equal(isLldp(short, 0), true);
  assert.equal(isLldp(Buffer.from(short.fill(0, 12, 13)), 0), false);
  const long = lldpFrame(1 as never, { chassisId, portId, ttlSeconds: 1, systemDescription: 'x'.repeat(255) });
  assert.ok(long.length > 255);
  assert.equal(decode(long.subarray(14)).lldpdu.systemDescription?.length, 255);
});
