import type { NeighborEntry } from '../control/neighbor-entries.ts';
import type { AttachedPort } from './attached-port.ts';
import { neighborEntry } from './lldp/neighbor-entries.ts';
import type { Switch } from './switch.ts';

/** What LLDP has found. @param network only in this one; default: in all. @throws EtherwsError NETWORK_NOT_FOUND */
export function listNeighbors(owner: Switch, network: string | undefined): NeighborEntry[] {
  const nowMs = performance.now();
  return owner
    .networksNamed(network)
    .flatMap(({ name, entities }) =>
      [...(entities.lldp.agent?.neighbors.all() ?? [])].map((found) =>
        neighborEntry(found, name, owner.nameOf(found.port), nowMs),
      ),
    );
}

/** What LLDP has found at a port. */
export function neighborsAt({ bridgePort, network, name }: AttachedPort): NeighborEntry[] {
  const nowMs = performance.now();
  const found = network.entities.lldp.agent?.neighbors.of(bridgePort) ?? [];
  return [...found].map((neighbor) => neighborEntry(neighbor, network.name, name, nowMs));
}
