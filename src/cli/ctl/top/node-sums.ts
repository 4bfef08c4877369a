import { type Column, formatTable } from '../../format.ts';
import { formatRate } from '../../units.ts';
import { nodeOf, type PortRate } from './rates.ts';

/** The sums of the nodes of a cluster, for `etherws ctl --cluster top`. */

interface NodeSum {
  readonly node: string;
  readonly ports: number;
  readonly up: number;
  /** bits a second */
  readonly rxBits: number;
  readonly txBits: number;
  /** discarded frames a second */
  readonly discards: number;
}

/** By name; the last one is of all. */
export function nodeSums(ports: readonly PortRate[]): readonly NodeSum[] {
  const names = [...new Set(ports.map(nodeOf))].sort();
  return [
    ...names.map((name) =>
      sumOf(
        name,
        ports.filter((port) => nodeOf(port) === name),
      ),
    ),
    sumOf('all', ports),
  ];
}

function sumOf(node: string, ports: readonly PortRate[]): NodeSum {
  const sum = (of: (port: PortRate) => number): number => ports.reduce((total, port) => total + of(port), 0);
  return {
    node,
    ports: ports.length,
    up: ports.filter(({ entry }) => entry.state === 'up').length,
    rxBits: sum(({ rxBits }) => rxBits),
    txBits: sum(({ txBits }) => txBits),
    discards: sum(({ discards }) => discards),
  };
}

const COLUMNS: readonly Column<NodeSum>[] = [
  { title: 'Node', isNumber: false, cell: ({ node }) => node },
  { title: 'Ports', isNumber: true, cell: ({ ports }) => ports.toString() },
  { title: 'Up', isNumber: true, cell: ({ up }) => up.toString() },
  { title: 'RX-bit/s', isNumber: true, cell: ({ rxBits }) => formatRate(rxBits) },
  { title: 'TX-bit/s', isNumber: true, cell: ({ txBits }) => formatRate(txBits) },
  { title: 'Drop/s', isNumber: true, cell: ({ discards }) => formatRate(discards) },
];

export function nodeSumTable(ports: readonly PortRate[]): string {
  return formatTable(COLUMNS, nodeSums(ports));
}

/** `r1 12M in, 8k out; r2 …`, for a screen that has one line for it. */
export function nodeSumLine(ports: readonly PortRate[]): string {
  const shown = nodeSums(ports).slice(0, -1);
  return shown
    .map(({ node, rxBits, txBits }) => `${node} ${formatRate(rxBits)} in, ${formatRate(txBits)} out`)
    .join('; ');
}
