import * as v from 'valibot';
import { multicastGroup, multicastSource } from '../schema/binding-values.ts';
import { atLeast, objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, integer, oneOf } from '../schema/types.ts';
import { portReference } from '../schema/values.ts';
import { type EntryOf, method, ofNetwork } from './entries.ts';

/** The multicast database: the results of `listMdb`, and the methods that change it. */

const count = integer(0);

/** A membership, a router port or a querier. */
export const mdbEntry = atLeast({
  kind: oneOf(['member', 'router', 'querier']),
  /** the VLAN; 0 without a tag */
  vid: count,
  /** of a member its group; of a router all groups, 224.0.0.0/4 or ff00::/8; of a querier its address */
  address: anyText,
  /** null for the switch as a querier, and for a querier whose port is gone */
  port: v.nullable(integer(1)),
  portName: v.nullable(anyText),
  /** of a member: `include`, only frames of the sources in the list; `exclude`, those of all others, too (RFC 3376, 6.2.1); else null */
  filterMode: v.nullable(oneOf(['include', 'exclude'])),
  /** of a member: its sources; empty for others, and for a member for all sources */
  sourceList: v.array(
    atLeast({
      address: anyText,
      /** seconds until frames of this source are no longer wanted; 0: they are not, in the mode `exclude`; null: by the operator, for ever */
      expires: v.nullable(count),
    }),
  ),
  /** `permanent`: by the operator, or the switch itself; `temporary`: it expires unless it is heard again (bridge-mdb(8)) */
  state: oneOf(['permanent', 'temporary']),
  /** seconds until it expires, unless it is refreshed; null: it does not expire */
  expires: v.nullable(count),
  /** the name of its network */
  network: anyText,
});
export type MdbEntry = EntryOf<typeof mdbEntry>;

/** The parameters of `addMdb` and `delMdb`, as those of `bridge mdb`. */
export const CHANGE_MDB = {
  group: { type: multicastGroup, required: true, help: 'IPv4 or IPv6 address of the multicast group' },
  port: { type: portReference, required: true, help: 'number or name of the port' },
  source: {
    type: multicastSource,
    flag: '--source',
    metavar: 'IP',
    help: 'only frames of this source',
    defaultText: 'all sources',
  },
  vid: {
    type: integer(0, 4094),
    flag: '--vid',
    metavar: 'VID',
    help: 'VLAN; 0: frames without a tag',
    default: 0,
  },
} as const satisfies Table;
export type ChangeMdbSpec = ValuesOf<typeof CHANGE_MDB>;

export const MULTICAST_METHODS = {
  listMdb: method('Lists members of multicast groups, router ports and queriers.', ofNetwork, mdbEntry),
  addMdb: method(
    'Makes a port a member of a multicast group, or of one source of it, for ever.',
    objectOf(CHANGE_MDB),
    mdbEntry,
  ),
  delMdb: method('Ends the membership of a port in a multicast group.', objectOf(CHANGE_MDB), mdbEntry),
} as const;
