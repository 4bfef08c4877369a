import type * as v from 'valibot';
import { check, dottedNames } from '../schema/check.ts';
import { NETWORK_OPTIONS, networkName } from '../schema/network-options.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { anyText, listOf, tableOf } from '../schema/types.ts';

/** The section `networks` of the file of `--state`. */

const settings = objectOf(NETWORK_OPTIONS);

const keptNetworks = objectOf({
  changes: {
    type: tableOf(settings),
    required: true,
    help: 'what calls have changed in networks of the configuration file, by their names',
  },
  removed: { type: listOf(anyText), required: true, help: 'those of them that calls have removed' },
  added: {
    type: listOf(
      objectOf({
        name: { type: networkName, required: true, help: 'name of the network' },
        settings: { type: settings, required: true, help: 'its settings' },
      }),
    ),
    required: true,
    help: 'networks that calls have added',
  },
} as const satisfies Table);

export type KeptNetworks = v.InferOutput<typeof keptNetworks>;

const NOTHING: KeptNetworks = { changes: {}, removed: [], added: [] };

/** @throws EtherwsError if the section is no one of these */
export function readKeptNetworks(section: unknown): KeptNetworks {
  return section === undefined ? NOTHING : check(keptNetworks, section, dottedNames('networks'));
}
