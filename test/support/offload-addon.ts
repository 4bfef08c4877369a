import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nativeAddon } from '../../src/native/addon.ts';
import type { OffloadEngine } from '../../src/wire/offload/engine.ts';
import { nativeEngine, type OffloadAddon } from '../../src/wire/offload/native-engine.ts';
import type { MessageCodec } from '../../src/wire/websocket/message-codec.ts';

/** The native engine, or undefined where the addon is not built. */
export function builtEngine(): OffloadEngine | undefined {
  try {
    return nativeEngine(load());
  } catch {
    return undefined;
  }
}

/** The native codec of WebSocket messages, or undefined where the addon is not built. */
export function builtCodec(): MessageCodec | undefined {
  try {
    return load();
  } catch {
    return undefined;
  }
}

function load(): OffloadAddon & MessageCodec {
  return createRequire(import.meta.url)(join(process.cwd(), 'build/Release/etherws.node'));
}

export const ADDON_HINT = 'needs the addon: node scripts/build-addon.mjs';

/** False where the product can load its addon, else why a test that needs it is skipped. */
export function missingAddon(): string | false {
  try {
    nativeAddon();
    return false;
  } catch {
    return ADDON_HINT;
  }
}
