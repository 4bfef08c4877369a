import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type ClientOptions,
  DEFAULT_PREFER_FIRST,
  DEFAULT_RECONNECT_MAX,
  DEFAULT_RECONNECT_MIN,
  WIRE_CHOICES,
  type WireChoice,
} from '../../control/client-options.ts';
import { controlAddress } from '../../control/control-address.ts';
import { waitSeconds } from '../../control/values.ts';
import { EtherwsError } from '../../errors.ts';
import { escapeSentence } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage, UsageError } from '../usage-error.ts';
import { controlUrl, gatherOptions } from './connection.ts';
import { addLeaf, perform } from './leaf.ts';
import { findPassword } from './password-source.ts';
import { portTable } from './tables.ts';

interface ClientPortOptions {
  user?: string;
  passwd?: string;
  passwdFile?: string;
  cacerts?: string;
  insecure?: boolean;
  wire?: WireChoice;
  allowParallel?: boolean;
  wait: boolean;
  reconnect: boolean;
  reconnectMin?: number;
  reconnectMax?: number;
  preferFirst?: number | true;
  proxy?: string;
  tokenFile?: string;
  header?: string[];
  servername?: string;
  bindAddress?: string;
  bindDevice?: string;
  fwmark?: number;
  pin?: string;
  cert?: string;
  key?: string;
}

/** `etherws ctl addport client`. */
export function addClientPort(addport: Command, terminal: Terminal): void {
  addLeaf(addport, 'client', 'dial a WebSocket and make it a port', [
    'addport client ws://192.0.2.1/',
    'addport client wss://switch.example/ --user ann --cacerts /etc/etherws/ca.pem',
    'addport client wss://a.example/ wss://b.example/ --no-wait',
    'addport client wss://switch.example/ --proxy http://proxy.example:3128',
  ])
    .argument('<URL>', 'ws:// or wss:// URL of the other switch')
    .argument('[URL...]', 'further ones, tried in order when it cannot be had')
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
    .option('--token-file <FILE>', 'file that holds a bearer token; also ETHERWS_CLIENT_TOKEN, the token itself')
    .option('--cert <FILE>', 'certificate (PEM) to show; like --key, a path on the host of this switch')
    .option('--key <FILE>', 'private key (PEM) of that certificate')
    .option('--pin <PIN>', 'take only this public key, sha256//BASE64; several with semicolons between them')
    .option('--servername <NAME>', 'name that TLS asks for and verifies, instead of that of the URL')
    .option('--proxy <URL>', 'http(s)://, socks5(h)://, or direct; default: HTTPS_PROXY … and NO_PROXY of the switch')
    .option('--bind-address <A>', 'address of the host of this switch to dial from')
    .option('--bind-device <NAME>', 'device of that host to dial through, whatever its routes say')
    .option('--fwmark <N>', "mark of the packets, for that host's routing rules; decimal or 0x…", mark)
    .option('--header <NAME:VALUE>', 'header field of the opening handshake; may be repeated', append)
    .option(
      '--allow-parallel',
      'forward beside another tunnel to the same switch, where something else breaks the loop',
    )
    .option('--wait', 'a first failure is an error and leaves no port (the default)')
    .option('--no-wait', 'add the port at once and dial in the background')
    .option('--no-reconnect', 'do not dial again when the tunnel ends')
    .option(
      '--reconnect-min <SECONDS>',
      `the longest first wait before dialling again; it doubles with every failure (default: ${DEFAULT_RECONNECT_MIN})`,
      seconds,
    )
    .option('--reconnect-max <SECONDS>', `the longest wait of all (default: ${DEFAULT_RECONNECT_MAX})`, seconds)
    .option(
      '--prefer-first [SECONDS]',
      `with several URLs: try the first so often, and go back to it (default: ${DEFAULT_PREFER_FIRST})`,
      seconds,
    )
    .action(async (target: string, alternatives: string[], given: ClientPortOptions, command: Command) => {
      if (given.tokenFile !== undefined && given.user) {
        throw new UsageError('--user and --token-file exclude each other');
      }
      const options = await clientOptions(given, alternatives, controlUrl(gatherOptions(command), terminal));
      await perform(command, terminal, {
        method: 'addPort',
        params: { type: 'client', target, options },
        table: portTable,
        complete: async (spec) => {
          const token = !given.user ? await findToken(given.tokenFile, terminal) : undefined;
          if (token !== undefined) return { ...spec, options: { ...spec.options, token } };
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

async function clientOptions(
  given: ClientPortOptions,
  alternatives: string[],
  url: string | undefined,
): Promise<ClientOptions> {
  const { user, passwd, cacerts, insecure, wire, wait, reconnect, reconnectMin, reconnectMax, preferFirst } = given;
  const { proxy, header, servername, bindAddress, bindDevice, fwmark, pin, cert, key } = given;
  return {
    ...(user === undefined ? {} : { user }),
    ...(passwd === undefined ? {} : { passwd }),
    ...(cacerts === undefined ? {} : { cacerts: await pathOnSwitch(cacerts, url) }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(wire === undefined ? {} : { wire }),
    ...(alternatives.length === 0 ? {} : { alternatives }),
    ...(given.allowParallel === undefined ? {} : { allowParallel: given.allowParallel }),
    // Said only where it is not the default, so that an older switch understands it.
    ...(wait ? {} : { wait }),
    ...(reconnect ? {} : { reconnect }),
    ...(reconnectMin === undefined ? {} : { reconnectMin }),
    ...(reconnectMax === undefined ? {} : { reconnectMax }),
    ...(preferFirst === undefined ? {} : { preferFirst: preferFirst === true ? DEFAULT_PREFER_FIRST : preferFirst }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(header === undefined ? {} : { headers: header }),
    ...(servername === undefined ? {} : { servername }),
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(bindDevice === undefined ? {} : { bindDevice }),
    ...(fwmark === undefined ? {} : { fwmark }),
    ...(pin === undefined ? {} : { pin }),
    ...(cert === undefined ? {} : { cert: await pathOnSwitch(cert, url) }),
    ...(key === undefined ? {} : { key: await pathOnSwitch(key, url) }),
  };
}

/** A token in the environment does not count beside a user. */
async function findToken(file: string | undefined, terminal: Terminal): Promise<string | undefined> {
  if (file === undefined) return terminal.env.ETHERWS_CLIENT_TOKEN || undefined;
  const { readPasswordFile } = await import('../../auth/password-file.ts');
  return readPasswordFile(file, (warning) => terminal.complain(`  ${escapeSentence(warning)}\n`));
}

function append(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

function mark(text: string): number {
  if (/^(\d{1,10}|0x[\da-f]{1,8})$/i.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number, decimal or 0x and hexadecimal.');
}

function seconds(text: string): number {
  try {
    return waitSeconds.read(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text, 'It');
  } catch (error) {
    throw error instanceof EtherwsError ? new InvalidArgumentError(`${error.message}.`) : error;
  }
}

/** A switch on this host has the same files but not the same working directory; another one has other files. */
export async function pathOnSwitch(path: string, url: string | undefined): Promise<string> {
  const { host } = await checkUsage(() => controlAddress(url));
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return isHere && path !== '' ? resolve(path) : path;
}
