import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import { nativeEngine } from '../wire/offload/native-engine.ts';
import { nativeAddon } from './addon.ts';

let engine: OffloadEngine | undefined;

/** The software offload of this process: native code where the addon is built, else TypeScript. */
export function offloadEngine(): OffloadEngine {
  engine ??= fastest();
  return engine;
}

function fastest(): OffloadEngine {
  try {
    return nativeEngine(nativeAddon());
  } catch {
    // Tunnels and the library work without the addon.
    return portableEngine;
  }
}
