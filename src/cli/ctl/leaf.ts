import type { Command } from 'commander';
import { METHODS, type MethodName, type Methods } from '../../control/schema.ts';
import { formatJson } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, gatherOptions } from './connection.ts';

/** A command that does something, with its examples in its help. */
export function addLeaf(parent: Command, name: string, description: string, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ etherws ctl ${example}\n`);
  const leaf = parent
    .command(name)
    .description(description)
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\nExamples:\n${lines.join('')}`);
  addConnectionOptions(leaf, true);
  return leaf.option('--long', 'print a table with more columns');
}

export interface Call<M extends MethodName> {
  readonly method: M;
  readonly params: Methods[M]['params'];
  /** the entries as a table. @param isLong with what 1.x did not show */
  table(entries: Methods[M]['entry'][], isLong: boolean): string;
  /** adds what only the person can say, once the rest was found good */
  complete?(params: Methods[M]['params']): Promise<Methods[M]['params']>;
}

/**
 * Calls the switch and prints what it answered.
 * @throws UsageError before anything is asked or sent, when the parameters are wrong
 * @throws ControlError, EtherwsError as ControlClient does
 */
export async function perform<M extends MethodName>(
  command: Command,
  terminal: Terminal,
  call: Call<M>,
): Promise<void> {
  const options = gatherOptions<ConnectionOptions & { long?: boolean }>(command);
  const shape = METHODS[call.method].params;
  const params = await checkUsage(() => shape.read(call.params, ''));
  const client = await connect(options, terminal);
  const completed = (await call.complete?.(params)) ?? params;
  await checkUsage(() => shape.read(completed, ''));
  const result = await client.call(call.method, completed);
  terminal.print(options.json === true ? formatJson(result) : call.table(result.entries, options.long === true));
}
