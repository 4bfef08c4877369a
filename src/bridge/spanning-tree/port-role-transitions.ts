import { allSynced, reRooted, setReRootTree, setSyncTree } from './tree.ts';
import type { PortRole, PortVariables } from './variables.ts';

/**
 * The Port Role Transitions state machine (IEEE 802.1D-2004, 17.29; IEEE 802.1Q-2022, 13.37). States that return to
 * their role's state unconditionally are functions here.
 */

/** INIT_PORT, and on to DISABLE_PORT */
export function beginPortRoleTransitions(port: PortVariables): void {
  port.role = 'disabled';
  port.learn = port.forward = false;
  port.synced = false;
  port.sync = port.reRoot = true;
  port.rrWhile = port.fwdDelay;
  port.fdWhile = port.maxAge;
  port.rbWhile = 0;
  port.roleState = 'disablePort';
}

/** @returns whether it has changed its state */
export function portRoleTransitions(port: PortVariables): boolean {
  if (!port.isSelected) return false;
  if (port.role !== port.selectedRole) {
    enterRole(port, port.selectedRole);
    return true;
  }
  switch (port.roleState) {
    case 'disablePort':
      return !port.learning && !port.forwarding && disabledPort(port);
    case 'disabledPort':
      return isUnsettled(port, port.maxAge) && disabledPort(port);
    case 'rootPort':
      return rootPort(port);
    case 'designatedPort':
      return designatedPort(port);
    case 'blockPort':
      return !port.learning && !port.forwarding && alternatePort(port);
    case 'alternatePort':
      return settledAlternatePort(port);
  }
}

function enterRole(port: PortVariables, role: PortRole): void {
  port.role = role;
  port.bridge.actions.changed(port);
  if (role === 'designated' || role === 'disabled') port.bridge.dependents.delete(port);
  else port.bridge.dependents.add(port);
  if (role === 'root') {
    port.roleState = 'rootPort';
    port.rrWhile = port.fwdDelay;
  } else if (role === 'designated') {
    port.roleState = 'designatedPort';
  } else {
    port.roleState = role === 'disabled' ? 'disablePort' : 'blockPort';
    port.learn = port.forward = false;
  }
}

function isUnsettled(port: PortVariables, fdWhile: number): boolean {
  return port.fdWhile !== fdWhile || port.sync || port.reRoot || !port.synced;
}

/** DISABLED_PORT (figure 17-19) */
function disabledPort(port: PortVariables): true {
  port.roleState = 'disabledPort';
  port.fdWhile = port.maxAge;
  return settle(port);
}

function settle(port: PortVariables): true {
  port.synced = true;
  port.rrWhile = 0;
  port.sync = port.reRoot = false;
  return true;
}

/** The states of a root port (figure 17-20) */
function rootPort(port: PortVariables): boolean {
  const { bridge } = port;
  if (port.proposed && !port.agree) {
    // ROOT_PROPOSED
    setSyncTree(bridge);
    port.proposed = false;
  } else if ((!port.agree && allSynced(bridge)) || (port.proposed && port.agree)) {
    // ROOT_AGREED
    port.proposed = port.sync = false;
    port.agree = true;
    port.newInfo = true;
  } else if (!port.forward && !port.reRoot) {
    // REROOT
    setReRootTree(bridge);
  } else if (!port.forward && mayRootForward(port)) {
    if (port.learn) forward(port);
    else learn(port);
  } else if (port.reRoot && port.forward) {
    // REROOTED
    port.reRoot = false;
  } else if (port.rrWhile !== port.fwdDelay) {
    // ROOT_PORT
    port.rrWhile = port.fwdDelay;
  } else return false;
  return true;
}

function mayRootForward(port: PortVariables): boolean {
  return port.fdWhile === 0 || (port.bridge.rstpVersion && port.rbWhile === 0 && reRooted(port));
}

/** ROOT_LEARN, DESIGNATED_LEARN */
function learn(port: PortVariables): void {
  port.learn = true;
  port.fdWhile = port.forwardDelay;
}

/** ROOT_FORWARD, DESIGNATED_FORWARD */
function forward(port: PortVariables): void {
  port.forward = true;
  port.fdWhile = 0;
}

/** The states of a designated port (figure 17-21) */
function designatedPort(port: PortVariables): boolean {
  if (mustDiscard(port)) {
    // DESIGNATED_DISCARD
    port.learn = port.forward = port.disputed = false;
    port.fdWhile = port.forwardDelay;
  } else if (!port.forward && !port.agreed && !port.proposing && !port.operEdge) {
    // DESIGNATED_PROPOSE
    port.proposing = true;
    port.edgeDelayWhile = port.edgeDelay;
    port.newInfo = true;
  } else if (isToBeSynced(port)) {
    // DESIGNATED_SYNCED
    port.rrWhile = 0;
    port.synced = true;
    port.sync = false;
  } else if (port.rrWhile === 0 && port.reRoot) {
    // DESIGNATED_RETIRED
    port.reRoot = false;
  } else if (!port.forward && mayDesignatedForward(port)) {
    if (port.learn) {
      forward(port);
      port.agreed = port.sendRstp;
    } else learn(port);
  } else return false;
  return true;
}

function mustDiscard(port: PortVariables): boolean {
  if (port.operEdge || (!port.learn && !port.forward)) return false;
  return (port.sync && !port.synced) || (port.reRoot && port.rrWhile !== 0) || port.disputed;
}

function isToBeSynced(port: PortVariables): boolean {
  if (port.synced) return port.sync;
  return (!port.learning && !port.forwarding) || port.agreed || port.operEdge;
}

function mayDesignatedForward(port: PortVariables): boolean {
  if (port.sync || (port.reRoot && port.rrWhile !== 0)) return false;
  return port.fdWhile === 0 || port.agreed || port.operEdge;
}

/** ALTERNATE_PORT (figure 17-22) */
function alternatePort(port: PortVariables): true {
  port.roleState = 'alternatePort';
  port.fdWhile = port.fwdDelay;
  return settle(port);
}

/** The states of an alternate or a backup port (figure 17-22) */
function settledAlternatePort(port: PortVariables): boolean {
  const { bridge } = port;
  if (port.proposed && !port.agree) {
    // ALTERNATE_PROPOSED
    setSyncTree(bridge);
    port.proposed = false;
  } else if ((!port.agree && allSynced(bridge)) || (port.proposed && port.agree)) {
    // ALTERNATE_AGREED
    port.proposed = false;
    port.agree = true;
    port.newInfo = true;
  } else if (port.role === 'backup' && port.rbWhile !== 2 * port.helloTime) {
    // BACKUP_PORT
    port.rbWhile = 2 * port.helloTime;
  } else return isUnsettled(port, port.fwdDelay) && alternatePort(port);
  return true;
}
