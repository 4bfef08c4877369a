import { type Finding, worst } from '../runtime/finding.ts';
import { check as checkValues } from '../schema/check.ts';
import { DIAL_OPTIONS } from '../schema/dial-options.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { Command } from './commander.ts';
import { findPassword } from './ctl/password-source.ts';
import { findingLines } from './finding-lines.ts';
import { formatJson } from './format.ts';
import { EXIT_FAILURE, ReportedFailure } from './report.ts';
import { addTableOptions, typedNames, typedValues } from './table-options.ts';
import type { Terminal } from './terminal.ts';
import { checkUsage } from './usage-error.ts';

const NOTES = `
Each line is ok, warn or fail. With a URL it opens a tunnel there for a moment, which the
other switch sees, by the same code as addport client.

Exit status: 0 nothing failed, 1 something failed, 2 the command line was wrong.

Examples:
  $ etherws doctor
  $ etherws doctor --config /etc/etherws/etherws.yaml
  $ etherws doctor wss://switch.example/ --user ann
`;

const { user, passwd, cacerts, insecure, proxy, servername, pin } = DIAL_OPTIONS;
const OPTIONS = { user, passwd, cacerts, insecure, proxy, servername, pin } as const satisfies Table;

/** `etherws doctor`. */
export function doctorCommand(terminal: Terminal): Command {
  const command = new Command('doctor')
    .description('examine this host, and the way to another switch')
    .helpOption('-h, --help', 'print this help')
    .argument('[URL]', 'ws:// or wss:// URL of another switch')
    .allowExcessArguments(false)
    .option('--config <FILE>', 'examine a configuration file and its certificates, too')
    .option('--json', 'print a list in JSON')
    .addHelpText('after', NOTES)
    .optionsGroup('For the URL:');
  addTableOptions(command, OPTIONS);
  command.option(
    '--passwd-file <FILE>',
    'file that holds the password; also ETHERWS_CLIENT_PASSWD, the password itself',
  );
  return command.action((url: string | undefined, given: Given) => examine(url, given, terminal));
}

interface Given extends Record<string, unknown> {
  config?: string;
  json?: boolean;
  passwdFile?: string;
}

async function examine(url: string | undefined, given: Given, terminal: Terminal): Promise<void> {
  const isJson = given.json === true;
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => {
    findings.push(finding);
    if (!isJson) terminal.print(findingLines(finding, terminal));
  };
  const options = await checkUsage(() =>
    checkValues(objectOf(OPTIONS), typedValues(OPTIONS, given), typedNames(OPTIONS, [])),
  );
  const password = await findPassword(
    {
      user: options.user,
      passwd: options.passwd,
      file: given.passwdFile,
      variable: terminal.env.ETHERWS_CLIENT_PASSWD,
      prompt: 'Client Password: ',
    },
    terminal,
  );
  if (url === undefined) {
    const { examineHost } = await import('../runtime/host-findings.ts');
    for (const finding of examineHost()) tell(finding);
  }
  if (given.config !== undefined) {
    const { examineConfiguration } = await import('./doctor-config.ts');
    for (const finding of await examineConfiguration(given.config)) tell(finding);
  }
  if (url !== undefined) {
    const { examineUrl } = await import('./doctor-url.ts');
    await examineUrl(url, password === undefined ? options : { ...options, passwd: password }, tell);
  }
  if (isJson) terminal.print(formatJson({ findings }));
  if (worst(findings) === 'fail') throw new ReportedFailure(EXIT_FAILURE);
}
