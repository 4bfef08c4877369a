import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';
import { type Bpdu, type ConfigurationMessage, ROLE_DESIGNATED, ROLE_UNKNOWN, roleFlags, roleIn } from './bpdu.ts';
import { addressOf, type BridgeId, bridgeIdOf, formatBridgeId, formatPortId, priorityOf } from './bridge-id.ts';
import { decodeBpdu } from './decode.ts';
import { encodeBpdu } from './encode.ts';

const SOURCE = 0x0200_0000_0001 as MacAddress;
/** An RST BPDU of a Linux host's `mstpd`, as tcpdump shows it: root 8000.525400aaaaaa, cost 20000, port 8002. */
const RST_FRAME =
  '0180c2000000' +
  '525400bbbbbb' +
  '0027' +
  '424203' +
  '0000' +
  '02' +
  '02' +
  '7c' +
  '8000525400aaaaaa' +
  '00004e20' +
  '8000525400bbbbbb' +
  '8002' +
  '0100' +
  '1400' +
  '0200' +
  '0f00' +
  '00';

function decode(frame: Uint8Array): Bpdu | undefined {
  return decodeBpdu(frame, 0, frame.length);
}

function message(change: Partial<ConfigurationMessage> = {}): ConfigurationMessage {
  return {
    type: 'rst',
    flags: roleFlags(ROLE_DESIGNATED),
    rootId: bridgeIdOf(0x8000, SOURCE),
    rootPathCost: 0,
    bridgeId: bridgeIdOf(0x8000, SOURCE),
    portId: 0x8001,
    messageAge: 0,
    maxAge: 20,
    helloTime: 2,
    forwardDelay: 15,
    ...change,
  };
}

test('an RST BPDU is read field by field', () => {
  const frame = Buffer.from(RST_FRAME, 'hex');
  const bpdu = decode(frame) as ConfigurationMessage;
  assert.deepEqual(bpdu, {
    type: 'rst',
    flags: 0x7c,
    rootId: 0x8000_5254_00aa_aaaan as BridgeId,
    rootPathCost: 20_000,
    bridgeId: 0x8000_5254_00bb_bbbbn as BridgeId,
    portId: 0x8002,
    messageAge: 1,
    maxAge: 20,
    helloTime: 2,
    forwardDelay: 15,
  });
  assert.equal(roleIn(bpdu), ROLE_DESIGNATED);
});

test('a frame is written as other bridges write it, padded to 60 octets', () => {
  const bpdu = decode(Buffer.from(RST_FRAME, 'hex')) as ConfigurationMessage;
  const frame = Buffer.from(encodeBpdu(bpdu, 0x5254_00bb_bbbb as MacAddress));
  assert.equal(frame.toString('hex'), RST_FRAME.padEnd(120, '0'));
});

test('Configuration and TCN BPDUs are written with protocol version 0 (9.3.1, 9.3.2)', () => {
  const octets = (bpdu: Bpdu) => Buffer.from(encodeBpdu(bpdu, SOURCE)).toString('hex');
  const ethernet = '0180c2000000' + '020000000001';
  const id = '8000020000000001';
  const config = `0000000000${id}00000000${id}80010000140002000f00`;
  assert.equal(octets(message({ type: 'config', flags: 0 })), `${ethernet}0026424203${config}`.padEnd(120, '0'));
  assert.equal(octets({ type: 'tcn' }), `${ethernet}000742420300000080`.padEnd(120, '0'));
});

test('the shortest and the longest frame with a BPDU are taken', () => {
  assert.deepEqual(decode(encodeBpdu({ type: 'tcn' }, SOURCE).subarray(0, 17 + 4)), { type: 'tcn' });
  const longest = Buffer.concat([encodeBpdu(message(), SOURCE)], 14 + 1500);
  longest.writeUInt16BE(1500, 12);
  assert.deepEqual(decode(longest), message());
  longest.writeUInt16BE(1501, 12);
  assert.equal(decode(longest), undefined);
});

