import type { Entries, MethodName, ParamsOf } from '../../control/schema.ts';
import type { Names } from '../../schema/check.ts';
import { check } from '../../schema/check.ts';
import type { Command } from '../commander.ts';
import { type Column, formatJson } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import type { SelectionOptions } from './selection.ts';

/** Adds a command that calls the switch, with examples in its help. */
export function addLeaf(parent: Command, name: string, description: string, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ etherws ctl ${example}\n`);
  const leaf = parent
    .command(name)
    .description(description)
    .helpOption('-h, --help', 'print this help')
    // A command inherits this setting from its parent, and addport allows them.
    .allowExcessArguments(false)
    .addHelpText('after', `\nExamples:\n${lines.join('')}`);
  addConnectionOptions(leaf, true);
  return leaf;
}

/** Adds `--long` to a command whose table has further columns. */
export function addLong(leaf: Command): Command {
  return leaf.option('--long', 'print a table with more columns');
}

/** Lets a command show some rows of its table, in another order. */
export function addSelection(leaf: Command): Command {
  return leaf
    .option('--filter <COLUMN=VALUE>', 'show rows with this value in a column, of --long too (repeatable)', append)
    .option('--sort <COLUMN,...>', 'sort by columns, of --long too; -COLUMN: the highest first');
}

function append(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

export interface Call<M extends MethodName> {
  readonly method: M;
  /** from the command line; the method's schema checks them */
  readonly params: unknown;
  /** how errors name the parameters; default: by their paths in JSON */
  readonly names?: Names;
  /** all columns of the table, for `--filter` and `--sort` */
  readonly columns?: readonly Column<Entries[M]>[];
  /** formats the entries. @param isLong with the columns that 1.x does not have */
  table(entries: Entries[M][], isLong: boolean): string;
  /** adds parameters that the user is asked for, after the others were checked */
  complete?(params: ParamsOf<M>): Promise<unknown>;
}

/**
 * Calls the switch and prints the result.
 * @throws UsageError for wrong parameters, before the user is asked for a password, and before a request is sent
 * @throws ControlError, EtherwsError as ControlClient
 */
export async function perform<M extends MethodName>(
  command: Command,
  terminal: Terminal,
  call: Call<M>,
): Promise<void> {
  const options = gatherOptions<ConnectionOptions & SelectionOptions & { long?: boolean }>(command);
  const { schemaOf } = await import('../../control/client.ts');
  const { params: schema } = await schemaOf(call.method);
  const checked = (params: unknown): Promise<ParamsOf<M>> =>
    checkUsage(() => check(schema, params, call.names) as ParamsOf<M>);
  const params = await checked(call.params);
  const client = await connect(options, terminal);
  const completed = call.complete === undefined ? params : await checked(await call.complete(params));
  const result = await client.call(call.method, completed);
  const { entries } = result;
  const isSelected = options.filter !== undefined || options.sort !== undefined;
  const shown = isSelected ? (await import('./selection.ts')).selected(entries, call.columns ?? [], options) : entries;
  terminal.print(
    options.json === true ? formatJson({ ...result, entries: shown }) : call.table(shown, options.long === true),
  );
}
