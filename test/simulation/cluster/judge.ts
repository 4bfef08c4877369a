import type { ClusterModel } from './cluster-model.ts';
import { nameOf } from './sim-node.ts';

const MOST_FAULTS = 10;

/** What the full nodes know otherwise than it is, in words. @param stations default: all */
export function faultsOf(model: ClusterModel, stations: Iterable<number> = model.truth.keys()): string[] {
  const faults: string[] = [];
  const { full } = model;
  for (const station of stations) {
    const is = model.truth[station] as number;
    for (const node of full) {
      const known = node.whereIs(station);
      if (known === is) continue;
      faults.push(`${nameOf(node.index)} has station ${station} at ${placeOf(known)}, and it is at ${placeOf(is)}`);
      if (faults.length === MOST_FAULTS) return faults;
    }
  }
  return faults;
}

/** Whether the full nodes agree with the truth about these stations. */
export function isRight(model: ClusterModel, stations: Iterable<number>): boolean {
  return faultsOf(model, stations).length === 0;
}

function placeOf(node: number): string {
  return node < 0 ? 'none' : nameOf(node);
}
