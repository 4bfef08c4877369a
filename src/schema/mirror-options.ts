import * as v from 'valibot';
import { messageOf } from './check.ts';
import type { Table } from './table.ts';
import { oneOf, rule } from './types.ts';
import { portReference } from './values.ts';
import { vlanList } from './vlan-values.ts';

/** The settings of mirrors. */

/** The port that sends the copies: its number or its name as text; empty for none. It need not exist yet. */
export const mirrorPort = v.pipe(
  v.union([v.string(), v.number()], messageOf({ sentence: '{name} must be a port or an empty text, got {value}' })),
  v.transform(String),
  rule((port: string) =>
    port === '' || v.safeParse(portReference, port).success
      ? undefined
      : { sentence: '{name} must be the number or the name of a port, or an empty text, got {value}' },
  ),
);

/** Those of a bridge port. */
export const MIRROR_OPTIONS = {
  mirrorTo: {
    type: mirrorPort,
    default: '',
    defaultText: "''",
    flag: '--mirror-to',
    metavar: 'PORT',
    help: "port that sends copies of the frames of this one, and nothing else; '' for none",
  },
  mirrorDir: {
    type: oneOf(['both', 'rx', 'tx']),
    default: 'both',
    flag: '--mirror-dir',
    metavar: 'both|rx|tx',
    help: 'which frames are copied: those received, those sent, or both',
  },
  mirrorVlans: {
    type: vlanList,
    default: 'all',
    flag: '--mirror-vlans',
    metavar: 'LIST',
    help: 'copy frames of these VLANs only, such as 10,20,30-40',
  },
} as const satisfies Table;
