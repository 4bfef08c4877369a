import type { PortEntry } from '../../../../src/control/entries.ts';
import { PORT_TONES, type Tone } from '../../parts/port-tones.ts';

/** A port as the table of the switch has it: the entry of listPort. */
export type Port = PortEntry;

/** The name of a port, else what it is connected to. */
export function titleOf({ name, target }: Port): string {
  return name ?? target;
}

/** A port that an operator has shut is as it is meant to be; one that the switch has shut is a fault. */
export function toneOf({ state, shut }: Pick<Port, 'state' | 'shut'>): Tone {
  return shut ? 'quiet' : PORT_TONES[state];
}

/** The VLANs of a port in a few words; empty for a transparent one. */
export function vlansOf({ settings }: Port): string {
  const { vlanMode = 'transparent', pvid = 1, vlans = 'all' } = settings as Readonly<Record<string, unknown>>;
  switch (vlanMode) {
    case 'access':
      return String(pvid);
    case 'trunk':
      return `trunk ${vlans}`;
    case 'native':
      return `${pvid}, trunk ${vlans}`;
    default:
      return '';
  }
}

/** The discarded frames of both directions together. */
export function discardCount({ rxDiscards, txDiscards }: Port): number {
  let sum = 0;
  for (const frames of Object.values(rxDiscards)) sum += frames;
  for (const frames of Object.values(txDiscards)) sum += frames;
  return sum;
}
