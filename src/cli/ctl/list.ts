import { OF_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, addSelection, perform } from './leaf.ts';
import {
  ALL_FDB_COLUMNS,
  ALL_INTERFACE_COLUMNS,
  ALL_PORT_COLUMNS,
  endpointTable,
  FDB_COLUMNS,
  fdbTable,
  INTERFACE_COLUMNS,
  interfaceTable,
  PORT_COLUMNS,
  portTable,
} from './tables.ts';

/** The list commands. */

export function addListPort(ctl: Command, terminal: Terminal): void {
  const description = 'list the ports with their frames received and sent';
  const examples = ['listport', 'listport --json', 'listport --filter state=up --sort -rx', 'listport --net lab'];
  const leaf = addSelection(addLong(addLeaf(ctl, 'listport', description, examples)));
  addTableOptions(leaf, OF_NETWORK);
  leaf.action((options: Readonly<Record<string, unknown>>, command: Command) =>
    perform(command, terminal, {
      method: 'listPort',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: portTable,
      columns: ALL_PORT_COLUMNS,
      short: PORT_COLUMNS,
    }),
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
        short: INTERFACE_COLUMNS,
      }),
  );
}

export function addListFdb(ctl: Command, terminal: Terminal): void {
  const description = 'list the learned addresses and the ports they are at';
  const examples = ['listfdb', 'listfdb --json', 'listfdb --filter port=2 --sort vlan,age', 'listfdb --net lab'];
  const leaf = addSelection(addLong(addLeaf(ctl, 'listfdb', description, examples)));
  addTableOptions(leaf, OF_NETWORK);
  leaf.action((options: Readonly<Record<string, unknown>>, command: Command) =>
    perform(command, terminal, {
      method: 'listFdb',
      params: typedValues(OF_NETWORK, options),
      names: typedNames(OF_NETWORK, []),
      table: fdbTable,
      columns: ALL_FDB_COLUMNS,
      short: FDB_COLUMNS,
    }),
  );
}

export function addListDoor(ctl: Command, terminal: Terminal): void {
  const description = 'count what was turned away at the two services, and why';
  addLeaf(ctl, 'listdoor', description, ['listdoor', 'listdoor --json']).action((_options: object, command: Command) =>
    perform(command, terminal, { method: 'listDoor', params: {}, table: endpointTable }),
  );
}
