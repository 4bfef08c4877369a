import type { Command } from '../commander.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { endpointTable, fdbTable, interfaceTable, portTable } from './tables.ts';

/** The list commands. */

export function addListPort(ctl: Command, terminal: Terminal): void {
  const description = 'list the ports with their frames received and sent';
  addLong(addLeaf(ctl, 'listport', description, ['listport', 'listport --json'])).action(
    (_options: object, command: Command) =>
      perform(command, terminal, { method: 'listPort', params: {}, table: portTable }),
  );
}

export function addListInterface(ctl: Command, terminal: Terminal): void {
  const description = 'list the devices of tap and netdev ports';
  addLong(addLeaf(ctl, 'listif', description, ['listif', 'listif --json'])).action(
    (_options: object, command: Command) =>
      perform(command, terminal, { method: 'listInterface', params: {}, table: interfaceTable }),
  );
}

export function addListFdb(ctl: Command, terminal: Terminal): void {
  const description = 'list the learned addresses and the ports they are at';
  addLong(addLeaf(ctl, 'listfdb', description, ['listfdb', 'listfdb --json'])).action(
    (_options: object, command: Command) =>
      perform(command, terminal, { method: 'listFdb', params: {}, table: fdbTable }),
  );
}

export function addListDoor(ctl: Command, terminal: Terminal): void {
  const description = 'count what was turned away at the two services, and why';
  addLeaf(ctl, 'listdoor', description, ['listdoor', 'listdoor --json']).action((_options: object, command: Command) =>
    perform(command, terminal, { method: 'listDoor', params: {}, table: endpointTable }),
  );
}
