import type { BridgeVariables, PortVariables } from './variables.ts';

/** setSyncTree (IEEE 802.1D-2004, 17.21.14) */
export function setSyncTree(bridge: BridgeVariables): void {
  for (const port of bridge.ports.values()) {
    port.sync = true;
    bridge.pending.add(port);
  }
}

/** setReRootTree (17.21.15) */
export function setReRootTree(bridge: BridgeVariables): void {
  for (const port of bridge.ports.values()) {
    port.reRoot = true;
    bridge.pending.add(port);
  }
}

/** setTcPropTree (17.21.18): for all ports but the one that calls it. */
export function setTcPropTree(caller: PortVariables): void {
  for (const port of caller.bridge.ports.values()) {
    if (port === caller) continue;
    port.tcProp = true;
    caller.bridge.pending.add(port);
  }
}

/** allSynced (17.20.3): each port has its selected role, and all but the root port are synchronized. */
export function allSynced(bridge: BridgeVariables): boolean {
  for (const port of bridge.ports.values()) {
    if (!port.isSelected || port.role !== port.selectedRole) return false;
    if (port.role !== 'root' && !port.synced) return false;
  }
  return true;
}

/** reRooted (17.20.10): no other port was a root port lately. */
export function reRooted(caller: PortVariables): boolean {
  for (const port of caller.bridge.ports.values()) if (port !== caller && port.rrWhile !== 0) return false;
  return true;
}
