import type { JSX } from 'preact';
import type { FindingEntry } from '../../../../src/control/finding-entries.ts';
import { needed } from './verdict.ts';

const WORDS = { ok: 'good', warn: 'warning', fail: 'fault' } as const;
const BADGES = { ok: 'badge-good', warn: 'badge-warning', fail: 'badge-bad' } as const;

/** What an operator has to do, and behind that what is well. */
export function FindingList({ findings }: { readonly findings: readonly FindingEntry[] }): JSX.Element {
  const todo = needed(findings);
  const well = findings.filter(({ result }) => result === 'ok');
  return (
    <>
      {todo.length === 0 && <p class="health-well">Nothing needs you.</p>}
      <ul class="health-findings">
        {todo.map((finding) => (
          <Row key={finding.check} {...finding} />
        ))}
      </ul>
      <details class="health-more">
        <summary>
          {well.length} {well.length === 1 ? 'check is' : 'checks are'} good
        </summary>
        <ul class="health-findings">
          {well.map((finding) => (
            <Row key={finding.check} {...finding} />
          ))}
        </ul>
      </details>
    </>
  );
}

function Row({ check, result, found, advice }: FindingEntry): JSX.Element {
  return (
    <li class="health-finding">
      <span class={`badge ${BADGES[result]}`}>{WORDS[result]}</span>
      <strong class="health-check">{check}</strong>
      <span class="health-found">
        {found}
        {advice !== null && <span class="health-advice">{advice}</span>}
      </span>
    </li>
  );
}
