import type { JSX } from 'preact';
import type { StatusEntry } from '../../../../src/control/schema.ts';
import { count } from '../../parts/units.ts';
import { hashOf } from '../../router.ts';
import { meaningOf } from '../ports/discards.ts';

/** The discards that need an operator, the most frequent first, each with what it means. */
export function FaultList({ faults }: { readonly faults: StatusEntry['faults'] }): JSX.Element {
  if (faults.length === 0) return <p class="muted">No frame was discarded for a fault.</p>;
  return (
    <ul class="health-faults">
      {faults.map(({ port, portName, direction, reason, frames }) => (
        <li key={`${port} ${direction} ${reason}`}>
          <a href={hashOf('ports', { port })}>{portName ?? `port ${port}`}</a>{' '}
          {direction === 'rx' ? 'received' : 'was to send'} <strong>{count(frames)}</strong>{' '}
          {frames === 1 ? 'frame' : 'frames'}: <code>{reason}</code>
          <span class="health-advice">Frames that {meaningOf(reason).words}</span>
        </li>
      ))}
    </ul>
  );
}
