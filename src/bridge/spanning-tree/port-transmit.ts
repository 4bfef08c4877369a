import {
  type ConfigurationMessage,
  FLAG_AGREEMENT,
  FLAG_FORWARDING,
  FLAG_LEARNING,
  FLAG_PROPOSAL,
  FLAG_TOPOLOGY_CHANGE,
  FLAG_TOPOLOGY_CHANGE_ACK,
  ROLE_ALTERNATE_BACKUP,
  ROLE_DESIGNATED,
  ROLE_ROOT,
  ROLE_UNKNOWN,
  roleFlags,
} from '../../wire/bpdu/bpdu.ts';
import type { PortRole, PortVariables } from './variables.ts';

/** The Port Transmit state machine (IEEE 802.1D-2004, 17.26). */

/** TRANSMIT_INIT, and on to IDLE. */
export function beginPortTransmit(port: PortVariables): void {
  port.newInfo = true;
  port.txCount = 0;
  idle(port);
}

/** @returns whether it has changed its state */
export function portTransmit(port: PortVariables): boolean {
  if (port.role === 'disabled' || !port.isSelected) return false;
  if (port.helloWhen === 0) {
    transmitPeriodic(port);
    return true;
  }
  if (!port.newInfo || port.txCount >= port.bridge.txHoldCount) return false;
  if (port.sendRstp) transmitRstp(port);
  else if (port.role === 'root') transmitTcn(port);
  else if (port.role === 'designated') transmitConfig(port);
  else return false;
  idle(port);
  return true;
}

function idle(port: PortVariables): void {
  port.helloWhen = port.helloTime;
}

function transmitPeriodic(port: PortVariables): void {
  port.newInfo = port.newInfo || port.role === 'designated' || (port.role === 'root' && port.tcWhile !== 0);
  idle(port);
}

function transmitRstp(port: PortVariables): void {
  port.newInfo = false;
  sendRst(port);
  port.txCount++;
  port.tcAck = false;
}

function transmitTcn(port: PortVariables): void {
  port.newInfo = false;
  port.bridge.actions.transmit(port, { type: 'tcn' });
  port.txCount++;
}

function transmitConfig(port: PortVariables): void {
  port.newInfo = false;
  sendConfig(port);
  port.txCount++;
  port.tcAck = false;
}

const ROLES: Readonly<Record<PortRole, number>> = {
  root: ROLE_ROOT,
  designated: ROLE_DESIGNATED,
  alternate: ROLE_ALTERNATE_BACKUP,
  backup: ROLE_ALTERNATE_BACKUP,
  disabled: ROLE_UNKNOWN,
};

/** txRstp (17.21.20). */
function sendRst(port: PortVariables): void {
  let flags = roleFlags(ROLES[port.role]);
  if (port.agree) flags |= FLAG_AGREEMENT;
  if (port.proposing) flags |= FLAG_PROPOSAL;
  if (port.tcWhile !== 0) flags |= FLAG_TOPOLOGY_CHANGE;
  if (port.learning) flags |= FLAG_LEARNING;
  if (port.forwarding) flags |= FLAG_FORWARDING;
  port.bridge.actions.transmit(port, messageOf(port, 'rst', flags));
}

/** txConfig (17.21.19). */
function sendConfig(port: PortVariables): void {
  let flags = 0;
  if (port.tcWhile !== 0) flags |= FLAG_TOPOLOGY_CHANGE;
  if (port.tcAck) flags |= FLAG_TOPOLOGY_CHANGE_ACK;
  port.bridge.actions.transmit(port, messageOf(port, 'config', flags));
}

function messageOf(port: PortVariables, type: 'config' | 'rst', flags: number): ConfigurationMessage {
  return { type, flags, ...port.designatedPriority, ...port.designatedTimes };
}
