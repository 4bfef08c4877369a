import type { BridgeTree } from '../bridge/spanning-tree/bridge-tree.ts';
import type { TreePort } from '../bridge/spanning-tree/tree-port.ts';
import type { LiveStpEntry, LiveStpPortEntry, StpEntry, StpPortEntry } from '../control/stp-entries.ts';
import { formatBridgeId, formatPortId } from '../wire/bpdu/bridge-id.ts';

/** The entry of a network's spanning tree in `listStp`. @param nameOf the name of the port with a number */
export function stpEntry(
  network: string,
  { tree }: BridgeTree,
  nameOf: (number: number) => string | undefined,
): StpEntry {
  const ports = [...tree.ports.values()].sort((one, other) => one.number - other.number);
  return {
    ...treeFacts(network, tree),
    ports: ports.map((port) => portEntry(port, nameOf(port.number))),
  };
}

/** The ports of the tree without the counters of BPDUs. */
export function* liveTreePorts(
  network: string,
  { tree }: BridgeTree,
  nameOf: (number: number) => string | undefined,
): IterableIterator<LiveStpPortEntry> {
  for (const port of tree.ports.values()) yield { network, ...portFacts(port, nameOf(port.number)) };
}

/** The tree without its ports. */
export function treeFacts(network: string, { bridge }: BridgeTree['tree']): LiveStpEntry {
  const { bridgeId, rootPriority, rootPort, remoteRoot, rootTimes, topologyChanges } = bridge;
  return {
    network,
    bridgeId: formatBridgeId(bridgeId),
    rootId: formatBridgeId(rootPriority.rootId),
    rootPort: rootPort?.number ?? remoteRoot?.port ?? null,
    rootNode: remoteRoot?.node ?? null,
    rootCost: rootPriority.rootPathCost,
    helloTime: rootTimes.helloTime,
    maxAge: rootTimes.maxAge,
    forwardDelay: rootTimes.forwardDelay,
    topologyChanges,
  };
}

function portEntry(port: TreePort, name: string | undefined): StpPortEntry {
  const { received, transmitted, discarded } = port;
  return { ...portFacts(port, name), received: { ...received }, transmitted: { ...transmitted }, discarded };
}

function portFacts(port: TreePort, name: string | undefined): Omit<LiveStpPortEntry, 'network'> {
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
  };
}
