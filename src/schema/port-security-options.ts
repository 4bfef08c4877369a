import { bindingList, stationList } from './binding-values.ts';
import { DEFAULT_STORM, stormLimits } from './storm-values.ts';
import type { Table } from './table.ts';
import { flag, integer, oneOf } from './types.ts';

/** Settings of a bridge port that limit what it brings and gets. */
export const PORT_SECURITY_OPTIONS = {
  learning: { type: flag, default: true, flag: '--learning', metavar: '0|1', help: '0: learn no addresses' },
  locked: {
    type: flag,
    default: false,
    flag: '--locked',
    metavar: '0|1',
    help: '1: take only frames from addresses that are at this port',
  },
  macLimit: {
    type: integer(0, 1_000_000),
    default: 0,
    flag: '--mac-limit',
    metavar: 'N',
    help: 'the most addresses that it learns; 0: any number',
  },
  macLimitAction: {
    type: oneOf(['discard', 'shut']),
    default: 'discard',
    flag: '--mac-limit-action',
    metavar: 'ACTION',
    help: 'what a frame from one address more causes',
  },
  fdb: {
    type: stationList,
    default: [],
    flag: '--fdb',
    metavar: 'MAC[@VID]',
    help: 'an address that is always at this port; repeatable; none: no more',
    defaultText: 'none',
  },
  floodUnicast: {
    type: flag,
    default: true,
    flag: '--flood-unicast',
    metavar: '0|1',
    help: '0: send no frames to unknown stations by it',
  },
  floodMulticast: {
    type: flag,
    default: true,
    flag: '--flood-multicast',
    metavar: '0|1',
    help: '0: flood no multicast frames to it',
  },
  floodBroadcast: {
    type: flag,
    default: true,
    flag: '--flood-broadcast',
    metavar: '0|1',
    help: '0: send no broadcast frames by it',
  },
  storm: {
    type: stormLimits,
    default: DEFAULT_STORM,
    flag: '--storm',
    metavar: 'KIND=N,...',
    help: 'the most frames a second that it brings and that are flooded, by kind; none: any number',
  },
  dhcpGuard: {
    type: flag,
    default: false,
    flag: '--dhcp-guard',
    metavar: '0|1',
    help: '1: refuse frames of DHCP servers',
  },
  raGuard: {
    type: flag,
    default: false,
    flag: '--ra-guard',
    metavar: '0|1',
    help: '1: refuse IPv6 router advertisements',
  },
  dhcpTrusted: {
    type: flag,
    default: false,
    flag: '--dhcp-trusted',
    metavar: '0|1',
    help: '1: believe the DHCP servers behind it',
  },
  ipSourceGuard: {
    type: flag,
    default: false,
    flag: '--ip-source-guard',
    metavar: '0|1',
    help: '1: take only frames with an IP address that is bound to their station',
  },
  ipBindings: {
    type: bindingList,
    default: [],
    flag: '--ip-binding',
    metavar: 'IP[=MAC[@VID]]',
    help: 'an IP address that may be used at this port; repeatable; none: no more',
    defaultText: 'none',
  },
} as const satisfies Table;
