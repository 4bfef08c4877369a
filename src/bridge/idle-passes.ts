import type { OffloadEngine } from '../wire/offload/engine.ts';
import type { Pass } from './pass.ts';

const byEngine = new WeakMap<OffloadEngine, Pass[]>();

/**
 * The passes that no bridge with this engine uses now. They are of the process, since one batch at a time is in the bridges, and
 * those that it enters through their ports; each of a thousand bridges had a pass of its own, and its slabs.
 */
export function idlePassesOf(engine: OffloadEngine): Pass[] {
  let passes = byEngine.get(engine);
  if (passes === undefined) {
    passes = [];
    byEngine.set(engine, passes);
  }
  return passes;
}
