import { addressOf } from '../../wire/bpdu/bridge-id.ts';
import { areSameTimes, compareVectors, type PriorityVector } from './priority-vector.ts';
import type { BridgeVariables, PortRole, PortVariables } from './variables.ts';

/** The Port Role Selection state machine (IEEE 802.1D-2004, 17.28). @returns whether it has selected roles */
export function portRoleSelection(bridge: BridgeVariables): boolean {
  let isAsked = false;
  for (const port of bridge.pending) {
    if (!port.reselect) continue;
    isAsked = true;
    // clearReselectTree (17.21.2)
    port.reselect = false;
    // setSelectedTree (17.21.16): the other ports are selected, and none can ask anew meanwhile.
    port.selected = true;
  }
  if (!isAsked) return false;
  selectRoles(bridge);
  return true;
}

/** updtRolesTree (17.21.25) */
export function selectRoles(bridge: BridgeVariables): void {
  selectRoot(bridge);
  const { rootId, rootPathCost } = bridge.rootPriority;
  const { bridgeId, rootPort } = bridge;
  for (const port of bridge.ports.values()) {
    // d) and e): the designated priority vector (17.5) and the designated times of each port.
    port.designatedPriority = { rootId, rootPathCost, bridgeId, portId: port.portId };
    port.designatedTimes = { ...bridge.rootTimes, helloTime: bridge.bridgeTimes.helloTime };
    const role = port === rootPort ? 'root' : roleWithout(port);
    port.selectedRole = role;
    // A port with another role than designated keeps the information of its designated bridge.
    port.updtInfo = role === 'designated' && mustUpdate(port);
    if (port.updtInfo || role !== port.role) bridge.pending.add(port);
  }
}

/** a) to c): the root path priority vectors of the ports, and the best of them and of the bridge's own. */
function selectRoot(bridge: BridgeVariables): void {
  const { bridgeId } = bridge;
  let best: PriorityVector = { rootId: bridgeId, rootPathCost: 0, bridgeId, portId: 0 };
  let rootPort: PortVariables | undefined;
  for (const port of bridge.ports.values()) {
    if (port.infoIs !== 'received' || port.restrictedRole) continue;
    if (addressOf(port.portPriority.bridgeId) === addressOf(bridgeId)) continue;
    const path = rootPathOf(port);
    const order = compareVectors(path, best);
    // The identifier of the receiving port is the last component (17.5).
    if (order > 0 || (order === 0 && rootPort !== undefined && rootPort.portId < port.portId)) continue;
    best = path;
    rootPort = port;
  }
  bridge.rootPriority = best;
  bridge.rootPort = rootPort;
  bridge.rootTimes = rootPort === undefined ? bridge.bridgeTimes : agedTimes(rootPort);
}

const MAX_COST = 0xffff_ffff;

function rootPathOf({ portPriority, portPathCost }: PortVariables): PriorityVector {
  return { ...portPriority, rootPathCost: Math.min(MAX_COST, portPriority.rootPathCost + portPathCost) };
}

function agedTimes({ portTimes }: PortVariables): BridgeVariables['rootTimes'] {
  return { ...portTimes, messageAge: Math.round(portTimes.messageAge + 1) };
}

/** f) to l): the role of a port that is not the root port. */
function roleWithout(port: PortVariables): PortRole {
  if (port.infoIs === 'disabled') return 'disabled';
  if (port.infoIs !== 'received') return 'designated';
  if (compareVectors(port.designatedPriority, port.portPriority) < 0) return 'designated';
  const isOurs = addressOf(port.portPriority.bridgeId) === addressOf(port.bridge.bridgeId);
  return isOurs ? 'backup' : 'alternate';
}

function mustUpdate(port: PortVariables): boolean {
  if (port.infoIs !== 'mine') return true;
  return (
    compareVectors(port.portPriority, port.designatedPriority) !== 0 ||
    !areSameTimes(port.portTimes, port.designatedTimes)
  );
}
