import { addressOf } from '../../wire/bpdu/bridge-id.ts';
import { areSameTimes, compareVectors, type PriorityVector, type Times } from './priority-vector.ts';
import type { BridgeVariables, LocalRoot, PortRole, PortVariables, RemoteRoot } from './variables.ts';

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
  const own: PriorityVector = { rootId: bridgeId, rootPathCost: 0, bridgeId, portId: 0 };
  const local = bestLocalRoot(bridge, own);
  const remote = bestRemoteRoot(bridge, local, own);
  bridge.localRoot = local;
  bridge.remoteRoot = remote;
  bridge.rootPort = remote === undefined ? local?.port : undefined;
  bridge.rootPriority = (remote ?? local)?.path ?? own;
  const times = remote?.times ?? local?.port.portTimes;
  bridge.rootTimes = times === undefined ? bridge.bridgeTimes : agedTimes(times);
}

function bestLocalRoot(bridge: BridgeVariables, own: PriorityVector): LocalRoot | undefined {
  let best: LocalRoot | undefined;
  for (const port of bridge.ports.values()) {
    if (port.infoIs !== 'received' || port.restrictedRole) continue;
    if (addressOf(port.portPriority.bridgeId) === addressOf(own.bridgeId)) continue;
    const path = rootPathOf(port);
    const order = compareVectors(path, best?.path ?? own);
    // The identifier of the receiving port is the last component (17.5).
    if (order > 0 || (order === 0 && best !== undefined && best.port.portId < port.portId)) continue;
    best = { path, port };
  }
  return best;
}

/** Of the vectors of other nodes the best one, if it is better than all of this node. */
function bestRemoteRoot(
  { others }: BridgeVariables,
  local: LocalRoot | undefined,
  own: PriorityVector,
): RemoteRoot | undefined {
  if (others === undefined) return undefined;
  let best: RemoteRoot | undefined;
  for (const root of others.roots()) {
    const { path, portId, node } = best ?? {
      path: local?.path ?? own,
      portId: local?.port.portId ?? 0,
      node: others.node,
    };
    // Should two nodes have the same port identifiers, after all, one has the root port none the less.
    const order = compareVectors(root.path, path) || root.portId - portId || (root.node < node ? -1 : 1);
    if (order < 0) best = root;
  }
  return best;
}

const MAX_COST = 0xffff_ffff;

function rootPathOf({ portPriority, portPathCost }: PortVariables): PriorityVector {
  return { ...portPriority, rootPathCost: Math.min(MAX_COST, portPriority.rootPathCost + portPathCost) };
}

function agedTimes({ messageAge, ...times }: Times): Times {
  return { ...times, messageAge: Math.round(messageAge + 1) };
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
