import { CLUSTER_READS, NODE_CALLS } from '../../../control/cluster-entries.ts';
import type { Entries, MethodName } from '../../../control/schema.ts';
import type { Command } from '../../commander.ts';
import { type Column, escapeCell, formatJson, formatTable } from '../../format.ts';
import { EXIT_FAILURE, ReportedFailure } from '../../report.ts';
import type { Terminal } from '../../terminal.ts';
import { UsageError } from '../../usage-error.ts';
import { type ConnectionOptions, connect } from '../connection.ts';
import type { Call } from '../leaf.ts';
import type { SelectionOptions } from '../selection.ts';
import { type Answers, callNodes, complain, type OfNode } from './answers.ts';

type Options = ConnectionOptions & SelectionOptions & { readonly long?: boolean };

/** The column of the nodes, which is the first one. */
export const NODE_COLUMN: Column<{ readonly node: string }> = {
  title: 'Node',
  isNumber: false,
  cell: ({ node }) => node,
};

/**
 * Calls all nodes of the cluster, or the one that a port `NODE/PORT` names, and prints the result.
 * @throws UsageError for a command that is about one switch
 * @throws ReportedFailure if a node did not answer: what the others said is printed
 */
export async function performAtNodes<M extends MethodName>(
  command: Command,
  terminal: Terminal,
  call: Call<M>,
  options: Options,
): Promise<void> {
  const place = placeIn(call.params);
  requireClusterCall(call.method, place?.node, command.name());
  const { cluster: _, ...connection } = options;
  const client = await connect(connection, terminal);
  const first = await callNodes(client, call.method, place?.params ?? (call.params as object), place?.node);
  const again = call.askAgain?.(first);
  const answers = again === undefined ? first : await callNodes(client, call.method, again, place?.node);
  call.noted?.(answers.entries);
  // A table of nothing would look like an answer.
  if (answers.entries.length > 0 || answers.errors.length === 0) await print(answers, call, options, terminal);
  complain(answers.errors, terminal);
  if (answers.errors.length > 0) throw new ReportedFailure(EXIT_FAILURE);
}

function requireClusterCall(method: MethodName, node: string | undefined, name: string): void {
  if (node === undefined && (CLUSTER_READS as readonly string[]).includes(method)) return;
  const isOfNode = (NODE_CALLS as readonly string[]).includes(method);
  if (isOfNode && node !== undefined) return;
  if (isOfNode) {
    throw new UsageError(`${name} is about a port of one node`, `Name the node, too: ${name} NODE/PORT`);
  }
  throw new UsageError(`${name} is about one switch`, 'Leave --cluster out; --ctlurl names another switch');
}

/** The node of a port `NODE/PORT`; undefined for another port. */
export function placeIn(given: unknown): { readonly node: string; readonly params: object } | undefined {
  const params = given as { readonly port?: unknown };
  const [, node, port] = (typeof params.port === 'string' && /^([A-Za-z0-9_-]+)\/(.+)$/s.exec(params.port)) || [];
  return node === undefined ? undefined : { node, params: { ...params, port } };
}

async function print<M extends MethodName>(
  { entries, errors }: Answers<Entries[M]>,
  call: Call<M>,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { columns = [], short } = call;
  const isLong = options.long === true;
  const withNode = (own: readonly Column<Entries[M]>[]): Column<OfNode<Entries[M]>>[] => [NODE_COLUMN, ...own];
  const isSelected = options.filter !== undefined || options.sort !== undefined;
  const shown = isSelected ? (await import('../selection.ts')).selected(entries, withNode(columns), options) : entries;
  if (options.json === true) terminal.print(formatJson({ entries: shown, errors }));
  else if (call.clusterTable !== undefined) terminal.print(call.clusterTable(shown));
  else if (short !== undefined) terminal.print(formatTable(withNode(isLong ? columns : short), shown));
  else terminal.print(pagesOf(shown, (own) => call.table(own, isLong)));
}

/** What each node says, behind its name. */
function pagesOf<Entry>(entries: readonly OfNode<Entry>[], page: (own: OfNode<Entry>[]) => string): string {
  const nodes = [...new Set(entries.map(({ node }) => node))];
  const pages = nodes.map((name) => {
    const own = page(entries.filter(({ node }) => node === name));
    return `Node ${escapeCell(name)}\n${own}`;
  });
  return pages.join('\n');
}
