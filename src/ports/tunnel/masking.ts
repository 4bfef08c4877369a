import { randomFillSync } from 'node:crypto';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import { type Mask, type Masking, MaskingKeys, MessageEncoder, maskInScript } from '../../wire/websocket/framing.ts';
import type { MessageCodec } from '../../wire/websocket/message-codec.ts';

/** Below this length a call of native code costs more than it saves. */
const WORTH_A_CALL_BYTES = 256;

/** The native codec of many messages per call; undefined without the addon. */
export const CODEC: MessageCodec | undefined = loadAddon();

/** The fastest {@link Mask} available. */
export const fastMask: Mask = CODEC === undefined ? maskInScript : maskWith(CODEC);

/** The masking of a client's messages, with keys from the system's random generator. */
export const CLIENT_MASKING: Masking = {
  mask: fastMask,
  keys: new MaskingKeys((pool) => {
    randomFillSync(pool);
  }),
};

function maskWith(codec: MessageCodec): Mask {
  return (source, sourceStart, target, targetStart, length, key) => {
    const mask = length < WORTH_A_CALL_BYTES ? maskInScript : codec.maskOctets;
    mask(source, sourceStart, target, targetStart, length, key);
  };
}

function loadAddon(): NativeAddon | undefined {
  try {
    return nativeAddon();
  } catch {
    // Tunnels work without the addon.
    return undefined;
  }
}

/** The encoders by local role. They have no state between two messages, so all connections share them. */
export const ENCODERS: Readonly<Record<'client' | 'server', MessageEncoder>> = {
  client: new MessageEncoder(CLIENT_MASKING, CODEC),
  server: new MessageEncoder(undefined, CODEC),
};
