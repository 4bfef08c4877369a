import type { ClusterHistoryEntry, ClusterNetworkEntry } from '../../../control/cluster-entries.ts';
import { NETWORK_OPTIONS } from '../../../schema/network-options.ts';
import type { Row } from '../../../schema/table.ts';
import { typedSetting } from '../../../schema/typed-value.ts';
import { type Column, formatTable } from '../../format.ts';

/** Tables of what the nodes of a cluster share. */

interface Change {
  readonly revision: number;
  readonly by: string | null;
  readonly at: string;
}

const CHANGE: readonly Column<Change>[] = [
  { title: 'Revision', isNumber: true, cell: ({ revision }) => revision.toString() },
  { title: 'By', isNumber: false, cell: ({ by }) => by ?? '-' },
  { title: 'At', isNumber: false, cell: ({ at }) => at },
];

export function sharedNetworkTable(entries: readonly ClusterNetworkEntry[]): string {
  const columns: readonly Column<ClusterNetworkEntry>[] = [
    { title: 'Network', isNumber: false, cell: ({ network }) => network },
    ...CHANGE,
    { title: 'Settings', isNumber: false, cell: ({ settings }) => shownSettings(settings) },
  ];
  return formatTable(columns, entries);
}

export function historyTable(entries: readonly ClusterHistoryEntry[]): string {
  const columns: readonly Column<ClusterHistoryEntry>[] = [
    { title: 'Key', isNumber: false, cell: ({ key }) => key },
    ...CHANGE,
    { title: 'Current', isNumber: false, cell: ({ current }) => (current ? 'yes' : 'no') },
    { title: 'Value', isNumber: false, cell: ({ value }) => shownValue(value) },
  ];
  return formatTable(columns, entries);
}

/** A policy is many lines: the command `policy show` prints that in force, and `--json` all. */
function shownValue(value: unknown): string {
  return typeof value === 'string'
    ? `${value.split('\n').filter((line) => line.trim() !== '').length}_lines`
    : shownSettings(value as ClusterNetworkEntry['settings']);
}

function shownSettings(settings: ClusterNetworkEntry['settings']): string {
  if (settings === null) return 'removed';
  const rows: Readonly<Record<string, Row>> = NETWORK_OPTIONS;
  return (
    Object.entries(settings)
      .flatMap(([key, value]) => typedSetting(rows, key, value))
      .join(',') || 'defaults'
  );
}
