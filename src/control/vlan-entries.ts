import { OF_NETWORK } from '../schema/network-options.ts';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText, integer, listOf } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';

/** The method about VLANs, and its result. */

/** A VLAN of a network, with the ports in its member set. */
export const vlanEntry = atLeast({
  network: anyText,
  /** 0: frames without a VID at transparent ports */
  vid: integer(0),
  /** the numbers of the ports that send its frames with a tag, and without */
  tagged: listOf(integer(1)),
  untagged: listOf(integer(1)),
  /** the number of learned and set addresses */
  addresses: integer(0),
});
export type VlanEntry = EntryOf<typeof vlanEntry>;

export const VLAN_METHODS = {
  listVlan: method('Lists the VLANs in use, with their ports.', objectOf(OF_NETWORK), vlanEntry),
} as const;
