import { PORT_SPECS } from '../../schema/port-spec.ts';
import { TAP_OPTIONS } from '../../schema/tap-options.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { addClientPort } from './add-client-port.ts';
import { controlUrl, gatherOptions } from './connection.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { withPathsOnSwitch } from './path-on-switch.ts';
import { addSettingOptions, SETTING_FLAGS, typedSettings } from './port-settings.ts';
import { portTable } from './tables.ts';

const EXAMPLES = `
Examples:
  $ etherws ctl addport tap tap0
  $ etherws ctl addport netdev eth1
  $ etherws ctl addport client wss://switch.example/ --user ann
`;

/** The options of a tap port that commander parsed. */
type Given = Readonly<Record<string, unknown>> & { readonly netns?: string };

const NAME = 'name of the device, at most 15 bytes';

/** `etherws ctl addport`, with a command for each type of port that can be added. */
export function addAddPort(ctl: Command, terminal: Terminal): void {
  const addport = ctl
    .command('addport')
    .description('add a port')
    .usage('[options] TYPE')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', EXAMPLES)
    // This action runs for all types without a command.
    .argument('[TYPE]')
    .allowExcessArguments()
    .allowUnknownOption()
    .action((type: string | undefined) => refuseType(addport, type));
  addTapPort(addport, terminal);
  addNetdevPort(addport, terminal);
  addClientPort(addport, terminal);
}

function refuseType(addport: Command, type: string | undefined): never {
  if (type === undefined) addport.help({ error: true });
  if (type.startsWith('-')) throw new UsageError(`unknown option '${type}'`, 'See etherws ctl addport --help');
  const kinds = Object.keys(PORT_SPECS).join(', ');
  const server = 'a server port comes up when a tunnel is accepted';
  throw new UsageError(`unknown type of port '${type}'`, `There are ${kinds}${type === 'server' ? `; ${server}` : ''}`);
}

function addTapPort(addport: Command, terminal: Terminal): void {
  const leaf = addLeaf(addport, 'tap', 'create a TAP device, bring it up and make it a port', [
    'addport tap tap0',
    "addport tap 'lab%d'",
    'addport tap eth0 --netns blue --mac 02:00:00:00:00:01',
  ]).argument('<NAME>', `${NAME}; the kernel puts a number for %d, and chooses where it is ''`);
  addTableOptions(addLong(leaf), TAP_OPTIONS);
  addSettingOptions(leaf);
  leaf.action(async (target: string, given: Given, command: Command) => {
    const typed = typedValues(TAP_OPTIONS, given);
    const isPath = given.netns?.includes('/') === true;
    const url = controlUrl(gatherOptions(command), terminal);
    const options = await withPathsOnSwitch(typed, isPath ? ['netns'] : [], url);
    await perform(command, terminal, {
      method: 'addPort',
      // No empty `options`: a switch of 1.x refuses them for a tap.
      params: {
        type: 'tap',
        target,
        ...(Object.keys(options).length === 0 ? {} : { options }),
        ...typedSettings(given),
      },
      names: typedNames(TAP_OPTIONS, ['options'], { target: 'NAME', ...SETTING_FLAGS }),
      table: portTable,
    });
  });
}

function addNetdevPort(addport: Command, terminal: Terminal): void {
  const description = 'attach an existing network device by a raw packet socket';
  const leaf = addLeaf(addport, 'netdev', description, ['addport netdev eth1', 'addport netdev eth1 --name lab']);
  addSettingOptions(addLong(leaf).argument('<NAME>', NAME));
  leaf.action((target: string, given: Readonly<Record<string, unknown>>, command: Command) =>
    perform(command, terminal, {
      method: 'addPort',
      params: { type: 'netdev', target, ...typedSettings(given) },
      names: typedNames({}, [], { target: 'NAME', ...SETTING_FLAGS }),
      table: portTable,
    }),
  );
}
