import type { JSX } from 'preact';
import { Icon } from '../../parts/icon.tsx';
import { useAction } from '../../parts/use-action.ts';
import { may } from '../../session.ts';
import { Section } from '../ports/section.tsx';
import { portOf, type Station } from './station-text.ts';

/** What may be done with a station; nothing is shown of what the user may not do. */
export function Actions({
  station,
  onClose,
}: {
  readonly station: Station;
  readonly onClose: () => void;
}): JSX.Element | null {
  const { run, failure, isBusy } = useAction();
  if (!may('addFdb') && !may('delFdb')) return null;
  const { mac, vid, port, network, kind } = station;

  return (
    <Section title={`Its address at port ${portOf(station)}`}>
      <div class="details-actions">
        {may('addFdb') && kind !== 'static' && kind !== 'told' && (
          <button
            type="button"
            class="button"
            disabled={isBusy.value}
            title="It neither ages nor moves"
            onClick={() => void run('addFdb', { mac, vid, port })}
          >
            Keep here
          </button>
        )}
        {may('addFdb') && kind === 'learned' && (
          <button
            type="button"
            class="button"
            disabled={isBusy.value}
            title="It ages, and does not move before"
            onClick={() => void run('addFdb', { mac, vid, port, sticky: true })}
          >
            Make sticky
          </button>
        )}
        {may('delFdb') && kind !== 'told' && (
          <button
            type="button"
            class="button button-danger"
            disabled={isBusy.value}
            onClick={() => void run('delFdb', { mac, vid, network }).then((gone) => gone !== undefined && onClose())}
          >
            <Icon name="remove" /> Forget
          </button>
        )}
      </div>
      {failure.value !== null && (
        <p class="notice notice-bad" role="alert">
          {failure.value}
        </p>
      )}
    </Section>
  );
}
