import type { JSX } from 'preact';
import { count } from '../../parts/units.ts';
import { type Limit, shownLimits } from './limits.ts';

const WORDS = { near: 'nearly full', full: 'full' } as const;
const BADGES = { near: 'badge-warning', full: 'badge-bad' } as const;

/** How full the limits are, those that are near first. */
export function LimitList({ limits }: { readonly limits: readonly Limit[] }): JSX.Element {
  return (
    <ul class="health-limits">
      {shownLimits(limits).map(({ limit, name, used, most, percent, state }) => (
        <li key={limit}>
          <span class="health-limit-name">
            {name} <code class="muted">{limit}</code>{' '}
            {state !== 'good' && <span class={`badge ${BADGES[state]}`}>{WORDS[state]}</span>}
          </span>
          <span class="health-limit-number">
            {count(used)} of {count(most)}
          </span>
          <span class="health-bar" aria-hidden="true">
            <span class={`health-used health-${state}`} style={{ width: `${percent}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
