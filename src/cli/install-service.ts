import { execFileSync } from 'node:child_process';
import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, EtherwsError } from '../errors.ts';
import { Command } from './commander.ts';
import { DEFAULT_CONFIG, isUnchangedUnit, serviceUnit, UNIT_NAME } from './service-unit.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** The first version of systemd with Type=notify-reload. */
const NOTIFY_RELOAD_VERSION = 253;
const UNIT_DIRECTORY = 'etc/systemd/system';
/** Directories that the unit hides from the service, by ProtectHome= and PrivateTmp=. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

/** The first configuration listens on the loopback only, since it asks for no credentials. */
export const FIRST_CONFIG = `# See docs/operate/configuration.md; check it with: etherws check ${DEFAULT_CONFIG}
tunnels:
  host: 127.0.0.1     # remove the line to listen on every address, with sslkey, sslcert and htpasswd
  port: 8000
`;

const INSTALL_NOTES = `
Examples:
  # etherws install-service
  # systemctl daemon-reload
  # systemctl enable --now etherws
  # systemctl status etherws

The unit is described in docs/operate/service.md.`;

const UNINSTALL_NOTES = `
Examples:
  # systemctl disable --now etherws
  # etherws uninstall-service
  # systemctl daemon-reload`;

interface Options {
  readonly config?: string;
  readonly user?: string;
  readonly dryRun?: boolean;
  readonly root?: string;
}

type Printer = Pick<Terminal, 'print'>;

/** `etherws install-service`. */
export function installServiceCommand(terminal: Printer): Command {
  return withCommonOptions(new Command('install-service'))
    .description('write a unit for systemd that runs the switch, hardened and as a user of its own')
    .option('--config <file>', `configuration file of the switch (default: ${DEFAULT_CONFIG}, made if it is not there)`)
    .option('--user <name>', 'run as this user (default: one that exists while the service runs)')
    .addHelpText('after', INSTALL_NOTES)
    .action((options: Options) => install(options, terminal));
}

/** `etherws uninstall-service`. */
export function uninstallServiceCommand(terminal: Printer): Command {
  return withCommonOptions(new Command('uninstall-service'))
    .description('remove the unit; the configuration and the state stay')
    .addHelpText('after', UNINSTALL_NOTES)
    .action((options: Options) => uninstall(options, terminal));
}

function withCommonOptions(command: Command): Command {
  return command
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--root <directory>', 'write below this directory instead of /, as for an image')
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false);
}

async function install(
  { config = DEFAULT_CONFIG, user, dryRun = false, root = '/' }: Options,
  terminal: Printer,
): Promise<void> {
  if (user !== undefined && !/^[a-z_][\w-]{0,30}\$?$/i.test(user))
    throw new UsageError(`--user: ${JSON.stringify(user)} cannot be the name of a user`);
  const [node, script] = [realpathSync(process.execPath), fileURLToPath(new URL('./etherws.js', import.meta.url))];
  for (const path of [node, script]) requireVisible(path);
  const unit = serviceUnit({ node, script, config: resolve(config), user, hasNotifyReload: hasNotifyReload() });
  const unitFile = join(root, UNIT_DIRECTORY, UNIT_NAME);
  const before = readUnit(unitFile);
  if (before !== undefined) requireUnchanged(unitFile, before.text);
  const configFile = join(root, resolve(config));
  const isConfigMissing = lstatOf(configFile) === undefined;
  if (isConfigMissing && resolve(config) !== DEFAULT_CONFIG)
    throw new EtherwsError('FILE_UNREADABLE', `There is no file ${configFile}`, {
      hint: `Make it first, or leave --config out: ${DEFAULT_CONFIG} is made if it is not there`,
    });
  const isSame = before?.text === unit;
  if (dryRun) {
    terminal.print(`${isSame ? 'would leave' : 'would write'} ${unitFile}:\n${unit}`);
    if (isConfigMissing) terminal.print(`would write ${configFile}:\n${FIRST_CONFIG}`);
    return;
  }
  if (!isSame) await write(unitFile, unit, before?.stats);
  terminal.print(`${isSame ? 'unchanged:' : 'wrote'} ${unitFile}\n`);
  if (isConfigMissing) {
    await write(configFile, FIRST_CONFIG, undefined);
    terminal.print(`wrote ${configFile}: tunnels on 127.0.0.1:8000; edit it\n`);
  }
  const restart = before === undefined || isSame ? 'systemctl enable --now etherws' : 'systemctl restart etherws';
  terminal.print(`Next:\n  systemctl daemon-reload\n  ${restart}\n  systemctl status etherws\n`);
}

