import { METHOD_PREFIX, METHODS } from '../../control/schema.ts';
import type { Command } from '../commander.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const EXAMPLES = `
Examples:
  $ etherws ctl schema
  $ etherws ctl schema addPort
`;

/** `etherws ctl schema`, which needs no running switch. */
export function addSchema(ctl: Command, terminal: Terminal): void {
  ctl
    .command('schema')
    .description('print the JSON Schema of the calls of the control API')
    .helpOption('-h, --help', 'print this help')
    .argument('[METHOD]', 'only of this method, such as addPort')
    .addHelpText('after', EXAMPLES)
    .action(async (method: string | undefined) => {
      const name = method?.startsWith(METHOD_PREFIX) === true ? method.slice(METHOD_PREFIX.length) : method;
      if (name !== undefined && !Object.hasOwn(METHODS, name)) {
        throw new UsageError(`there is no method '${name}'`, `There are ${Object.keys(METHODS).join(', ')}`);
      }
      const { callSchema } = await import('../../control/json-schema.ts');
      terminal.print(`${JSON.stringify(callSchema(name === undefined ? undefined : [name]), null, 2)}\n`);
    });
}
