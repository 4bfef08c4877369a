import type { NodeAnswerEntry } from '../../../control/cluster-entries.ts';
import type { Entries, MethodName } from '../../../control/schema.ts';
import { check, dottedNames } from '../../../schema/check.ts';
import { escapeSentence } from '../../format.ts';
import type { ControlCaller, Terminal } from '../../terminal.ts';

/** An entry of a node's answer, with the name of the node. */
export type OfNode<Entry> = Entry & { readonly node: string };

/** A node that did not answer, and why, as `CODE: what failed. what to try`. */
export interface NodeFailure {
  readonly node: string;
  readonly error: string;
}

export interface Answers<Entry> {
  readonly entries: readonly OfNode<Entry>[];
  readonly errors: readonly NodeFailure[];
}

/**
 * Calls a method at all nodes, or at one.
 * @returns the entries of all nodes, in the order of their names; an answer that makes no sense is a failure of its node
 * @throws as `ControlClient.call`
 */
export async function callNodes<M extends MethodName>(
  client: ControlCaller,
  method: M,
  params: object,
  node?: string,
): Promise<Answers<Entries[M]>> {
  const { schemaOf } = await import('../../../control/client.ts');
  const { result } = await schemaOf(method);
  const call = { method, params, ...(node === undefined ? {} : { node }) };
  const { entries: answers } = await client.call('callCluster', call as never);
  const entries: OfNode<Entries[M]>[] = [];
  const errors: NodeFailure[] = [];
  for (const answer of answers) {
    try {
      for (const entry of checked(answer, result)) entries.push({ node: answer.node, ...(entry as Entries[M]) });
    } catch (error) {
      errors.push({ node: answer.node, error: error instanceof Error ? error.message : String(error) });
    }
  }
  return { entries, errors };
}

/** @throws Error with the reason for which the node has no entries */
function checked({ entries, error }: NodeAnswerEntry, schema: unknown): readonly unknown[] {
  if (entries === null) throw new Error(error ?? 'CLUSTER_UNAVAILABLE: The node gave no reason');
  const { entries: found } = check(schema as never, { entries }, dottedNames('result')) as {
    readonly entries: readonly unknown[];
  };
  return found;
}

/** A line on standard error for each node that did not answer. */
export function complain(errors: readonly NodeFailure[], terminal: Terminal): void {
  terminal.complain(errors.map(({ node, error }) => `  ${escapeSentence(`node ${node}: ${error}`)}\n`).join(''));
}
