import { Command } from 'commander';
import { addCommands } from './ctl/commands.ts';
import { addConnectionOptions } from './ctl/connection.ts';
import type { Terminal } from './terminal.ts';

const NOTES = `
Passwords that are not given are asked for. For scripts, use the files or
ETHERWS_CTL_PASSWD and ETHERWS_CLIENT_PASSWD: other users can read options.

Exit status: 0 done, 1 the operation failed, 2 the command line was wrong.

Examples:
  $ etherws ctl addport tap tap0
  $ etherws ctl setif 1 --address 10.0.0.1/24 --mtu 1400
  $ etherws ctl addport client wss://switch.example/ --user ann
  $ etherws ctl listport
  $ etherws ctl --ctlurl https://switch.example:7867/ctl --ctluser root listfdb --json
`;

/** `etherws ctl`: it speaks the control API and loads nothing of a switch. */
export async function ctlCommand(terminal: Terminal, words: readonly string[]): Promise<Command> {
  const ctl = new Command('ctl')
    .description('control a running switch')
    .usage('[options] COMMAND')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', NOTES);
  addConnectionOptions(ctl, false);
  await addCommands(ctl, terminal, words);
  return ctl;
}
