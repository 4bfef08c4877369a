import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addClientPort } from './add-client-port.ts';
import { addLeaf, perform } from './leaf.ts';
import { portTable } from './tables.ts';

/** `etherws ctl addport`, with a command for each type of port that can be added. */
export function addAddPort(ctl: Command, terminal: Terminal): void {
  const addport = ctl
    .command('addport')
    .description('add a port')
    .usage('[options] TYPE')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', EXAMPLES);
  addDevicePort(addport, terminal, 'tap', 'create a TAP device, bring it up and make it a port');
  addDevicePort(addport, terminal, 'netdev', 'attach an existing network device by a raw packet socket');
  addClientPort(addport, terminal);
}

const EXAMPLES = `
Examples:
  $ etherws ctl addport tap tap0
  $ etherws ctl addport netdev eth1
  $ etherws ctl addport client wss://switch.example/ --user ann
`;

function addDevicePort(addport: Command, terminal: Terminal, type: 'tap' | 'netdev', description: string): void {
  addLeaf(addport, type, description, [`addport ${type} ${type === 'tap' ? 'tap0' : 'eth1'}`])
    .argument('<NAME>', 'name of the device, at most 15 bytes')
    .action((target: string, _options: object, command: Command) =>
      perform(command, terminal, { method: 'addPort', params: { type, target }, table: portTable }),
    );
}
