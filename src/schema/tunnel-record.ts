import { BRIDGE_PORT_OPTIONS } from './bridge-port-options.ts';
import { DEFAULT_NETWORK } from './network-options.ts';
import { objectOf, type Table, type ValuesOf } from './table.ts';
import { anyText, flag } from './types.ts';

/**
 * What is kept of an accepted tunnel, so that its client finds its port again: after a restart in the file of `--state`,
 * and at another node among the sessions of the cluster. Of tokens it has only hashes.
 */
export const TUNNEL_RECORD = {
  name: { type: anyText, help: 'name of the port' },
  description: { type: anyText, help: 'its description' },
  shut: { type: flag, required: true, help: 'whether the port is shut' },
  settings: { type: objectOf(BRIDGE_PORT_OPTIONS), help: 'the settings that its bridge port has for itself' },
  user: { type: anyText, help: 'the user of its client' },
  network: { type: anyText, help: 'its network', default: DEFAULT_NETWORK },
  target: { type: anyText, required: true, help: 'address and port of its client' },
  address: { type: anyText, required: true, help: 'what counts for the limit of an address' },
  presented: { type: anyText, help: 'hash of the token before, if the client may not know the latest' },
} as const satisfies Table;

export type TunnelRecord = ValuesOf<typeof TUNNEL_RECORD>;
