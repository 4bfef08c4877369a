import { TRACE, type TraceEntry } from '../../control/reach-entries.ts';
import type { Command } from '../commander.ts';
import { escapeSentence } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { formatMs, formatSeconds } from '../units.ts';
import { addLeaf, perform } from './leaf.ts';

/** `etherws ctl trace`: where the switch would send a frame to a station. */
export function addTrace(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'trace', 'tell where a frame to a station would go, and which switch is there', [
    'trace 02:00:00:00:00:05',
    'trace 02:00:00:00:00:05 --net lab --vid 10',
    'trace 192.0.2.5',
    '--cluster trace 192.0.2.5',
  ]).argument('<STATION>', TRACE.target.help);
  addTableOptions(leaf, TRACE);
  leaf.action((target: string, options: Record<string, unknown>, command: Command) =>
    perform(command, terminal, {
      method: 'trace',
      params: { target, ...typedValues(TRACE, options) },
      names: typedNames(TRACE, [], { target: 'STATION' }),
      table: traceText,
      askAgain: ({ entries, errors }) => {
        // Only the node where a station is knows its IP addresses and its name.
        const [found] = entries;
        if (found === undefined || !errors.some(({ error }) => error.startsWith('ADDRESS_UNKNOWN'))) return undefined;
        return { ...typedValues(TRACE, options), target: found.mac, vid: found.vid };
      },
    }),
  );
}

function traceText(entries: readonly TraceEntry[]): string {
  const [first] = entries;
  if (first === undefined) return 'nowhere: the address is not known, and no port forwards\n';
  const { network, vid, mac, decision, age } = first;
  const place = `${mac}, ${vid === 0 ? 'no VLAN tag' : `VLAN ${vid}`}, network ${network}`;
  const how =
    decision === 'forward'
      ? `seen ${age === null || age < 1 ? 'just now' : `${formatSeconds(age)} ago`}: sent by one port`
      : `not known: flooded to ${entries.length} ${entries.length === 1 ? 'port' : 'ports'}`;
  return `${[place, how, ...entries.flatMap(linesOf)].map(escapeSentence).join('\n')}\n`;
}

function linesOf(entry: TraceEntry): string[] {
  const { port, portName, meshNode, type, target, state, reason, roundTripMs, user, neighbors } = entry;
  const name = portName === null ? '' : ` (${portName})`;
  const facts = [
    state === 'up' ? 'up' : `${state}${reason === null ? '' : `: ${reason}`}`,
    ...(roundTripMs === null ? [] : [`round trip ${formatMs(roundTripMs)}`]),
    ...(user === null ? [] : [`user ${user}`]),
  ];
  return [
    `  port ${port}${name}, ${meshNode === undefined ? `${type} ${target}` : `mesh tunnel to node ${meshNode}`}, ${facts.join(', ')}`,
    ...neighbors.map(
      (neighbor) =>
        `    there: ${neighbor.system ?? neighbor.chassis}, port ${neighbor.port}; ask that switch for the next hop`,
    ),
  ];
}
