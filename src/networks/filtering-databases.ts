import type { AttachedPort } from './attached-port.ts';
import type { SeenEntry } from './fdb-entry.ts';
import type { Network } from './network.ts';
import type { Switch } from './switch.ts';

/** The filtering databases of a switch as they are read, one of each network. */

/** All entries, each with the time since its address was seen, and whether that moves to and fro. */
export function seenEntries(networks: readonly Network[], nowMs: number): SeenEntry[] {
  return networks
    .flatMap(({ bridge }) => [...bridge.fdbEntries(nowMs)])
    .map((entry) => ({
      entry,
      ageMs: nowMs - entry.seenMs,
      isFlapping: entry.moves?.isFlapping(nowMs) ?? false,
    }));
}

/**
 * The same with their ports, in any order. The switch may change while the reader pauses; then one may come twice, and none comes
 * whose port has gone, also if another port has its number now.
 */
export function* eachStation(
  owner: Switch,
): IterableIterator<{ readonly seen: SeenEntry; readonly port: AttachedPort }> {
  for (const { bridge } of owner.networks) {
    for (const entry of bridge.scanFdb(() => performance.now())) {
      const port = owner.portAt(entry.port.number);
      if (port === undefined || port.bridgePort !== entry.port) continue;
      const nowMs = performance.now();
      const isFlapping = entry.moves?.isFlapping(nowMs) ?? false;
      yield { seen: { entry, ageMs: nowMs - entry.seenMs, isFlapping }, port };
    }
  }
}

/** The numbers of learned addresses, their limits, and those displaced from full databases since the start. */
export interface FdbUse {
  readonly addresses: number;
  readonly capacity: number;
  readonly displaced: number;
}

export function fdbUse(networks: Iterable<Network>): FdbUse {
  const use = { addresses: 0, capacity: 0, displaced: 0 };
  for (const { bridge } of networks) {
    use.addresses += bridge.fdbSize;
    use.capacity += bridge.fdbCapacity;
    use.displaced += bridge.fdbDisplaced;
  }
  return use;
}
