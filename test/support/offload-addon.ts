import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nativeAddon } from '../../src/native/addon.ts';
import type { OffloadEngine } from '../../src/wire/offload/engine.ts';
import { nativeEngine, type OffloadAddon } from '../../src/wire/offload/native-engine.ts';
import type { MessageCodec } from '../../src/wire/websocket/message-codec.ts';

/** The native engine; undefined without the addon. */
export function builtEngine(): OffloadEngine | undefined {
  try {
    return nativeEngine(load());
  } catch {
    return undefined;
  }
}

/** The native codec of WebSocket messages; undefined without the addon. */
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

/** False if the addon can be loaded, else the reason for which a test is skipped. */
export function missingAddon(): string | false {
  try {
    nativeAddon();
    return false;
  } catch {
    return ADDON_HINT;
  }
}
