import type { Entries, MethodName, ParamsOf } from '../../control/schema.ts';
import type { Names } from '../../schema/check.ts';
import { check } from '../../schema/check.ts';
import type { Command } from '../commander.ts';
import { formatJson } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, gatherOptions } from './connection.ts';

/** A command that calls the switch, with its examples in its help. */
export function addLeaf(parent: Command, name: string, description: string, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ etherws ctl ${example}\n`);
  const leaf = parent
    .command(name)
    .description(description)
    .helpOption('-h, --help', 'print this help')
    // A command inherits this from the one above it, and addport allows them.
    .allowExcessArguments(false)
    .addHelpText('after', `\nExamples:\n${lines.join('')}`);
  addConnectionOptions(leaf, true);
  return leaf;
}

/** Lets a command whose table has further columns print them. */
export function addLong(leaf: Command): Command {
  return leaf.option('--long', 'print a table with more columns');
}

export interface Call<M extends MethodName> {
  readonly method: M;
  /** as they were typed: the schema says what they must be */
  readonly params: unknown;
  /** what errors call the parameters; default: as JSON has them */
  readonly names?: Names;
  /** the entries as a table. @param isLong with what 1.x did not show */
  table(entries: Entries[M][], isLong: boolean): string;
  /** adds what is asked for only when the rest was found good */
  complete?(params: ParamsOf<M>): Promise<unknown>;
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
  const { schemaOf } = await import('../../control/client.ts');
  const { params: schema } = await schemaOf(call.method);
  const checked = (params: unknown): Promise<ParamsOf<M>> =>
    checkUsage(() => check(schema, params, call.names) as ParamsOf<M>);
  const params = await checked(call.params);
  const client = await connect(options, terminal);
  const completed = call.complete === undefined ? params : await checked(await call.complete(params));
  const result = await client.call(call.method, completed);
  terminal.print(options.json === true ? formatJson(result) : call.table(result.entries, options.long === true));
}
