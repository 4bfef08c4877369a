import type { BridgeVariables, PortVariables } from './variables.ts';

/**
 * Procedures and conditions about all ports of a bridge. Those with `Here` in their name are about the ports of this node;
 * they are the same unless other nodes are part of the bridge.
 */

/** setSyncTree (IEEE 802.1D-2004, 17.21.14) */
export function setSyncTree(bridge: BridgeVariables): void {
  setSyncHere(bridge);
  bridge.others?.demandSync();
}

export function setSyncHere(bridge: BridgeVariables): void {
  for (const port of bridge.ports.values()) {
    port.sync = true;
    bridge.pending.add(port);
  }
}

/** setReRootTree (17.21.15) */
export function setReRootTree(bridge: BridgeVariables): void {
  setReRootHere(bridge);
  bridge.others?.demandReRoot();
}

export function setReRootHere(bridge: BridgeVariables): void {
  for (const port of bridge.ports.values()) {
    port.reRoot = true;
    bridge.pending.add(port);
  }
}

/** setTcPropTree (17.21.18): for all ports but the one that calls it. */
export function setTcPropTree(caller: PortVariables): void {
  setTcPropHere(caller.bridge, caller);
  caller.bridge.others?.topologyChanged();
}

export function setTcPropHere(bridge: BridgeVariables, caller?: PortVariables): void {
  for (const port of bridge.ports.values()) {
    if (port === caller) continue;
    port.tcProp = true;
    bridge.pending.add(port);
  }
}

/** allSynced (17.20.3): each port has its selected role, and all but the root port are synchronized. */
export function allSynced(bridge: BridgeVariables): boolean {
  return isSyncedHere(bridge) && (bridge.others?.areSynced() ?? true);
}

export function isSyncedHere(bridge: BridgeVariables): boolean {
  for (const port of bridge.ports.values()) {
    if (!port.isSelected || port.role !== port.selectedRole) return false;
    if (port.role !== 'root' && !port.synced) return false;
  }
  return true;
}

/** reRooted (17.20.10): no other port was a root port lately. */
export function reRooted(caller: PortVariables): boolean {
  for (const port of caller.bridge.ports.values()) if (port !== caller && port.rrWhile !== 0) return false;
  return caller.bridge.others?.areReRooted() ?? true;
}
