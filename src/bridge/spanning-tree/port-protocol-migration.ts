import { MIGRATE_TIME, type PortVariables } from './variables.ts';

/** The Port Protocol Migration state machine (IEEE 802.1D-2004, 17.24). */

export function beginPortProtocolMigration(port: PortVariables): void {
  checkRstp(port);
}

/** @returns whether it has changed its state */
export function portProtocolMigration(port: PortVariables): boolean {
  switch (port.migrationState) {
    case 'checkingRstp':
      if (port.mdelayWhile === 0) sense(port);
      else if (port.mdelayWhile !== MIGRATE_TIME && !port.portEnabled) checkRstp(port);
      else return false;
      return true;
    case 'sensing':
      if (!port.portEnabled || port.mcheck || mayMigrateBack(port)) checkRstp(port);
      else if (port.sendRstp && port.rcvdStp) selectStp(port);
      else return false;
      return true;
    case 'selectingStp':
      if (port.mdelayWhile !== 0 && port.portEnabled && !port.mcheck) return false;
      sense(port);
      return true;
  }
}

function mayMigrateBack(port: PortVariables): boolean {
  return port.bridge.rstpVersion && !port.sendRstp && port.rcvdRstp;
}

function checkRstp(port: PortVariables): void {
  port.migrationState = 'checkingRstp';
  port.mcheck = false;
  port.sendRstp = port.bridge.rstpVersion;
  port.mdelayWhile = MIGRATE_TIME;
}

function selectStp(port: PortVariables): void {
  port.migrationState = 'selectingStp';
  port.sendRstp = false;
  port.mdelayWhile = MIGRATE_TIME;
}

function sense(port: PortVariables): void {
  port.migrationState = 'sensing';
  port.rcvdRstp = port.rcvdStp = false;
}
