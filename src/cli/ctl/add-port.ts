import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addClientPort, pathOnSwitch } from './add-client-port.ts';
import { controlUrl, gatherOptions } from './connection.ts';
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
  addTapPort(addport, terminal);
  addNetdevPort(addport, terminal);
  addClientPort(addport, terminal);
}

const EXAMPLES = `
Examples:
  $ etherws ctl addport tap tap0
  $ etherws ctl addport netdev eth1
  $ etherws ctl addport client wss://switch.example/ --user ann
`;

const NAME = 'name of the device, at most 15 bytes';

interface TapPortOptions {
  netns?: string;
  mac?: string;
}

function addTapPort(addport: Command, terminal: Terminal): void {
  addLeaf(addport, 'tap', 'create a TAP device, bring it up and make it a port', [
    'addport tap tap0',
    "addport tap 'lab%d'",
    'addport tap eth0 --netns blue --mac 02:00:00:00:00:01',
  ])
    .argument('<NAME>', `${NAME}; the kernel puts a number for %d, and chooses where it is ''`)
    .option('--netns <NETNS>', 'put it into this network namespace: a name as of `ip netns`, or a path')
    .option('--mac <ADDRESS>', 'give it this MAC address')
    .action(async (target: string, given: TapPortOptions, command: Command) => {
      const options = await tapOptions(given, controlUrl(gatherOptions(command), terminal));
      // Said only where there is something to say, so that an older switch understands it.
      const params = { type: 'tap' as const, target, ...(Object.keys(options).length === 0 ? {} : { options }) };
      await perform(command, terminal, { method: 'addPort', params, table: portTable });
    });
}

async function tapOptions({ netns, mac }: TapPortOptions, url: string | undefined): Promise<TapPortOptions> {
  const place = netns?.includes('/') === true ? await pathOnSwitch(netns, url) : netns;
  return { ...(place === undefined ? {} : { netns: place }), ...(mac === undefined ? {} : { mac }) };
}

function addNetdevPort(addport: Command, terminal: Terminal): void {
  addLeaf(addport, 'netdev', 'attach an existing network device by a raw packet socket', ['addport netdev eth1'])
    .argument('<NAME>', NAME)
    .action((target: string, _options: object, command: Command) =>
      perform(command, terminal, { method: 'addPort', params: { type: 'netdev', target }, table: portTable }),
    );
}
