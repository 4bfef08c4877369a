import type { JSX } from 'preact';
import { addressOfPage } from '../../manual-pages.ts';
import { count } from '../../parts/units.ts';
import { discardsOf, meaningOf } from './discards.ts';
import type { Port } from './port-text.ts';

/** The discards of a port, by reason, in words. */
export function DiscardList({ port }: { readonly port: Port }): JSX.Element {
  const discards = discardsOf(port);
  if (discards.length === 0) return <p class="muted details-text">None since the port was added.</p>;
  return (
    <ul class="details-discards">
      {discards.map(({ direction, reason, frames }) => {
        const { words, page } = meaningOf(reason);
        return (
          <li key={`${direction} ${reason}`} class="details-discard">
            <strong>{count(frames)}</strong> {direction === 'rx' ? 'received' : 'to be sent'}, <code>{reason}</code>:
            frames that {words}.{' '}
            <a href={addressOfPage(page)} target="_blank" rel="noreferrer">
              More in the manual
            </a>
          </li>
        );
      })}
    </ul>
  );
}
