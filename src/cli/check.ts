import { Command } from './commander.ts';
import { escapeSentence } from './format.ts';
import { loadConfig } from './sw.ts';
import type { Terminal } from './terminal.ts';

const CHECK_NOTES = `
All errors are printed, one a line, as FILE:LINE:COLUMN: what, and what was expected.

Exit status: 0 the file is valid, 1 it is not or cannot be read, 2 the command line was wrong.

Examples:
  $ etherws check /etc/etherws/etherws.yaml
`;

const SCHEMA_NOTES = `
Examples:
  $ etherws schema > etherws.schema.json
  and as the first line of etherws.yaml:
  # yaml-language-server: $schema=etherws.schema.json
`;

/** `etherws check`: all that `sw --config` checks before it starts anything. */
export function checkCommand(terminal: Terminal): Command {
  return new Command('check')
    .description('check a configuration file, and the policy that it names; nothing is started')
    .helpOption('-h, --help', 'print this help')
    .argument('<FILE>', 'configuration file, YAML')
    .allowExcessArguments(false)
    .addHelpText('after', CHECK_NOTES)
    .action(async (file: string) => {
      const { policyFile, ports } = await loadConfig(file);
      if (policyFile !== undefined) {
        const { readPolicy } = await import('../config/policy-file.ts');
        const { readUserFile } = await import('../runtime/user-file.ts');
        readPolicy(policyFile, (await readUserFile(policyFile, MAX_POLICY_BYTES)).text);
      }
      terminal.print(`${escapeSentence(file)} is valid; it has ${ports.length} port${ports.length === 1 ? '' : 's'}\n`);
    });
}

const MAX_POLICY_BYTES = 4 * 1024 * 1024;

/** `etherws schema`. */
export function schemaCommand(terminal: Terminal): Command {
  return new Command('schema')
    .description('print the JSON Schema of the configuration file, for editors; see also etherws ctl schema')
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false)
    .addHelpText('after', SCHEMA_NOTES)
    .action(async () => {
      const { fileJsonSchema } = await import('../config/file-json-schema.ts');
      terminal.print(`${JSON.stringify(fileJsonSchema(), null, 2)}\n`);
    });
}
