import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Mask, type Masking, MaskingKeys, maskInScript } from '../../wire/websocket-framing.ts';

interface Bufferutil {
  mask(source: Uint8Array, key: Uint8Array, target: Uint8Array, offset: number, length: number): void;
}

/** Below this a call into native code costs more than it saves. */
const WORTH_A_CALL_BYTES = 400;

/** The fastest {@link Mask} of this machine: bufferutil's where it is installed. */
export const fastMask: Mask = createMask();

/** The masking of a client's messages: fast, with keys from the system's generator. */
export const CLIENT_MASKING: Masking = {
  mask: fastMask,
  keys: new MaskingKeys((pool) => {
    randomFillSync(pool);
  }),
};

function createMask(): Mask {
  const native = loadBufferutil();
  if (native === undefined) return maskInScript;
  return (source, sourceStart, target, targetStart, length, key) => {
    if (length < WORTH_A_CALL_BYTES) {
      maskInScript(source, sourceStart, target, targetStart, length, key);
    } else {
      native.mask(source.subarray(sourceStart, sourceStart + length), key, target, targetStart, length);
    }
  };
}

function loadBufferutil(): Bufferutil | undefined {
  try {
    return createRequire(import.meta.url)('bufferutil') as Bufferutil;
  } catch {
    return undefined;
  }
}