test('what is encoded is decoded to the same', () => {
  const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value as BridgeId);
  const time = fc.integer({ min: 0, max: 0xffff }).map((ticks) => ticks / 256);
  const fields = fc.record({
    type: fc.constantFrom('config' as const, 'rst' as const),
    flags: fc.integer({ min: 0, max: 255 }),
    rootId: id,
    rootPathCost: fc.integer({ min: 0, max: 0xffff_ffff }),
    bridgeId: id,
    portId: fc.integer({ min: 0, max: 0xffff }),
    messageAge: time,
    maxAge: time,
    helloTime: time,
    forwardDelay: time,
  });
  fc.assert(
    fc.property(fields, fc.integer({ min: 0, max: 40 }), (bpdu, offset) => {
      const frame = encodeBpdu(bpdu, SOURCE);
      const octets = Buffer.concat([Buffer.alloc(offset, 0x42), frame]);
      const isConfig = bpdu.type === 'config' || roleIn(bpdu) === ROLE_UNKNOWN;
      const expected = { ...bpdu, type: isConfig ? 'config' : 'rst' };
      const isStale = isConfig && bpdu.messageAge >= bpdu.maxAge;
      assert.deepEqual(decodeBpdu(octets, offset, frame.length), isStale ? undefined : expected);
    }),
  );
  assert.deepEqual(decode(encodeBpdu({ type: 'tcn' }, SOURCE)), { type: 'tcn' });
});

/** The frame of `message()`, with octets replaced. */
function changed(at: number, ...octets: number[]): Uint8Array {
  const frame = encodeBpdu(message(), SOURCE);
  frame.set(octets, at);
  return frame;
}

test('frames that 9.3.4 does not allow are no BPDUs', () => {
  assert.notEqual(decode(changed(14, 0x42)), undefined, 'the unchanged frame is one');
  const wrong = {
    'another destination SAP': changed(14, 0xaa),
    'another source SAP': changed(15, 0xaa),
    'no unnumbered information': changed(16, 0xf3),
    'an EtherType instead of a length': changed(12, 0x88, 0x00),
    'another protocol': changed(17, 0, 1),
    'an unknown type': changed(20, 0x03),
    'a length below the BPDU': changed(12, 0, 3 + 35),
    'a length below its type': changed(12, 0, 3 + 3),
    'a length of nothing': changed(12, 0, 0),
    'a cut RST BPDU': encodeBpdu(message(), SOURCE).subarray(0, 17 + 35),
    'a cut TCN BPDU': encodeBpdu({ type: 'tcn' }, SOURCE).subarray(0, 17 + 3),
    'a Configuration BPDU of its greatest age': encodeBpdu(message({ type: 'config', messageAge: 20 }), SOURCE),
    'an RST BPDU of no role and its greatest age': encodeBpdu(message({ flags: 0, messageAge: 21 }), SOURCE),
  };
  for (const [name, frame] of Object.entries(wrong)) assert.equal(decode(frame), undefined, name);
});

test('later versions and longer BPDUs are understood (9.3.4)', () => {
  // MSTP: version 3, and octets behind the RST BPDU.
  const frame = Buffer.concat([encodeBpdu(message({ rootPathCost: 7 }), SOURCE), Buffer.alloc(60)]);
  frame[19] = 3;
  frame.writeUInt16BE(3 + 102, 12);
  assert.deepEqual(decode(frame), message({ rootPathCost: 7 }));
});

const CASES = fuzzCases(100_000);

test(`${CASES} hostile BPDUs are decoded or refused, and no octet beside the frame is read`, () => {
  const random = new Random(fuzzSeed());
  const base = Buffer.from(RST_FRAME, 'hex');
  let decoded = 0;
  for (let run = 0; run < CASES; run++) {
    const frame = Buffer.from(random.once(4) ? random.bytes(random.between(14, 64)) : base);
    for (let flips = random.below(4); flips > 0; flips--) frame[random.below(frame.length)] = random.next();
    const length = random.once(3) ? random.between(14, frame.length) : frame.length;
    // In a buffer of exactly this length a read beyond it would throw.
    const bpdu = decodeBpdu(Uint8Array.from(frame.subarray(0, length)), 0, length);
    if (bpdu !== undefined) decoded++;
  }
  assert.ok(decoded > CASES / 10);
});

test('identifiers are shown as bridge(8) shows them', () => {
  const id = bridgeIdOf(0x7001, 0x0200_0000_00ff as MacAddress);
  assert.equal(formatBridgeId(id), '7001.02:00:00:00:00:ff');
  assert.equal(formatBridgeId(bridgeIdOf(1, 0x0200_0000_00ff as MacAddress)), '0001.02:00:00:00:00:ff');
  assert.equal(priorityOf(id), 0x7001);
  assert.equal(addressOf(id), 0x0200_0000_00ff);
  assert.equal(formatPortId(0x800a), '800a');
  assert.equal(formatPortId(1), '0001');
});
