import type { Command } from '../commander.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';
import {
  ALL_FDB_COLUMNS,
  ALL_INTERFACE_COLUMNS,
  ALL_PORT_COLUMNS,
  endpointTable,
  fdbTable,
  interfaceTable,
  portTable,
} from './tables.ts';

/** The list commands. */

export function addListPort(ctl: Command, terminal: Terminal): void {
  const description = 'list the ports with their frames received and sent';
  addSelection(
    addLong(
      addLeaf(ctl, 'listport', description, ['listport', 'listport --json', 'listport --filter state=up --sort -rx']),
    ),
  ).action((_options: object, command: Command) =>
    perform(command, terminal, { method: 'listPort', params: {}, table: portTable, columns: ALL_PORT_COLUMNS }),
  );
}

export function addListInterface(ctl: Command, terminal: Terminal): void {
  const description = 'list the devices of tap and netdev ports';
  addSelection(addLong(addLeaf(ctl, 'listif', description, ['listif', 'listif --json']))).action(
    (_options: object, command: Command) =>
      perform(command, terminal, {
        method: 'listInterface',
        params: {},
        table: interfaceTable,
        columns: ALL_INTERFACE_COLUMNS,
      }),
  );
}

export function addListFdb(ctl: Command, terminal: Terminal): void {
  const description = 'list the learned addresses and the ports they are at';
  addSelection(
    addLong(
      addLeaf(ctl, 'listfdb', description, ['listfdb', 'listfdb --json', 'listfdb --filter port=2 --sort vlan,age']),
    ),
  ).action((_options: object, command: Command) =>
    perform(command, terminal, { method: 'listFdb', params: {}, table: fdbTable, columns: ALL_FDB_COLUMNS }),
  );
}

export function addListDoor(ctl: Command, terminal: Terminal): void {
  const description = 'count what was turned away at the two services, and why';
  addLeaf(ctl, 'listdoor', description, ['listdoor', 'listdoor --json']).action((_options: object, command: Command) =>
    perform(command, terminal, { method: 'listDoor', params: {}, table: endpointTable }),
  );
}
