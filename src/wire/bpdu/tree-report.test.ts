import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BridgeId } from './bridge-id.ts';
import { decodeTreeReport, encodeTreeReport, type TreeReport } from './tree-report.ts';

const BRIDGE = 0x8000_0200_0000_0001n as BridgeId;
const REPORT: TreeReport = {
  boot: 0x0102_0304,
  version: 0x0506_0708,
  answeredBoot: 0x090a_0b0c,
  answeredVersion: 0x0d0e_0f10,
  bridgeId: BRIDGE,
  bridgeTimes: { messageAge: 0, maxAge: 20, helloTime: 2, forwardDelay: 15 },
  syncs: 0x1112_1314,
  reRoots: 0x1516_1718,
  changes: 0x191a_1b1c,
  isSynced: false,
  isReRooted: false,
  selected: {
    path: { rootId: 0x1000_0200_0000_0009n as BridgeId, rootPathCost: 20_000, bridgeId: BRIDGE, portId: 0x8002 },
    portId: 0x8003,
  },
  root: {
    path: { rootId: 0x1000_0200_0000_0009n as BridgeId, rootPathCost: 40_000, bridgeId: BRIDGE, portId: 0x8004 },
    portId: 0x8005,
    port: 0x0001_2345,
    times: { messageAge: 1, maxAge: 21, helloTime: 3, forwardDelay: 16 },
  },
};

test('a report has the octets that the table of the format says, so that nodes of other builds understand it', () => {
  const fields = [
    ['version of the format', '01'],
    ['flags', '07'],
    ['boot', '01020304'],
    ['version', '05060708'],
    ['answered', '090a0b0c0d0e0f10'],
    ['bridge', '8000020000000001'],
    ['its times', '0000140002000f00'],
    ['demands', '1112131415161718191a1b1c'],
    ['selected', '1000020000000009' + '00004e20' + '8000020000000001' + '8002' + '8003'],
    ['root', '1000020000000009' + '00009c40' + '8000020000000001' + '8004' + '8005'],
    ['port', '00012345'],
    ['times', '0100150003001000'],
  ];
  const bytes = encodeTreeReport({ ...REPORT, isSynced: true, isReRooted: true });
  assert.equal(Buffer.from(bytes).toString('hex'), fields.map(([, octets]) => octets).join(''));
  const rootless = Buffer.from(encodeTreeReport({ ...REPORT, root: undefined }));
  assert.equal(rootless[1], 0);
  assert.equal(rootless.subarray(70).toString('hex'), ''.padEnd(72, '0'), 'the rows of the root are zeros without it');
});

test('what is encoded is decoded to the same, with each set of flags', () => {
  const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(fields, { noNullPrototype: true });
  const number = fc.integer({ min: 0, max: 0xffff_ffff });
  const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value as BridgeId);
  const portId = fc.integer({ min: 0, max: 0xffff });
  const time = portId.map((ticks) => ticks / 256);
  const times = record({ messageAge: time, maxAge: time, helloTime: time, forwardDelay: time });
  const path = record({ rootId: id, rootPathCost: number, bridgeId: id, portId });
  const root = record({ path, portId, port: number, times });
  const numbers = { boot: number, version: number, answeredBoot: number, answeredVersion: number };
  const report = record({
    ...numbers,
    ...{ bridgeId: id, bridgeTimes: times, syncs: number, reRoots: number, changes: number },
    isSynced: fc.boolean(),
    isReRooted: fc.boolean(),
    selected: record({ path, portId }),
    root: fc.option(root, { nil: undefined }),
  });
  fc.assert(
    fc.property(report, fc.integer({ min: 0, max: 9 }), (sent, offset) => {
      const octets = Buffer.concat([Buffer.alloc(offset, 0xff), encodeTreeReport(sent), Buffer.alloc(3, 0xff)]);
      assert.deepEqual(decodeTreeReport(octets.subarray(offset)), sent, 'octets of a later version are ignored');
    }),
  );
});

test('a cut report, and one of another version, are refused', () => {
  const bytes = encodeTreeReport(REPORT);
  assert.deepEqual(decodeTreeReport(bytes), REPORT);
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeTreeReport(bytes.slice(0, length)), undefined, `${length} octets`);
  }
  for (const version of [0, 2, 255]) assert.equal(decodeTreeReport(bytes.with(0, version)), undefined);
});

test('a time that the field does not hold is its greatest value', () => {
  const bridgeTimes = { messageAge: 256, maxAge: 300, helloTime: 255.999, forwardDelay: 255 + 255 / 256 };
  const decoded = decodeTreeReport(encodeTreeReport({ ...REPORT, bridgeTimes }));
  const most = 0xffff / 256;
  assert.deepEqual(decoded?.bridgeTimes, { messageAge: most, maxAge: most, helloTime: most, forwardDelay: most });
});
