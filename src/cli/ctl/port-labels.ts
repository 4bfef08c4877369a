import { PORT_LABELS } from '../../schema/port-spec.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedValues } from '../table-options.ts';

/** The name and the description of a port that is added, of whatever kind. */

/** What errors call the two, for `typedNames`. */
export const LABEL_FLAGS = { name: PORT_LABELS.name.flag, description: PORT_LABELS.description.flag } as const;

export function addLabelOptions(leaf: Command): void {
  addTableOptions(leaf, PORT_LABELS);
}

/** @param options what commander read */
export function typedLabels(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typedValues(PORT_LABELS, options);
}
