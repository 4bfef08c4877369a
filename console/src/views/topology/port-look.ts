import type { PortEntry } from '../../../../src/control/schema.ts';
import type { LiveStpPortEntry } from '../../../../src/control/stp-entries.ts';
import { PORT_TONES, type Tone } from '../../parts/port-tones.ts';
import type { Look } from './graph.ts';

/** How a port is drawn, and why, in one sentence. */
export interface PortLook {
  readonly look: Look;
  /** `''` for a port that forwards without a fault */
  readonly reason: string;
}

const UP: PortLook = { look: 'up', reason: '' };

/**
 * @param inTree the port in the spanning tree of its network
 * @param flapping how many addresses move to and fro between this port and `other`
 */
export function portLook(
  port: Pick<PortEntry, 'state' | 'reason' | 'shut'>,
  inTree: LiveStpPortEntry | undefined,
  flapping: { readonly addresses: number; readonly other: number } | undefined,
): PortLook {
  const { state, reason, shut } = port;
  if (inTree?.guardTripped === true)
    return fault('BPDU guard disabled this port: a bridge is behind a port that is meant for stations');
  if (state === 'shut') {
    if (shut) return { look: 'off', reason: 'Shut by the operator' };
    return fault(`Shut by the switch: ${reason ?? 'no reason is known'}`);
  }
  if (state === 'discarding' || state === 'learning') return treeLook(state, inTree);
  if (flapping !== undefined) {
    const what = flapping.addresses === 1 ? '1 address moves' : `${flapping.addresses} addresses move`;
    return fault(`${what} to and fro between this port and port ${flapping.other}: a loop, or an address used twice`);
  }
  if (state === 'up') return UP;
  if (state === 'standby') return { look: 'standby', reason: `Stands by: ${reason ?? 'a parallel tunnel forwards'}` };
  return { look: LOOKS_OF_TONES[PORT_TONES[state]], reason: `${SENTENCES[state]}${told(reason)}` };
}

const LOOKS_OF_TONES: Readonly<Record<Tone, Look>> = { good: 'up', warning: 'waiting', quiet: 'off', bad: 'fault' };

const SENTENCES = {
  connecting: 'Connecting',
  backoff: 'No connection',
  away: 'The client is away',
  down: 'The link is down',
  closed: 'The port is closed',
} as const;

function treeLook(state: 'discarding' | 'learning', inTree: LiveStpPortEntry | undefined): PortLook {
  const role = inTree?.role;
  if (state === 'learning')
    return { look: 'waiting', reason: 'The spanning tree lets this port learn; it forwards soon' };
  if (role === 'alternate')
    return fault('Blocked by the spanning tree: another port is the better way to the root bridge');
  if (role === 'backup')
    return fault('Blocked by the spanning tree: another port of this switch serves the same segment');
  if (role === 'disabled') return { look: 'off', reason: 'The spanning tree has disabled this port' };
  return { look: 'waiting', reason: 'The spanning tree waits before this port may forward' };
}

function fault(reason: string): PortLook {
  return { look: 'fault', reason };
}

function told(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${reason}`;
}
