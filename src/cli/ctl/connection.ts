import type { ControlClientOptions } from '../../control/client.ts';
import { DEFAULT_CONTROL_URL } from '../../control/control-address.ts';
import { type Command, Option } from '../commander.ts';
import type { ControlCaller, Terminal } from '../terminal.ts';
import { checkUsage, UsageError } from '../usage-error.ts';

/** The options about the switch and the caller's credentials; they may precede or follow the command. */
export interface ConnectionOptions {
  ctlurl?: string;
  ctluser?: string;
  ctlpasswd?: string;
  ctlpasswdFile?: string;
  ctlsslcert?: string;
  ctlinsecure?: boolean;
  json?: boolean;
  cluster?: boolean;
}

/**
 * @param isHidden for the commands below `ctl`, which take the same options
 *   without repeating them in their help
 */
export function addConnectionOptions(command: Command, isHidden: boolean): void {
  const options = [
    new Option(
      '--ctlurl <URL>',
      `where the control API is, or unix:PATH; also ETHERWS_CTLURL (default: ${DEFAULT_CONTROL_URL})`,
    ),
    new Option('--ctluser <USER>', 'user of the control API; also ETHERWS_CTLUSER'),
    new Option('--ctlpasswd <PASSWD>', 'its password; visible in the process list, so rather let it be asked'),
    new Option('--ctlpasswd-file <FILE>', 'file that holds the password; also ETHERWS_CTL_PASSWD, the password itself'),
    new Option('--ctlsslcert <FILE>', 'certificates (PEM) to verify the control API with, instead of the system’s'),
    new Option('--ctlinsecure', 'do not verify the certificate of the control API'),
  ];
  for (const option of options) command.addOption(option.hideHelp(isHidden));
  const cluster = new Option('--cluster', 'ask all nodes of the cluster, or change what they share');
  command.addOption(cluster.hideHelp(isHidden));
  command.option('--json', 'print the result object in JSON');
}

/** The options of a command and of its parents; those of the command have precedence. */
export function gatherOptions<T extends object>(command: Command): T {
  const above = command.parent === null ? {} : gatherOptions<object>(command.parent);
  return { ...above, ...command.opts() } as T;
}

/**
 * @throws UsageError for an invalid URL, user or password, and for `--cluster`, which the caller must know
 * @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID
 */
export async function connect(options: ConnectionOptions, terminal: Terminal): Promise<ControlCaller> {
  if (options.cluster === true) {
    throw new UsageError('This command is about one switch', 'Leave --cluster out; --ctlurl names another switch');
  }
  const { env } = terminal;
  const url = controlUrl(options, terminal);
  const user = (options.ctluser ?? env.ETHERWS_CTLUSER) || undefined;
  const clientOptions: ControlClientOptions = {
    ...(url === undefined ? {} : { url }),
    ...(user === undefined ? {} : { user }),
    ...(options.ctlsslcert === undefined ? {} : { ca: await readCertificates(options.ctlsslcert) }),
    isInsecure: options.ctlinsecure === true,
  };
  const isNamed = user !== undefined || options.ctlpasswd !== undefined || options.ctlpasswdFile !== undefined;
  // Checks the options before the password is asked for.
  const anonymous = await checkUsage(() => terminal.openControl(clientOptions));
  if (!isNamed) return anonymous;
  const { findPassword } = await import('./password-source.ts');
  const passwd = await findPassword(
    {
      user,
      passwd: options.ctlpasswd,
      file: options.ctlpasswdFile,
      variable: env.ETHERWS_CTL_PASSWD,
      prompt: 'Control Password: ',
    },
    terminal,
  );
  return checkUsage(() => terminal.openControl({ ...clientOptions, ...(passwd === undefined ? {} : { passwd }) }));
}

/** The URL from the option or the environment; undefined without one. */
export function controlUrl(options: ConnectionOptions, terminal: Terminal): string | undefined {
  return options.ctlurl ?? (terminal.env.ETHERWS_CTLURL || undefined);
}

async function readCertificates(file: string): Promise<string> {
  const { readCaCerts } = await import('../../auth/certificate-file.ts');
  return readCaCerts(file);
}
