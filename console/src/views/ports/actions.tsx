import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { call } from '../../live/live.ts';
import { failureText } from '../../parts/failure.ts';
import { Icon } from '../../parts/icon.tsx';
import { may } from '../../session.ts';
import { type Port, titleOf } from './port-text.ts';
import { RemoveDialog } from './remove-dialog.tsx';
import { SettingsDialog } from './settings-dialog.tsx';

interface ActionsProps {
  readonly port: Port;
  /** all ports, of which one may be the mirror's */
  readonly others: readonly Port[];
  readonly onRemoved: () => void;
}

/** What may be done with a port; nothing is shown of what the user may not do. */
export function Actions({ port, others, onRemoved }: ActionsProps): JSX.Element | null {
  const shown = useSignal<'settings' | 'remove' | null>(null);
  const failure = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  if (!may('setPort') && !may('delPort')) return null;

  async function setShut(shut: boolean): Promise<void> {
    isBusy.value = true;
    failure.value = null;
    try {
      await call('setPort', { port: port.port, shut });
    } catch (error) {
      failure.value = failureText(error);
    }
    isBusy.value = false;
  }

  const show = (dialog: typeof shown.value): void => {
    shown.value = dialog;
  };
  const close = (): void => show(null);
  return (
    <div class="details-section">
      <div class="details-actions">
        {may('setPort') && (
          <>
            <button type="button" class="button" onClick={() => show('settings')}>
              <Icon name="edit" /> Change…
            </button>
            <button type="button" class="button" disabled={isBusy.value} onClick={() => void setShut(!port.shut)}>
              {port.shut ? 'Open' : 'Shut'}
            </button>
          </>
        )}
        {may('delPort') && (
          <button type="button" class="button button-danger" onClick={() => show('remove')}>
            <Icon name="remove" /> Remove…
          </button>
        )}
      </div>
      {failure.value !== null && (
        <p class="notice notice-bad" role="alert">
          {failure.value}
        </p>
      )}
      {shown.value === 'settings' && <SettingsDialog port={port} others={others} onClose={close} />}
      {shown.value === 'remove' && (
        <RemoveDialog port={port} title={titleOf(port)} onClose={close} onRemoved={onRemoved} />
      )}
    </div>
  );
}
