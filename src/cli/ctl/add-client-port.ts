import { DIAL_OPTIONS } from '../../schema/dial-options.ts';
import type { Command } from '../commander.ts';
import { escapeSentence } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { controlUrl, gatherOptions } from './connection.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { findPassword } from './password-source.ts';
import { withPathsOnSwitch } from './path-on-switch.ts';
import { addSettingOptions, SETTING_FLAGS, typedSettings } from './port-settings.ts';
import { portTable } from './tables.ts';

/** The options about credentials, which only the command line has. */
interface Sources {
  user?: string;
  passwd?: string;
  passwdFile?: string;
  tokenFile?: string;
}

/** `etherws ctl addport client`. */
export function addClientPort(addport: Command, terminal: Terminal): void {
  const leaf = addLeaf(addport, 'client', 'dial a WebSocket and make it a port', [
    'addport client ws://192.0.2.1/',
    'addport client wss://switch.example/ --user ann --cacerts /etc/etherws/ca.pem',
    'addport client wss://a.example/ wss://b.example/ --no-wait --name uplink',
    'addport client wss://switch.example/ --proxy http://proxy.example:3128',
  ])
    .argument('<URL>', 'ws:// or wss:// URL of the other switch')
    .argument('[URL...]', 'further ones, tried in order when it cannot be had');
  addTableOptions(addLong(leaf), DIAL_OPTIONS);
  addSettingOptions(leaf);
  leaf
    .option('--passwd-file <FILE>', 'file that holds the password; also ETHERWS_CLIENT_PASSWD, the password itself')
    .option('--token-file <FILE>', 'file that holds a bearer token; also ETHERWS_CLIENT_TOKEN, the token itself')
    .option('--wait', 'a first failure is an error and leaves no port (the default)')
    .action((target: string, alternatives: string[], given: Sources & Record<string, unknown>, command: Command) =>
      addPort(command, terminal, target, alternatives, given),
    );
}

async function addPort(
  command: Command,
  terminal: Terminal,
  target: string,
  alternatives: readonly string[],
  given: Sources & Record<string, unknown>,
): Promise<void> {
  const { user, tokenFile } = given;
  if (tokenFile !== undefined && user) throw new UsageError('--user and --token-file exclude each other');
  const url = controlUrl(gatherOptions(command), terminal);
  const typed = typedValues(DIAL_OPTIONS, given);
  const options = {
    ...(await withPathsOnSwitch(typed, ['cacerts', 'cert', 'key'], url)),
    ...(alternatives.length === 0 ? {} : { alternatives }),
  };
  await perform(command, terminal, {
    method: 'addPort',
    params: { type: 'client', target, options, ...typedSettings(given) },
    names: typedNames(DIAL_OPTIONS, ['options'], {
      target: 'URL',
      'options.alternatives': 'URL',
      'options.token': '--token-file',
      ...SETTING_FLAGS,
    }),
    table: portTable,
    complete: async (spec) => ({ ...spec, options: { ...spec.options, ...(await findSecret(given, terminal)) } }),
  });
}

/** The token or the password, from the options, the environment or a prompt. */
async function findSecret(given: Sources, terminal: Terminal): Promise<{ token?: string; passwd?: string }> {
  const { user, passwd, passwdFile, tokenFile } = given;
  const token = user ? undefined : await findToken(tokenFile, terminal);
  if (token !== undefined) return { token };
  const found = await findPassword(
    {
      user,
      passwd,
      file: passwdFile,
      variable: terminal.env.ETHERWS_CLIENT_PASSWD,
      prompt: 'Client Password: ',
    },
    terminal,
  );
  return found === undefined ? {} : { passwd: found };
}

/** From the file or the environment. Only called if no user is given, whose password would be used instead. */
async function findToken(file: string | undefined, terminal: Terminal): Promise<string | undefined> {
  if (file === undefined) return terminal.env.ETHERWS_CLIENT_TOKEN || undefined;
  const { readPasswordFile } = await import('../../auth/password-file.ts');
  return readPasswordFile(file, (warning) => terminal.complain(`  ${escapeSentence(warning)}\n`));
}
