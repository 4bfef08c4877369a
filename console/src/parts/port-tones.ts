import type { PortEntry } from '../../../src/control/entries.ts';

/** How something is to be seen: well, on the way to it, a fault, or as it is meant to be. It is the end of the class of a badge. */
export type Tone = 'good' | 'warning' | 'bad' | 'quiet';

/** The colours of the states of ports, in all views. A port that dials again by itself is on the way. */
export const PORT_TONES: Readonly<Record<PortEntry['state'], Tone>> = {
  up: 'good',
  connecting: 'warning',
  backoff: 'warning',
  away: 'warning',
  learning: 'warning',
  down: 'warning',
  closed: 'bad',
  shut: 'bad',
  standby: 'quiet',
  discarding: 'quiet',
};
