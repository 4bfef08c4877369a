import type { LldpNeighbor } from '../../bridge/lldp/lldp-neighbors.ts';
import type { NeighborEntry } from '../../control/neighbor-entries.ts';
import { capabilityNames } from '../../wire/lldp/lldpdu.ts';
import { showChassisId, showManagementAddress, showPortId } from '../../wire/lldp/shown.ts';

/** The entry of a neighbour in `listNeighbor`. @param portName that of our port */
export function neighborEntry(
  { port, lldpdu, sinceMs, expiresMs }: LldpNeighbor,
  network: string,
  portName: string | undefined,
  nowMs: number,
): NeighborEntry {
  const { chassisId, portId, systemName, systemDescription, portDescription, capabilities } = lldpdu;
  return {
    network,
    port: port.number,
    portName: portName ?? null,
    system: systemName ?? null,
    chassis: showChassisId(chassisId),
    neighborPort: showPortId(portId),
    neighborPortDescription: portDescription ?? null,
    systemDescription: systemDescription ?? null,
    capabilities: capabilityNames(capabilities?.enabled ?? 0),
    managementAddresses: (lldpdu.managementAddresses ?? []).map(showManagementAddress),
    portVlanId: lldpdu.portVlanId ?? null,
    age: Math.floor(Math.max(0, nowMs - sinceMs) / 1000),
    ttl: Math.ceil(Math.max(0, expiresMs - nowMs) / 1000),
  };
}
