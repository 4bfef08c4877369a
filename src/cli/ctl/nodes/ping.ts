import { setTimeout as delay } from 'node:timers/promises';
import type { PingSpec } from '../../../control/reach-entries.ts';
import { EtherwsError } from '../../../errors.ts';
import { escapeSentence, formatJson } from '../../format.ts';
import { EXIT_FAILURE, ReportedFailure } from '../../report.ts';
import type { ControlCaller, Terminal } from '../../terminal.ts';
import { lineOf, summaryOf } from '../ping-lines.ts';
import { callNodes, complain, type NodeFailure, type OfNode } from './answers.ts';
import { placeIn } from './perform-at-nodes.ts';

type Answer = OfNode<Parameters<typeof lineOf>[0]>;

/**
 * Has all nodes ask a station, or one node the peer of its tunnel `NODE/PORT`, and prints a line for each node and request.
 * @throws EtherwsError HOST_UNREACHABLE if no node got an answer
 * @throws ReportedFailure if a node could not ask
 */
export async function pingAtNodes(
  client: ControlCaller,
  terminal: Terminal,
  spec: PingSpec,
  { count, interval, isJson }: { readonly count: number; readonly interval: number; readonly isJson: boolean },
): Promise<void> {
  const place = placeIn({ port: spec.target });
  const target = (place?.params as { readonly port: string } | undefined)?.port ?? spec.target;
  const all: Answer[] = [];
  let failures: readonly NodeFailure[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const startMs = performance.now();
    const { entries, errors } = await callNodes(client, 'ping', { ...spec, target }, place?.node);
    failures = errors;
    all.push(...entries);
    if (!isJson)
      for (const entry of entries) terminal.print(`${escapeSentence(entry.node)}: ${lineOf(entry, sequence)}`);
    if (entries.length === 0) break;
    const restMs = interval * 1000 - (performance.now() - startMs);
    if (sequence < count && restMs > 0) await delay(restMs);
  }
  if (isJson) terminal.print(formatJson({ entries: all, errors: failures }));
  else {
    const nodes = [...new Set(all.map(({ node }) => node))];
    const summary = (name: string): string =>
      summaryOf(
        `${name}: ${target}`,
        all.filter(({ node }) => node === name),
      );
    terminal.print(nodes.map(summary).join(''));
  }
  complain(failures, terminal);
  if (all.length > 0 && all.every(({ by }) => by === null)) {
    throw new EtherwsError('HOST_UNREACHABLE', `${spec.target} has not answered any node`, {
      hint: 'Look whether ctl --cluster trace knows it; a host may also refuse such requests',
    });
  }
  if (failures.length > 0) throw new ReportedFailure(EXIT_FAILURE);
}
