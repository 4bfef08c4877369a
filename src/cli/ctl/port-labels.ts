import { PORT_LABELS } from '../../schema/port-spec.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedValues } from '../table-options.ts';

/** The options for name and description, which ports of all kinds have. */

/** Their flags in errors, for `typedNames`. */
export const LABEL_FLAGS = { name: PORT_LABELS.name.flag, description: PORT_LABELS.description.flag } as const;

export function addLabelOptions(leaf: Command): void {
  addTableOptions(leaf, PORT_LABELS);
}

/** @param options the options that commander parsed */
export function typedLabels(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typedValues(PORT_LABELS, options);
}
