import { MIGRATE_TIME, type PortVariables } from './variables.ts';

/** The Port Receive state machine (IEEE 802.1D-2004, 17.23). */

export function beginPortReceive(port: PortVariables): void {
  discard(port);
}

/** @returns whether it has changed its state */
export function portReceive(port: PortVariables): boolean {
  if (!port.portEnabled) {
    if (!port.rcvdBpdu && port.edgeDelayWhile === MIGRATE_TIME) return false;
    discard(port);
    return true;
  }
  if (!port.rcvdBpdu || (port.receiveState === 'receive' && port.rcvdMsg)) return false;
  receive(port);
  return true;
}

function discard(port: PortVariables): void {
  port.receiveState = 'discard';
  port.rcvdBpdu = port.rcvdRstp = port.rcvdStp = false;
  port.rcvdMsg = false;
  port.edgeDelayWhile = MIGRATE_TIME;
}

function receive(port: PortVariables): void {
  port.receiveState = 'receive';
  updateBpduVersion(port);
  port.operEdge = port.rcvdBpdu = false;
  port.rcvdMsg = true;
  port.edgeDelayWhile = MIGRATE_TIME;
}

/** updtBPDUVersion (17.21.22). */
function updateBpduVersion(port: PortVariables): void {
  if (port.message.type === 'rst') port.rcvdRstp = true;
  else port.rcvdStp = true;
}
