import { setTcPropTree } from './tree.ts';
import type { PortVariables } from './variables.ts';

/** The Topology Change state machine (IEEE 802.1D-2004, 17.31). */

export function beginTopologyChange(port: PortVariables): void {
  inactive(port);
}

/** @returns whether it has changed its state */
export function topologyChange(port: PortVariables): boolean {
  switch (port.topologyState) {
    case 'inactive':
      if (!port.learn) return false;
      learning(port);
      return true;
    case 'learning':
      if (hasNews(port)) learning(port);
      else if (isActive(port) && port.forward && !port.operEdge) detected(port);
      else if (!isActive(port) && !port.learn && !port.learning) inactive(port);
      else return false;
      return true;
    case 'active':
      return active(port);
  }
}

/** ACTIVE, and the states that return to it */
function active(port: PortVariables): boolean {
  if (!isActive(port) || port.operEdge) learning(port);
  else if (port.rcvdTcn) {
    // NOTIFIED_TCN
    newTcWhile(port);
    notifiedTc(port);
  } else if (port.rcvdTc) notifiedTc(port);
  else if (port.tcProp) {
    // PROPAGATING
    newTcWhile(port);
    port.bridge.actions.flush(port);
    port.tcProp = false;
  } else if (port.rcvdTcAck) {
    // ACKNOWLEDGED
    port.tcWhile = 0;
    port.rcvdTcAck = false;
  } else return false;
  return true;
}

function isActive({ role }: PortVariables): boolean {
  return role === 'root' || role === 'designated';
}

function hasNews(port: PortVariables): boolean {
  return port.rcvdTc || port.rcvdTcn || port.rcvdTcAck || port.tcProp;
}

/** INACTIVE */
function inactive(port: PortVariables): void {
  port.topologyState = 'inactive';
  port.bridge.actions.flush(port);
  port.tcWhile = 0;
  port.tcAck = false;
}

/** LEARNING */
function learning(port: PortVariables): void {
  port.topologyState = 'learning';
  port.rcvdTc = port.rcvdTcn = port.rcvdTcAck = port.tcProp = false;
}

/** DETECTED, and on to ACTIVE */
function detected(port: PortVariables): void {
  port.topologyState = 'active';
  newTcWhile(port);
  setTcPropTree(port);
  port.newInfo = true;
  port.bridge.actions.topologyChange(port, true);
}

/** NOTIFIED_TC, and on to ACTIVE */
function notifiedTc(port: PortVariables): void {
  // The flag is set in each message for as long as tcWhile runs there; one change is reported once.
  const isNew = port.tcHeardWhile === 0;
  port.tcHeardWhile = port.helloTime + 1;
  port.rcvdTcn = port.rcvdTc = false;
  if (port.role === 'designated') port.tcAck = true;
  setTcPropTree(port);
  if (isNew) port.bridge.actions.topologyChange(port, false);
}

/** newTcWhile (17.21.7) */
function newTcWhile(port: PortVariables): void {
  if (port.tcWhile !== 0) return;
  if (port.sendRstp) {
    port.tcWhile = port.helloTime + 1;
    port.newInfo = true;
  } else {
    const { maxAge, forwardDelay } = port.bridge.rootTimes;
    port.tcWhile = maxAge + forwardDelay;
  }
}
