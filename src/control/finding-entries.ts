import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, oneOf } from '../schema/types.ts';
import { type EntryOf, method, noParams } from './entries.ts';

/** The method that examines the switch, and its result. */

/** The result of one check. */
export const findingEntry = atLeast({
  /** what was examined: `descriptors`, `control TLS`, … */
  check: anyText,
  result: oneOf(['ok', 'warn', 'fail']),
  /** one sentence */
  found: anyText,
  /** what to do; null for a good result */
  advice: v.nullable(anyText),
});
export type FindingEntry = EntryOf<typeof findingEntry>;

export const FINDING_METHODS = {
  listFinding: method('Examines the switch and its host.', noParams, findingEntry),
} as const;

/** The command behind this method. */
export interface HealthControl {
  /** Starts no program and waits for nothing. */
  findings(): FindingEntry[];
}
