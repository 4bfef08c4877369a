import {
  type ConfigurationMessage,
  FLAG_AGREEMENT,
  FLAG_LEARNING,
  FLAG_PROPOSAL,
  FLAG_TOPOLOGY_CHANGE,
  FLAG_TOPOLOGY_CHANGE_ACK,
  ROLE_DESIGNATED,
  ROLE_UNKNOWN,
  roleIn,
} from '../../wire/bpdu/bpdu.ts';
import { areSameTimes, compareVectors, isSuperior, type PriorityVector } from './priority-vector.ts';
import type { PortVariables } from './variables.ts';

/** The Port Information state machine (IEEE 802.1D-2004, 17.27; IEEE 802.1Q-2022, 13.35). */

/** The least Hello Time that is taken from a message (table 17-1, compatibility range). */
const MIN_HELLO_TIME = 1;

export function beginPortInformation(port: PortVariables): void {
  disable(port);
}

/** @returns whether it has changed its state */
export function portInformation(port: PortVariables): boolean {
  if (!port.portEnabled && port.infoIs !== 'disabled') {
    disable(port);
    return true;
  }
  switch (port.informationState) {
    case 'disabled':
      if (port.portEnabled) age(port);
      else if (port.rcvdMsg) disable(port);
      else return false;
      return true;
    case 'aged':
      if (!port.selected || !port.updtInfo) return false;
      update(port);
      return true;
    case 'current':
      if (port.selected && port.updtInfo) update(port);
      else if (port.rcvdMsg && !port.updtInfo) receive(port);
      else if (port.infoIs === 'received' && port.rcvdInfoWhile === 0 && !port.updtInfo) age(port);
      else return false;
      return true;
  }
}

/** DISABLED */
function disable(port: PortVariables): void {
  port.informationState = 'disabled';
  port.rcvdMsg = false;
  port.proposing = port.proposed = port.agree = port.agreed = false;
  port.disputed = false;
  port.rcvdInfoWhile = 0;
  port.infoIs = 'disabled';
  port.askReselect();
}

/** AGED */
function age(port: PortVariables): void {
  port.informationState = 'aged';
  port.infoIs = 'aged';
  port.askReselect();
}

/** UPDATE, and on to CURRENT */
function update(port: PortVariables): void {
  port.informationState = 'current';
  port.proposing = port.proposed = false;
  const isBetterOrSame = port.infoIs === 'mine' && compareVectors(port.designatedPriority, port.portPriority) <= 0;
  port.agreed = port.agreed && isBetterOrSame;
  port.synced = port.synced && port.agreed;
  port.portPriority = port.designatedPriority;
  port.portTimes = port.designatedTimes;
  port.updtInfo = false;
  port.infoIs = 'mine';
  port.newInfo = true;
}

/** RECEIVE, one of the five states behind it, and on to CURRENT */
function receive(port: PortVariables): void {
  const { message } = port;
  port.rcvdMsg = false;
  if (message.type === 'tcn') {
    // OTHER; rcvInfo notes the notification (802.1Q-2022, 13.29.13).
    port.rcvdTcn = true;
    return;
  }
  if (isOwn(port, message)) {
    // The port hears itself: as of a neighbour that disputes, nothing may be forwarded into this loop.
    dispute(port);
    return;
  }
  const role = roleIn(message);
  if (role === ROLE_DESIGNATED) receiveDesignated(port, message);
  else if (role !== ROLE_UNKNOWN && !isSuperior(message, port.portPriority)) {
    // NOT_DESIGNATED
    recordAgreement(port, message);
    setTcFlags(port, message);
  }
}

/** By rcvInfo (17.21.8) for messages of a designated port. */
function receiveDesignated(port: PortVariables, message: ConfigurationMessage): void {
  const order = compareVectors(message, port.portPriority);
  if (order === 0 && areSameTimes(message, port.portTimes)) repeatedDesignated(port, message);
  else if (order === 0 || isSuperior(message, port.portPriority)) superiorDesignated(port, message);
  else if ((message.flags & FLAG_LEARNING) !== 0 && message.type === 'rst') dispute(port); // INFERIOR_DESIGNATED
}

/** SUPERIOR_DESIGNATED */
function superiorDesignated(port: PortVariables, message: ConfigurationMessage): void {
  port.agreed = port.proposing = false;
  recordProposal(port, message);
  setTcFlags(port, message);
  port.agree = port.agree && port.infoIs === 'received' && compareVectors(message, port.portPriority) <= 0;
  recordAgreement(port, message);
  port.synced = port.synced && port.agreed;
  recordPriority(port, message);
  recordTimes(port, message);
  updateRcvdInfoWhile(port);
  port.infoIs = 'received';
  port.askReselect();
}

/** REPEATED_DESIGNATED */
function repeatedDesignated(port: PortVariables, message: ConfigurationMessage): void {
  recordProposal(port, message);
  setTcFlags(port, message);
  recordAgreement(port, message);
  updateRcvdInfoWhile(port);
}

/** recordDispute (802.1Q-2022, 13.29.15) */
function dispute(port: PortVariables): void {
  port.disputed = true;
  port.agreed = false;
}

/** recordProposal (17.21.11) */
function recordProposal(port: PortVariables, message: ConfigurationMessage): void {
  if (message.type === 'rst' && (message.flags & FLAG_PROPOSAL) !== 0) port.proposed = true;
}

/** recordAgreement (17.21.9) */
function recordAgreement(port: PortVariables, message: ConfigurationMessage): void {
  const isAgreement = message.type === 'rst' && (message.flags & FLAG_AGREEMENT) !== 0;
  port.agreed = port.bridge.rstpVersion && port.operPointToPointMac && isAgreement;
  if (port.agreed) port.proposing = false;
}

/** setTcFlags (17.21.17) */
function setTcFlags(port: PortVariables, { flags }: ConfigurationMessage): void {
  if ((flags & FLAG_TOPOLOGY_CHANGE) !== 0) port.rcvdTc = true;
  if ((flags & FLAG_TOPOLOGY_CHANGE_ACK) !== 0) port.rcvdTcAck = true;
}

/** recordPriority (17.21.12) */
function recordPriority(port: PortVariables, { rootId, rootPathCost, bridgeId, portId }: PriorityVector): void {
  port.portPriority = { rootId, rootPathCost, bridgeId, portId };
}

/** recordTimes (17.21.13) */
function recordTimes(port: PortVariables, message: ConfigurationMessage): void {
  const { messageAge, maxAge, forwardDelay } = message;
  port.portTimes = { messageAge, maxAge, helloTime: Math.max(MIN_HELLO_TIME, message.helloTime), forwardDelay };
}

/** updtRcvdInfoWhile (17.21.23): three hello times, unless the message would be too old at the next bridge. */
function updateRcvdInfoWhile(port: PortVariables): void {
  const { messageAge, maxAge, helloTime } = port.portTimes;
  port.rcvdInfoWhile = Math.round(messageAge + 1) <= maxAge ? 3 * helloTime : 0;
}

function isOwn({ bridge, portId }: PortVariables, message: ConfigurationMessage): boolean {
  return message.bridgeId === bridge.bridgeId && message.portId === portId;
}
