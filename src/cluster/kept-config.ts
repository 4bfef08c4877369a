import * as v from 'valibot';
import { check, dottedNames } from '../schema/check.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { anyText, integer, listOf } from '../schema/types.ts';

/** The section `cluster` of the file of `--state`: the networks and the policy of the store, for a start without it. */

const keptConfig = objectOf({
  entries: {
    type: listOf(
      objectOf({
        key: { type: anyText, required: true, help: 'as in the store' },
        value: { type: v.unknown(), required: true, help: 'as in the store' },
        revision: { type: integer(0), required: true, help: 'as in the store' },
      }),
    ),
    required: true,
    help: 'what this node knew last',
  },
} as const satisfies Table);

export interface KeptEntry {
  readonly key: string;
  readonly value: unknown;
  readonly revision: number;
}

/** @returns undefined without the section. @throws EtherwsError if the section is no one of these */
export function readKeptConfig(section: unknown): readonly KeptEntry[] | undefined {
  if (section === undefined) return undefined;
  return check(keptConfig, section, dottedNames('cluster')).entries as readonly KeptEntry[];
}
