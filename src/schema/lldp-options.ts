import type { Table } from './table.ts';
import { oneOf } from './types.ts';

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
