import type { PortVariables } from './variables.ts';

/** The Bridge Detection state machine (IEEE 802.1D-2004, 17.25). Its states EDGE and NOT_EDGE are the values of operEdge. */

export function beginBridgeDetection(port: PortVariables): void {
  port.operEdge = port.adminEdge;
}

/** @returns whether it has changed its state */
export function bridgeDetection(port: PortVariables): boolean {
  // A received BPDU clears operEdge (17.23), which is EDGE's transition to NOT_EDGE as well.
  const isEdge = port.operEdge ? port.portEnabled || port.adminEdge : becomesEdge(port);
  if (isEdge === port.operEdge) return false;
  port.operEdge = isEdge;
  return true;
}

function becomesEdge(port: PortVariables): boolean {
  if (!port.portEnabled) return port.adminEdge;
  return port.edgeDelayWhile === 0 && port.autoEdge && port.sendRstp && port.proposing;
}
