import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nativeEngine } from '../../src/wire/native-offload-engine.ts';
import type { Coalescer, OffloadEngine } from '../../src/wire/offload-engine.ts';

/** The native engine, or undefined where the addon is not built. */
export function builtEngine(): (OffloadEngine & Coalescer) | undefined {
  try {
    return nativeEngine(createRequire(import.meta.url)(join(process.cwd(), 'build/Release/etherws.node')));
  } catch {
    return undefined;
  }
}

export const ADDON_HINT = 'needs the addon: npm rebuild etherws';
