import * as v from 'valibot';
import { messageOf } from './check.ts';
import type { Table } from './table.ts';
import { flag, oneOf, rule, wholeNumber } from './types.ts';

/** The settings of ports and networks for spanning tree (IEEE 802.1D-2004, tables 17-1 to 17-3). */

const MOST_COST = 200_000_000;
const PRIORITY_STEP = 16;
const MOST_PRIORITY = 240;
const BRIDGE_PRIORITY_STEP = 4096;
const MOST_BRIDGE_PRIORITY = 61_440;

const NO_COST = messageOf({ sentence: `{name} must be auto or a whole number from 1 to ${MOST_COST}, got {value}` });

const DIGITS = /^\d{1,9}$/;

/** `auto`, or a number, also as decimal text, as the command line has it. */
const pathCost = v.pipe(
  v.union([v.literal('auto'), v.number(), v.pipe(v.string(), v.regex(DIGITS, NO_COST))], NO_COST),
  v.metadata({
    anyOf: [
      { const: 'auto' },
      { type: 'integer', minimum: 1, maximum: MOST_COST },
      { type: 'string', pattern: DIGITS.source },
    ],
  }),
  v.transform((value): 'auto' | number => (value === 'auto' ? value : Number(value))),
  v.check((value) => value === 'auto' || (Number.isInteger(value) && value >= 1 && value <= MOST_COST), NO_COST),
);

/** A whole number from 0 to `most` in steps. */
export function steps(step: number, most: number) {
  const complaint = { sentence: `{name} must be a multiple of ${step} from 0 to ${most}, got {value}` };
  return v.pipe(
    v.number(messageOf(complaint)),
    rule((value: number) => (value >= 0 && value <= most && value % step === 0 ? undefined : complaint), {
      type: 'integer',
      minimum: 0,
      maximum: most,
      multipleOf: step,
    }),
  );
}

const AUTO_ON_OFF = oneOf(['auto', 'on', 'off']);

export const SPANNING_TREE_PORT_OPTIONS = {
  pathCost: {
    type: pathCost,
    default: 'auto',
    flag: '--path-cost',
    metavar: 'COST',
    help: 'cost in the spanning tree, or auto: by the round trip',
  },
  portPriority: {
    type: steps(PRIORITY_STEP, MOST_PRIORITY),
    default: 128,
    flag: '--port-priority',
    metavar: 'N',
    help: 'priority in the spanning tree, 0 to 240 in steps of 16',
  },
  edge: {
    type: AUTO_ON_OFF,
    default: 'auto',
    flag: '--edge',
    metavar: 'auto|on|off',
    help: 'on: no bridge is behind the port; auto: as long as none is heard',
  },
  pointToPoint: {
    type: AUTO_ON_OFF,
    default: 'auto',
    flag: '--point-to-point',
    metavar: 'auto|on|off',
    help: 'off: several bridges may be behind the port',
  },
  bpduGuard: { type: flag, default: false, flag: '--bpdu-guard', metavar: '0|1', help: '1: a BPDU disables the port' },
  rootGuard: {
    type: flag,
    default: false,
    flag: '--root-guard',
    metavar: '0|1',
    help: '1: the root bridge is not behind the port',
  },
  bpduFilter: {
    type: flag,
    default: false,
    flag: '--bpdu-filter',
    metavar: '0|1',
    help: '1: neither send BPDUs nor take them',
  },
} as const satisfies Table;

export const SPANNING_TREE_OPTIONS = {
  stp: {
    type: oneOf(['on', 'off']),
    default: 'off',
    defaultElsewhere: 'on',
    defaultText: 'off in the network default, on in others',
    flag: '--stp',
    metavar: 'on|off',
    help: 'spanning tree (RSTP)',
  },
  priority: {
    type: steps(BRIDGE_PRIORITY_STEP, MOST_BRIDGE_PRIORITY),
    default: 32_768,
    flag: '--priority',
    metavar: 'N',
    help: 'priority of the bridge in the spanning tree, 0 to 61440 in steps of 4096',
  },
  helloTime: {
    type: wholeNumber(1, 2),
    default: 2,
    unit: 'seconds',
    flag: '--hello-time',
    metavar: 'SEC',
    help: '1 or 2 seconds between BPDUs; a silent line is found after three',
  },
  maxAge: {
    type: wholeNumber(6, 40),
    default: 20,
    unit: 'seconds',
    flag: '--max-age',
    metavar: 'SEC',
    help: 'the most bridges on a way from the root, 6 to 40',
  },
  forwardDelay: {
    type: wholeNumber(4, 30),
    default: 15,
    unit: 'seconds',
    flag: '--forward-delay',
    metavar: 'SEC',
    help: 'seconds of listening and of learning towards bridges with STP, 4 to 30',
  },
} as const;
