import type { Entries, MethodName, ParamsOf } from '../../control/schema.ts';
import type { Names } from '../../schema/check.ts';
import { check } from '../../schema/check.ts';
import type { Command } from '../commander.ts';
import { type Column, formatJson } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import type { Answers, OfNode } from './nodes/answers.ts';
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

/** Says of `--json` what this command prints instead of a result object. @param description undefined: it is refused */
export function describeJson(leaf: Command, description: string | undefined): Command {
  const option = leaf.options.find(({ long }) => long === '--json');
  if (option === undefined) throw new TypeError(`${leaf.name()} has no --json`);
  if (description === undefined) option.hideHelp();
  else option.description = description;
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
  /** the columns without those of `--long`; where they are given, nodes of a cluster are in one table */
  readonly short?: readonly Column<Entries[M]>[];
  /** the method is about the cluster, and is called at one node */
  readonly isOfCluster?: true;
  /** the table of all nodes of a cluster, if it is another one */
  clusterTable?(entries: readonly OfNode<Entries[M]>[]): string;
  /** of all nodes of a cluster: the parameters of a second call whose answers count instead; undefined: none */
  askAgain?(answers: Answers<Entries[M]>): object | undefined;
  /** formats the entries. @param isLong with the columns that 1.x does not have */
  table(entries: Entries[M][], isLong: boolean): string;
  /** called with the entries before they are printed, as a table or as JSON */
  noted?(entries: readonly Entries[M][]): void;
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
  if ((options.cluster === true && call.isOfCluster !== true) || namesNode(call.params)) {
    const { performAtNodes } = await import('./nodes/perform-at-nodes.ts');
    return performAtNodes(command, terminal, call, options);
  }
  const { schemaOf } = await import('../../control/client.ts');
  const { params: schema } = await schemaOf(call.method);
  const checked = (params: unknown): Promise<ParamsOf<M>> =>
    checkUsage(() => check(schema, params, call.names) as ParamsOf<M>);
  const params = await checked(call.params);
  const { cluster: _, ...connection } = options;
  const client = await connect(connection, terminal);
  const completed = call.complete === undefined ? params : await checked(await call.complete(params));
  const result = await client.call(call.method, completed);
  const { entries } = result;
  call.noted?.(entries);
  const isSelected = options.filter !== undefined || options.sort !== undefined;
  const shown = isSelected ? (await import('./selection.ts')).selected(entries, call.columns ?? [], options) : entries;
  terminal.print(
    options.json === true ? formatJson({ ...result, entries: shown }) : call.table(shown, options.long === true),
  );
}

/** Whether the port of a call is one of a node of a cluster, `NODE/PORT`. */
function namesNode(params: unknown): boolean {
  const { port } = params as { readonly port?: unknown };
  return typeof port === 'string' && port.includes('/');
}
