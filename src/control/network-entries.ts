import * as v from 'valibot';
import { NETWORK_OPTIONS, type NetworkChange, networkName } from '../schema/network-options.ts';
import { atLeast, objectOf, type Table } from '../schema/table.ts';
import { anyText, flag, integer, oneOf } from '../schema/types.ts';
import { type EntryOf, method, noParams } from './entries.ts';

/** The methods about networks, and their results. */

const count = integer(0);

/** A network. */
export const networkEntry = atLeast({
  network: anyText,
  /** the number of its ports */
  ports: count,
  /** the number of its learned addresses */
  addresses: count,
  /** whether a tunnel has made it (`sw --auto-net`): it is removed with its last port */
  auto: flag,
  /** all settings by their names */
  settings: v.record(v.string(), v.unknown()),
  /** how it relates to the configuration file; null without a file; `cluster`: all nodes have it */
  config: v.nullable(oneOf(['file', 'changed', 'added', 'cluster'])),
});
export type NetworkEntry = EntryOf<typeof networkEntry>;

const NAME = { type: networkName, required: true, help: 'name of the network' } as const;

export const ADD_NET = { network: NAME, ...NETWORK_OPTIONS } as const satisfies Table;

export const DEL_NET = {
  network: NAME,
  force: { type: flag, flag: '--force', help: 'remove its ports, too' },
} as const satisfies Table;

export const NETWORK_METHODS = {
  addNet: method('Adds a network, which is isolated from all others.', objectOf(ADD_NET), networkEntry),
  setNet: method('Changes settings of a network.', objectOf(ADD_NET), networkEntry),
  delNet: method('Removes a network.', objectOf(DEL_NET), networkEntry),
  listNet: method('Lists the networks.', noParams, networkEntry),
} as const;

/** The commands behind these methods. */
export interface NetworkControl {
  /** @throws EtherwsError NETWORK_EXISTS, REQUEST_REFUSED */
  add(name: string, settings: NetworkChange): NetworkEntry | Promise<NetworkEntry>;
  /** Absent settings stay unchanged. @throws EtherwsError NETWORK_NOT_FOUND */
  set(name: string, settings: NetworkChange): NetworkEntry | Promise<NetworkEntry>;
  /**
   * @param isForced with its ports
   * @returns its last state
   * @throws EtherwsError NETWORK_NOT_FOUND, NETWORK_IN_USE, REQUEST_REFUSED
   */
  remove(name: string, isForced: boolean): Promise<NetworkEntry>;
  list(): NetworkEntry[];
}
