import type { Table, ValuesOf } from './table.ts';
import { anyText, integer } from './types.ts';
import { stationAddress } from './values.ts';

const MOST_VID = 4094;

/** What is kept of a binding of an IP address that a guarded port has learned: after a restart, and at another node. */
export const BINDING_RECORD = {
  kind: { type: anyText, required: true, help: 'how it came: `dhcp` or `first`' },
  address: { type: anyText, required: true, help: 'the IP address' },
  mac: { type: stationAddress, required: true, help: 'the MAC address of the station' },
  vid: { type: integer(0, MOST_VID), required: true, help: 'its VLAN' },
  until: { type: integer(0), help: 'when it ends, in milliseconds since 1970', defaultText: 'not at all' },
} as const satisfies Table;

export type BindingRecord = ValuesOf<typeof BINDING_RECORD>;
