import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { TapPort } from '../../src/ports/device/tap-port.ts';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { portableEngine } from '../../src/wire/offload/engine.ts';
import { MAX_FINISHED_BYTES } from '../../src/wire/offload/gso.ts';
import { FrameCollector } from '../support/frame-collector.ts';
import { batchWithHeaders, type FrameFields, frameOf, framesOf, superFrameOf } from '../support/frames.ts';
import { applyGro } from '../support/gro.ts';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { streamBatch } from '../support/tcp-streams.ts';

/*
 * The Linux bridge as an oracle: what we write into one TAP device it carries to
 * another. If the other takes no super-frames, the kernel segments and completes
 * checksums itself; then its frames and ours must be the same, octet by octet.
 */
const skip = enterOwnNamespace('ip');
/** A frame that never comes fails the test, and does not hold up all others. */
const TIMEOUT_MS = 60_000;

interface Oracle {
  readonly near: TapPort;
  /** What leaves at a device that takes finished frames only. */
  readonly finished: FrameCollector;
  /** What leaves at a device that takes super-frames. */
  readonly whole: FrameCollector;
}

async function oracle(t: TestContext): Promise<Oracle> {
  const near = await TapPort.open('near', { offload: true });
  const plain = await TapPort.open('plain', { offload: false });
  const rich = await TapPort.open('rich', { offload: true });
  const run = (...args: readonly string[]) => execFileSync('ip', args);
  run('link', 'add', 'oracle', 'type', 'bridge', 'mcast_snooping', '0');
  t.after(async () => {
    for (const port of [near, plain, rich]) await port.close();
    run('link', 'delete', 'oracle');
  });
  for (const name of ['near', 'plain', 'rich']) run('link', 'set', name, 'master', 'oracle');
  run('link', 'set', 'oracle', 'up');
  const [finished, whole] = [new FrameCollector(), new FrameCollector()];
  near.open(new FrameCollector());
  plain.open(finished);
  rich.open(whole);
  return { near, finished, whole };
}

function write(port: TapPort, batch: FrameBatch): void {
  for (let index = 0; index < batch.count; index++) assert.equal(port.send(batch, index), undefined);
  port.flush(true);
}

const PAYLOAD = Buffer.alloc(5000, 0).map((_, index) => index * 31);
const FIN_PSH_ACK_CWR = 0x99;

const kinds: readonly [string, Omit<FrameFields, 'payload'>][] = [
  ['IPv4', { id: 0xfffe, sequence: 0xffff_fff0 }],
  ['IPv4, options, and every flag that moves', { options: new Uint8Array(12).fill(1), flags: FIN_PSH_ACK_CWR }],
  ['IPv4 in a VLAN', { tags: [100], tos: 2 }],
  ['IPv4 in two VLANs', { tags: [200, 300] }],
  ['IPv6', { ipv6: true, flags: FIN_PSH_ACK_CWR }],
  ['IPv6 in a VLAN, with options', { ipv6: true, tags: [100], options: new Uint8Array(40).fill(1) }],
  [
    'IPv6 behind an extension header',
    { ipv6: true, extension: { type: 0, bytes: Buffer.from('0000050200000100', 'hex') } },
  ],
];

const datagrams: typeof kinds = [
  ['UDP over IPv4', { protocol: 'udp', id: 5 }],
  ['UDP over IPv6 in a VLAN', { protocol: 'udp', ipv6: true, tags: [100] }],
];

test('our segments are the kernel’s', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const { near, finished } = await oracle(t);
  for (const [name, fields] of [...kinds, ...datagrams]) {
    await t.test(name, async () => {
      const batch = batchWithHeaders([superFrameOf({ ...fields, payload: PAYLOAD }, 1400)]);
      const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES));
      assert.equal(portableEngine.finish(batch, 0, out), undefined);
      write(near, batch);
      assert.deepEqual(await finished.take(out.count), framesOf(out));
    });
  }
});

test('our completed checksums are the kernel’s', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const { near, finished } = await oracle(t);
  const fields = kinds.flatMap(([, kind]) => [kind, { ...kind, options: new Uint8Array(), protocol: 'udp' as const }]);
  const batch = batchWithHeaders(fields.map((kind) => superFrameOf({ ...kind, payload: PAYLOAD.subarray(0, 333) }, 0)));
  const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES));
  for (let index = 0; index < batch.count; index++) assert.equal(portableEngine.finish(batch, index, out), undefined);
  write(near, batch);
  assert.deepEqual(await finished.take(out.count), framesOf(out));
});

test('the segments that we merge come out of the kernel as they were', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const { near, finished, whole } = await oracle(t);
  for (const [name, fields] of kinds.filter(([, { extension }]) => extension === undefined)) {
    await t.test(name, async () => {
      const flags = (fields.flags ?? 0x10) & ~0x80;
      const superFrame = batchWithHeaders([superFrameOf({ ...fields, flags, payload: PAYLOAD }, 1400)]);
      const segments = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES));
      assert.equal(portableEngine.finish(superFrame, 0, segments), undefined);
      write(near, segments);
      assert.deepEqual(await finished.take(segments.count), framesOf(segments));
      // One frame left as it had been before it was segmented: so they had indeed been merged.
      assert.deepEqual(await whole.take(1), framesOf(superFrame));
    });
  }
});

test('what is not merged arrives too, in its order', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const { near, finished } = await oracle(t);
  const payload = PAYLOAD.subarray(0, 100);
  const fields: FrameFields[] = [
    { payload, sequence: 0, id: 1 },
    { payload, sequence: 100, id: 2, flags: 0x18 },
    { payload, sequence: 300, id: 3 },
    { payload, sequence: 200, id: 4 },
    { payload: new Uint8Array(), sequence: 300, id: 5 },
    { payload, protocol: 'udp', id: 6 },
    { payload, sequence: 400, id: 7, flags: 0x11 },
  ];
  const batch = batchWithHeaders(fields.map((each) => ({ frame: frameOf(each).bytes })));
  write(near, batch);
  assert.deepEqual(await finished.take(batch.count), framesOf(batch));
});

test('disturbed flows are merged on their way into a TAP device as the rules say, and come out as they were', {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const { near, finished, whole } = await oracle(t);
  const seed = fuzzSeed();
  t.diagnostic(`FUZZ_SEED=${seed}`);
  const random = new Random(seed);
  let merged = 0;
  for (let round = fuzzCases(60); round > 0; round--) {
    const batch = streamBatch(random, random.pick([3, 20, 40]), { hasFixedIds: false });
    const indices = Uint32Array.from({ length: batch.count }, (_, index) => index);
    const expected = new FrameBatch(Buffer.alloc(batch.bytes.length + 64));
    assert.equal(applyGro(batch, indices, batch.count, near.offloads, expected), undefined);
    const segments = Array.from(indices, (index) => {
      const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES));
      assert.equal(portableEngine.finish(batch, index, out), undefined);
      return framesOf(out);
    }).flat();
    if (segments.some((segment) => segment.length > near.maxFrameBytes)) continue;
    write(near, batch);
    // The kernel cuts padding off behind a packet, and flows may stand in another order.
    const sorted = (frames: Buffer[]) => frames.map((frame) => frame.toString('hex').replace(/(00)+$/, '')).sort();
    assert.deepEqual(sorted(await finished.take(segments.length)), sorted(segments));
    assert.deepEqual(sorted(await whole.take(expected.count)), sorted(framesOf(expected)));
    merged += batch.count - expected.count;
  }
  assert.ok(merged > 60, `only ${merged} frames were merged`);
});
