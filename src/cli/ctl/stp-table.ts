import type { StpEntry, StpPortEntry } from '../../control/stp-entries.ts';
import { type Column, formatTable } from '../format.ts';

/** The tables of `etherws ctl liststp`: for each network a line about its tree, and its ports. */

function word(title: string, cell: (row: StpPortEntry) => string): Column<StpPortEntry> {
  return { title, isNumber: false, cell };
}

function number(title: string, cell: (row: StpPortEntry) => number): Column<StpPortEntry> {
  return { title, isNumber: true, cell: (row) => cell(row).toString() };
}

const PORT_COLUMNS: readonly Column<StpPortEntry>[] = [
  number('Port', ({ port }) => port),
  word('Role', ({ role }) => role),
  word('State', ({ state }) => state),
  number('Cost', ({ cost }) => cost),
  word('Id', ({ portId }) => portId),
  word('Designated', ({ designatedBridge }) => designatedBridge),
  word('Port-Id', ({ designatedPort }) => designatedPort),
  word('Edge', ({ edge }) => (edge ? 'yes' : 'no')),
];

const PORT_DETAILS: readonly Column<StpPortEntry>[] = [
  word('Version', ({ version }) => version),
  word('P2P', ({ pointToPoint }) => (pointToPoint ? 'yes' : 'no')),
  number('RX-BPDU', ({ received }) => sumOf(received)),
  number('TX-BPDU', ({ transmitted }) => sumOf(transmitted)),
  number('Discarded', ({ discarded }) => discarded),
  word('Guard', ({ guardTripped }) => (guardTripped ? 'tripped' : '-')),
  word('Name', ({ portName }) => portName ?? '-'),
];

export function stpTable(entries: readonly StpEntry[], isLong = false): string {
  const columns = isLong ? [...PORT_COLUMNS, ...PORT_DETAILS] : PORT_COLUMNS;
  return entries.map((entry) => `${headOf(entry)}${formatTable(columns, entry.ports)}`).join('\n');
}

function headOf({ network, bridgeId, rootId, rootPort, rootNode, rootCost, ...facts }: StpEntry): string {
  // As ctl --cluster shows a port of another node.
  const port = rootNode === null ? rootPort : `${rootNode}/${rootPort}`;
  const root = rootPort === null ? 'this bridge is the root' : `root ${rootId} by port ${port} at cost ${rootCost}`;
  const { helloTime, maxAge, forwardDelay, topologyChanges } = facts;
  return [
    `Network ${network}: bridge ${bridgeId}, ${root}\n`,
    `Hello time ${helloTime} s, max age ${maxAge} s, forward delay ${forwardDelay} s, ${topologyChanges} topology changes\n`,
  ].join('');
}

function sumOf(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((sum, count) => sum + count, 0);
}
