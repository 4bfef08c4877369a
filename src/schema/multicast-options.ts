import { groupList } from './binding-values.ts';
import { flag, integer, oneOf } from './types.ts';

/** The settings of networks and ports for multicast snooping (RFC 4541), named as those of bridge(8). */

export const MULTICAST_OPTIONS = {
  multicastSnooping: {
    type: oneOf(['on', 'off']),
    default: 'off',
    defaultElsewhere: 'on',
    defaultText: 'off in the network default, on in others',
    flag: '--multicast-snooping',
    metavar: 'on|off',
    help: 'send frames to groups to their members only, once a querier is there',
  },
  multicastQuerier: {
    type: oneOf(['on', 'off']),
    default: 'off',
    flag: '--multicast-querier',
    metavar: 'on|off',
    help: 'ask hosts for their groups where no other querier does; needs snooping',
  },
} as const;

export const MULTICAST_PORT_OPTIONS = {
  multicastRouter: {
    type: oneOf(['auto', 'on', 'off']),
    default: 'auto',
    flag: '--multicast-router',
    metavar: 'auto|on|off',
    help: 'whether a multicast router is behind the port; auto: as queries and hellos show',
  },
  fastLeave: {
    type: flag,
    default: false,
    flag: '--fast-leave',
    metavar: '0|1',
    help: '1: a leave ends a membership at once; for a port with one host',
  },
  multicastLimit: {
    type: integer(0, 65_536),
    default: 512,
    flag: '--multicast-limit',
    metavar: 'N',
    help: 'the most multicast groups of which the port is a member',
  },
  multicastGroups: {
    type: groupList,
    default: [],
    flag: '--multicast-group',
    metavar: 'GROUP[=IP][@VID]',
    help: 'a multicast group, or one source of it, of which the port is always a member; repeatable; none: no more',
    defaultText: 'none',
  },
} as const;
