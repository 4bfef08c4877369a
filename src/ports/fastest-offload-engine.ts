import { nativeEngine } from '../wire/native-offload-engine.ts';
import { type Coalescer, type OffloadEngine, portableEngine } from '../wire/offload-engine.ts';
import { nativeAddon } from './native.ts';

/** The offload engine in native code where the addon is built, else the one in TypeScript; they do the same. */
export function fastestOffloadEngine(): OffloadEngine & Coalescer {
  try {
    return nativeEngine(nativeAddon());
  } catch {
    return portableEngine;
  }
}
