import * as v from 'valibot';
import { parseHostAddress } from '../wire/ethernet/ip-address.ts';
import { complaintOf } from './check.ts';
import type { Table } from './table.ts';
import { anyText, oneOf, rule } from './types.ts';

/** The setting of a bridge port about LLDP. */
export const LLDP_OPTIONS = {
  lldp: {
    type: oneOf(['both', 'rx', 'tx', 'off']),
    default: 'both',
    flag: '--lldp',
    metavar: 'both|rx|tx|off',
    help: 'whether the port sends and receives LLDP, in a network with LLDP',
  },
} as const satisfies Table;

/** The most management addresses that a switch tells of: what receivers of etherws keep. */
const MOST_ADDRESSES = 4;

/** `auto`, `none`, or up to four addresses with commas between them; the output has them in canonical text. */
const managementAddresses = v.pipe(
  anyText,
  rule((value: string) =>
    value.split(',').length > MOST_ADDRESSES || value.length > 255
      ? { sentence: `{name} {value} has more than ${MOST_ADDRESSES} addresses` }
      : isWord(value)
        ? { sentence: `{name} must be auto, none, or up to ${MOST_ADDRESSES} addresses with commas, got {value}` }
        : complaintOf(() => canonical(value)),
  ),
  v.transform(canonical),
);

function isWord(value: string): boolean {
  return value !== 'auto' && value !== 'none' && !/[.:]/.test(value);
}

function canonical(value: string): string {
  if (value === 'auto' || value === 'none') return value;
  return value
    .split(',')
    .map((text) => parseHostAddress(text.trim()).address)
    .join();
}

/** The settings of a network about LLDP. */
export const NETWORK_LLDP_OPTIONS = {
  lldp: {
    type: oneOf(['on', 'off']),
    default: 'off',
    defaultElsewhere: 'on',
    defaultText: 'off in the network default, on in others',
    flag: '--lldp',
    metavar: 'on|off',
    help: 'whether ports tell their neighbours of this switch by LLDP, and hear of them',
  },
  lldpManagement: {
    type: managementAddresses,
    default: 'auto',
    flag: '--lldp-management',
    metavar: 'ADDRESSES',
    help: 'addresses that LLDP tells for managing this switch, up to four, with commas; none; auto: those of the devices of the network, else that of the control service',
  },
} as const;
