import { SET_PORT } from '../../control/schema.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { ALL_PORT_COLUMNS, PORT_COLUMNS, portTable } from './tables.ts';

/** `etherws ctl setport` and `delport`. */

const OF_PORTS = { table: portTable, columns: ALL_PORT_COLUMNS, short: PORT_COLUMNS } as const;

export function addSetPort(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'setport', 'change a port: shut or open it, its name, VLANs, limits and guards', [
    'setport 2 --shut 1',
    'setport uplink --shut 0',
    'setport 2 --name uplink --description fibre',
  ]);
  addTableOptions(addLong(leaf).argument('<PORT>', SET_PORT.port.help), SET_PORT);
  leaf.action((port: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'setPort',
      params: { port, ...typedValues(SET_PORT, options) },
      names: typedNames(SET_PORT, []),
      ...OF_PORTS,
    }),
  );
}

export function addDelPort(ctl: Command, terminal: Terminal): void {
  addLong(addLeaf(ctl, 'delport', 'close and remove a port, and print its last state', ['delport 2', 'delport uplink']))
    .argument('<PORT>', SET_PORT.port.help)
    .action((port: string, _options: object, command: Command) =>
      perform(command, terminal, { ...OF_PORTS, method: 'delPort', params: { port } }),
    );
}