function uninstall({ dryRun = false, root = '/' }: Options, terminal: Printer): void {
  const unitFile = join(root, UNIT_DIRECTORY, UNIT_NAME);
  const before = readUnit(unitFile);
  if (before === undefined)
    throw new EtherwsError('FILE_UNREADABLE', `There is no unit ${unitFile}`, { hint: 'Nothing is to be removed' });
  requireUnchanged(unitFile, before.text);
  if (lstatOf(join(root, UNIT_DIRECTORY, 'multi-user.target.wants', UNIT_NAME)) !== undefined)
    throw new EtherwsError(
      'UNIT_UNUSABLE',
      'The service is enabled: it would be missing at the next start of the host',
      {
        hint: 'First: systemctl disable --now etherws',
      },
    );
  if (dryRun) {
    terminal.print(`would remove ${unitFile}\n`);
    return;
  }
  attempt(unitFile, () => unlinkSync(unitFile));
  terminal.print(`removed ${unitFile}\nNext:\n  systemctl daemon-reload\n`);
  terminal.print('/etc/etherws and /var/lib/etherws stay; remove them if you need them no more\n');
}

function requireVisible(path: string): void {
  if (!HIDDEN.test(path)) return;
  throw new EtherwsError(
    'UNIT_UNUSABLE',
    `The service could not read ${path}, since the unit hides that directory from it`,
    {
      hint: 'Install Node and etherws for all users, such as below /usr or /opt',
    },
  );
}

function requireUnchanged(file: string, text: string): void {
  if (isUnchangedUnit(text)) return;
  throw new EtherwsError('UNIT_UNUSABLE', `${file} is not as etherws wrote it, and stays as it is`, {
    hint: 'Move your changes to a drop-in (systemctl edit etherws), and the file out of the way; then try again',
  });
}

function readUnit(file: string): { readonly text: string; readonly stats: BigIntStats } | undefined {
  const stats = lstatOf(file);
  if (stats === undefined) return undefined;
  if (stats.isFile()) return { text: attempt(file, () => readFileSync(file, 'utf8')), stats };
  throw new EtherwsError(
    'UNIT_UNUSABLE',
    `${file} is no file${stats.isSymbolicLink() ? ', but a symbolic link' : ''}`,
    {
      hint: 'The service may be masked: systemctl unmask etherws',
    },
  );
}

function lstatOf(file: string): BigIntStats | undefined {
  return attempt(file, () => lstatSync(file, { bigint: true, throwIfNoEntry: false }));
}

async function write(file: string, text: string, before: BigIntStats | undefined): Promise<void> {
  const { replaceFile } = await import('../runtime/replace-file.ts');
  attempt(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    accessSync(dirname(file), constants.W_OK);
  });
  await replaceFile(file, text, before, 0o644);
}

/** @throws EtherwsError FILE_UNWRITABLE */
function attempt<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = codeOf(error);
    throw new EtherwsError('FILE_UNWRITABLE', `${file} cannot be changed (${code})`, {
      cause: error,
      hint:
        code === 'EACCES'
          ? 'Run it as root: sudo etherws …; or see what it would do: --dry-run'
          : 'Check its directory',
    });
  }
}

function hasNotifyReload(): boolean {
  try {
    const text = execFileSync('systemctl', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return Number(/^systemd (\d+)/.exec(text)?.[1]) >= NOTIFY_RELOAD_VERSION;
  } catch {
    // No systemd: the unit is made for another host.
    return false;
  }
}
