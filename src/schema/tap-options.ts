import { DIAL_OPTIONS } from './dial-options.ts';
import { absent, objectOf, type Row, type ValuesOf } from './table.ts';
import { netnsPlace, stationAddress } from './values.ts';

/** The options of a tap port. */
export const TAP_OPTIONS = {
  netns: {
    type: netnsPlace,
    flag: '--netns',
    metavar: 'NETNS',
    help: 'put it into this network namespace: a name as of `ip netns`, or a path',
  },
  mac: { type: stationAddress, flag: '--mac', metavar: 'ADDRESS', help: 'give it this MAC address' },
} as const;

export type TapOptions = ValuesOf<typeof TAP_OPTIONS>;

/**
 * A device has no options of a client. They are accepted if they are null or empty:
 * callers of 1.x send the four options of 1.x for every type of port.
 */
const DIAL_OPTIONS_ABSENT: Readonly<Record<string, Row>> = Object.fromEntries(
  Object.entries<Row>(DIAL_OPTIONS).map(([key, { emptyIsAbsent }]) => [
    key,
    {
      type: absent(
        { sentence: 'Only a client port takes {name}' },
        emptyIsAbsent === true,
        key === 'insecure' ? [false, 0] : [],
      ),
      help: 'only a client port takes it',
    },
  ]),
);

export const tapOptions = objectOf<typeof TAP_OPTIONS>({ ...TAP_OPTIONS, ...DIAL_OPTIONS_ABSENT });

export const netdevOptions = objectOf<Record<never, Row>>(DIAL_OPTIONS_ABSENT);
