import { isDeepStrictEqual } from 'node:util';
import type { NetworkEntry } from '../../control/schema.ts';
import { defaultSettings, NETWORK_OPTIONS } from '../../schema/network-options.ts';
import type { Row } from '../../schema/table.ts';
import { typedSetting } from '../../schema/typed-value.ts';
import { type Column, formatTable } from '../format.ts';

/** The table of `etherws ctl listnet`. */

export const NETWORK_COLUMNS: readonly Column<NetworkEntry>[] = [
  { title: 'Network', isNumber: false, cell: ({ network }) => network },
  { title: 'Ports', isNumber: true, cell: ({ ports }) => ports.toString() },
  { title: 'Addresses', isNumber: true, cell: ({ addresses }) => addresses.toString() },
];

const NETWORK_DETAILS: readonly Column<NetworkEntry>[] = [
  { title: 'Auto', isNumber: false, cell: ({ auto }) => (auto ? 'yes' : 'no') },
  { title: 'Config', isNumber: false, cell: ({ config }) => config ?? '-' },
  { title: 'Settings', isNumber: false, cell: changedSettings },
];

/** With those of `--long`. */
export const ALL_NETWORK_COLUMNS: readonly Column<NetworkEntry>[] = [...NETWORK_COLUMNS, ...NETWORK_DETAILS];

export function networkTable(entries: readonly NetworkEntry[], isLong = false): string {
  return formatTable(isLong ? ALL_NETWORK_COLUMNS : NETWORK_COLUMNS, entries);
}

/** The settings that are not those of a new network, as `ageout=60,fdb-size=100`. */
function changedSettings({ network, settings }: NetworkEntry): string {
  const usual: Readonly<Record<string, unknown>> = defaultSettings(network);
  const rows: Readonly<Record<string, Row>> = NETWORK_OPTIONS;
  const changed = Object.entries(settings).filter(([key, value]) => !isDeepStrictEqual(value, usual[key]));
  return changed.flatMap(([key, value]) => typedSetting(rows, key, value)).join(',') || '-';
}
