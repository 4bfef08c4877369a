import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { controlAddress } from '../../control/control-address.ts';
import { type ClientOptions, WIRE_CHOICES, type WireChoice } from '../../control/schema.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { controlUrl, gatherOptions } from './connection.ts';
import { addLeaf, perform } from './leaf.ts';
import { findPassword } from './password-source.ts';
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

interface ClientPortOptions {
  user?: string;
  passwd?: string;
  passwdFile?: string;
  cacerts?: string;
  insecure?: boolean;
  wire?: WireChoice;
}

function addClientPort(addport: Command, terminal: Terminal): void {
  addLeaf(addport, 'client', 'dial a WebSocket and make it a port', [
    'addport client ws://192.0.2.1/',
    'addport client wss://switch.example/ --user ann --cacerts /etc/etherws/ca.pem',
  ])
    .argument('<URL>', 'ws:// or wss:// URL of the other switch')
    .option('--user <USER>', 'user that the other switch knows')
    .option('--passwd <PASSWD>', 'its password; visible in the process list, so rather let it be asked')
    .option('--passwd-file <FILE>', 'file that holds the password; also ETHERWS_CLIENT_PASSWD, the password itself')
    .option('--cacerts <FILE>', 'certificates (PEM) to verify the other switch with; a path on the host of this switch')
    .option('--insecure', 'do not verify the certificate of the other switch')
    .addOption(
      new Option(
        '--wire <WIRE>',
        'auto: many frames a message with a switch that knows it; raw: always as 1.x',
      ).choices(WIRE_CHOICES),
    )
    .action(async (target: string, given: ClientPortOptions, command: Command) => {
      const options = await clientOptions(given, controlUrl(gatherOptions(command), terminal));
      await perform(command, terminal, {
        method: 'addPort',
        params: { type: 'client', target, options },
        table: portTable,
        complete: async (spec) => {
          const passwd = await findPassword(
            {
              user: given.user,
              passwd: given.passwd,
              file: given.passwdFile,
              variable: terminal.env.ETHERWS_CLIENT_PASSWD,
              prompt: 'Client Password: ',
            },
            terminal,
          );
          return passwd === undefined ? spec : { ...spec, options: { ...spec.options, passwd } };
        },
      });
    });
}

async function clientOptions(given: ClientPortOptions, url: string | undefined): Promise<ClientOptions> {
  const { user, passwd, cacerts, insecure, wire } = given;
  return {
    ...(user === undefined ? {} : { user }),
    ...(passwd === undefined ? {} : { passwd }),
    ...(cacerts === undefined ? {} : { cacerts: await pathOnSwitch(cacerts, url) }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(wire === undefined ? {} : { wire }),
  };
}

/** A switch on this host has the same files but not the same working directory; another one has other files. */
async function pathOnSwitch(path: string, url: string | undefined): Promise<string> {
  const { host } = await checkUsage(() => controlAddress(url));
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return isHere && path !== '' ? resolve(path) : path;
}
