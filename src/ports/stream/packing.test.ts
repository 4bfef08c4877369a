import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchWithHeaders } from '../../../test/support/frames.ts';
import { ADDON_HINT, builtCodec } from '../../../test/support/offload-addon.ts';
import { batchOf, type FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { MaskingKeys, MessageEncoder, maskInScript } from '../../wire/websocket/framing.ts';
import type { MessageCodec } from '../../wire/websocket/message-codec.ts';
import { PACKINGS } from './packing.ts';

/** Keys that repeat, so that two encoders mask alike. */
function encoder(isClient: boolean, codec: MessageCodec | undefined): MessageEncoder {
  let next = 0;
  const keys = new MaskingKeys((pool) => {
    for (let i = 0; i < pool.length; i++) pool[i] = next = (next * 73 + 41) & 0xff;
  });
  return new MessageEncoder(isClient ? { mask: maskInScript, keys } : undefined, codec);
}

function packed(isClient: boolean, codec: MessageCodec | undefined, batches: readonly FrameBatch[]): Buffer {
  const { pack, sizeOf } = PACKINGS.batched;
  const noted = batches.flatMap((batch) => Array.from({ length: batch.count }, (_, index) => ({ batch, index })));
  const room = noted.reduce((sum, { batch, index }) => sum + sizeOf(batch.lengths[index] as number), 0);
  const target = Buffer.alloc(room);
  const frames = {
    batches: noted.map(({ batch }) => batch),
    indexes: noted.map(({ index }) => index),
    from: 0,
    to: noted.length,
  };
  return target.subarray(0, pack(encoder(isClient, codec), target, 0, frames));
}

test('native code packs the batched wire as TypeScript does, octet by octet, in the room that was announced', (t) => {
  const codec = builtCodec();
  if (codec === undefined) {
    t.skip(ADDON_HINT);
    return;
  }
  const length = fc.oneof(fc.nat(130), fc.nat(2000), fc.integer({ min: 65_400, max: 65_549 }));
  const frame = fc.tuple(length, fc.nat(255)).map(([bytes, fill]) => Buffer.alloc(bytes, fill));
  const batch = fc
    .tuple(fc.array(frame, { minLength: 1, maxLength: 6 }), fc.boolean())
    .map(([frames, hasHeaders]) =>
      hasHeaders ? batchWithHeaders(frames.map((bytes) => ({ frame: bytes }))) : batchOf(...frames),
    );
  fc.assert(
    fc.property(fc.boolean(), fc.array(batch, { minLength: 1, maxLength: 3 }), (isClient, batches) => {
      assert.deepEqual(packed(isClient, codec, batches), packed(isClient, undefined, batches));
    }),
  );
});

test('native code refuses to write records where there is no room, or of frames outside of their slab', (t) => {
  const codec = builtCodec();
  if (codec === undefined) {
    t.skip(ADDON_HINT);
    return;
  }
  const none = new Uint8Array(0);
  const one = new Uint32Array([0]);
  const write = (target: number, start: number, frameBytes: number, hasHeaders: boolean, key: Uint8Array = none) =>
    codec.writeRecords(
      Buffer.alloc(target),
      0,
      Buffer.alloc(100),
      new Uint32Array([start]),
      new Uint32Array([frameBytes]),
      one,
      1,
      hasHeaders,
      key,
    );
  const exact = 14 + 4 + 14 + 80;
  assert.equal(write(exact, 20, 80, true), 2 + 4 + 14 + 80);
  assert.throws(() => write(exact - 1, 20, 80, true), RangeError, 'no room');
  assert.throws(() => write(exact, 21, 80, true), RangeError, 'behind the end');
  assert.throws(() => write(exact, 9, 80, true), RangeError, 'no room for its header in front');
  assert.throws(() => write(exact, 20, 80, true, new Uint8Array(3)), RangeError, 'a key cut short');
});
