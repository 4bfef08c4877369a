import type { BridgeTree } from '../bridge/spanning-tree/bridge-tree.ts';
import type { TreePort } from '../bridge/spanning-tree/tree-port.ts';
import type { StpEntry, StpPortEntry } from '../control/stp-entries.ts';
import { formatBridgeId, formatPortId } from '../wire/bpdu/bridge-id.ts';

/** The entry of a network's spanning tree in `listStp`. @param nameOf the name of the port with a number */
export function stpEntry(
  network: string,
  { tree }: BridgeTree,
  nameOf: (number: number) => string | undefined,
): StpEntry {
  const { bridgeId, rootPriority, rootPort, rootTimes, topologyChanges } = tree.bridge;
  const ports = [...tree.ports.values()].sort((one, other) => one.number - other.number);
  return {
    network,
    bridgeId: formatBridgeId(bridgeId),
    rootId: formatBridgeId(rootPriority.rootId),
    rootPort: rootPort?.number ?? null,
    rootCost: rootPriority.rootPathCost,
    helloTime: rootTimes.helloTime,
    maxAge: rootTimes.maxAge,
    forwardDelay: rootTimes.forwardDelay,
    topologyChanges,
    ports: ports.map((port) => portEntry(port, nameOf(port.number))),
  };
}

function portEntry(port: TreePort, name: string | undefined): StpPortEntry {
  const { rootId, rootPathCost, bridgeId, portId } = port.portPriority;
  return {
    port: port.number,
    portName: name ?? null,
    portId: formatPortId(port.portId),
    role: port.role,
    state: port.state,
    cost: port.portPathCost,
    designatedRoot: formatBridgeId(rootId),
    designatedCost: rootPathCost,
    designatedBridge: formatBridgeId(bridgeId),
    designatedPort: formatPortId(portId),
    edge: port.operEdge,
    pointToPoint: port.operPointToPointMac,
    version: port.sendRstp ? 'rstp' : 'stp',
    guardTripped: port.isGuardTripped,
    received: { ...port.received },
    transmitted: { ...port.transmitted },
    discarded: port.discarded,
  };
}
