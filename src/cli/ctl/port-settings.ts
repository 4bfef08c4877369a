import { BRIDGE_PORT_OPTIONS } from '../../schema/bridge-port-options.ts';
import { PORT_LABELS, PORT_NETWORK } from '../../schema/port-spec.ts';
import type { Row, Table } from '../../schema/table.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedValues } from '../table-options.ts';

/** The options that ports of all kinds have: name, description, network, and the settings of the bridge port. */
const PORT_SETTINGS = { ...PORT_LABELS, ...PORT_NETWORK, ...BRIDGE_PORT_OPTIONS } as const satisfies Table;

/** Their flags in errors, for `typedNames`. */
export const SETTING_FLAGS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries<Row>(PORT_SETTINGS).flatMap(([key, { flag }]) => (flag === undefined ? [] : [[key, flag]])),
);

export function addSettingOptions(leaf: Command): void {
  addTableOptions(leaf, PORT_SETTINGS);
}

/** @param options the options that commander parsed */
export function typedSettings(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typedValues(PORT_SETTINGS, options);
}
