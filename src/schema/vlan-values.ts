import * as v from 'valibot';
import { MAX_VID, MIN_VID, VidSet } from '../wire/ethernet/vid-set.ts';
import { messageOf } from './check.ts';
import { rule, wholeNumber } from './types.ts';

/** The values of settings about VLANs (IEEE 802.1Q-2022). */

/** The VID of a VLAN. */
export const vlanId = wholeNumber(MIN_VID, MAX_VID);

const NO_LIST = messageOf({ sentence: '{name} must be VIDs and ranges such as 10,20,30-40, or all, got {value}' });

/** VIDs and ranges, as `10,20,30-40`, or `all`. One VID may be a number, as YAML reads it. The output is the shortest such text. */
export const vlanList = v.pipe(
  v.union([v.string(), v.number()], NO_LIST),
  v.transform(String),
  rule((list: string) =>
    VidSet.parse(list) === undefined
      ? {
          sentence: `{name} must be VIDs from ${MIN_VID} to ${MAX_VID} and ranges such as 10,20,30-40, or all, got {value}`,
        }
      : undefined,
  ),
  v.transform((list): string => String(VidSet.parse(list))),
);

/** The TPID of tags, in hexadecimal. YAML reads 8100 as a number. */
export const tagType = v.pipe(
  v.union(
    [v.literal('8100'), v.literal('88a8'), v.literal(8100)],
    messageOf({ sentence: '{name} must be 8100 or 88a8, got {value}' }),
  ),
  v.transform((value): '8100' | '88a8' => (value === '88a8' ? value : '8100')),
);
