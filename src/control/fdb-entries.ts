import { DEFAULT_NETWORK, OF_NETWORK } from '../schema/network-options.ts';
import { atLeast, objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { flag, integer } from '../schema/types.ts';
import { portReference, stationAddress } from '../schema/values.ts';
import { fdbEntry, method } from './entries.ts';

/** The methods that change the filtering database. */

const VID = { type: integer(0, 4094), flag: '--vid', metavar: 'VID', help: 'VLAN; 0: frames without a tag' } as const;
const MAC = { type: stationAddress, required: true, help: 'MAC address of a station' } as const;

export const ADD_FDB = {
  mac: MAC,
  port: { type: portReference, required: true, help: 'number or name of the port' },
  vid: { ...VID, default: 0 },
  sticky: { type: flag, flag: '--sticky', help: 'ages like a learned address, but does not move', default: false },
} as const satisfies Table;

export const DEL_FDB = {
  mac: MAC,
  vid: { ...VID, default: 0 },
  network: { ...OF_NETWORK.network, help: 'in this network', defaultText: DEFAULT_NETWORK },
} as const satisfies Table;

export const FLUSH_FDB = {
  port: {
    type: portReference,
    flag: '--port',
    metavar: 'PORT',
    help: 'only addresses at this port',
    defaultText: 'all',
  },
  vid: { ...VID, help: 'only addresses in this VLAN', defaultText: 'all' },
  ...OF_NETWORK,
} as const satisfies Table;

export type AddFdbSpec = ValuesOf<typeof ADD_FDB>;
export type DelFdbSpec = ValuesOf<typeof DEL_FDB>;
export type FlushFdbSpec = ValuesOf<typeof FLUSH_FDB>;

/** The result of `flushFdb`. */
export const flushEntry = atLeast({
  /** the number of removed addresses */
  removed: integer(0),
});
export type FlushEntry = { removed: number };

export const FDB_METHODS = {
  addFdb: method('Sets an address at a port.', objectOf(ADD_FDB), fdbEntry),
  delFdb: method('Removes an address, set or learned.', objectOf(DEL_FDB), fdbEntry),
  flushFdb: method('Forgets learned addresses.', objectOf(FLUSH_FDB), flushEntry),
} as const;
