import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { call } from '../../live/live.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { failureText } from '../../parts/failure.ts';
import type { Port } from './port-text.ts';

interface RemoveDialogProps {
  readonly port: Port;
  readonly title: string;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}

/** Asks before a port is removed, since that cannot be undone here. */
export function RemoveDialog({ port, title, onClose, onRemoved }: RemoveDialogProps): JSX.Element {
  const failure = useSignal<string | null>(null);
  const isBusy = useSignal(false);

  async function remove(): Promise<void> {
    isBusy.value = true;
    try {
      await call('delPort', { port: port.port });
      onClose();
      onRemoved();
    } catch (error) {
      failure.value = failureText(error);
      isBusy.value = false;
    }
  }

  return (
    <Dialog title={`Remove port ${title}?`} onClose={onClose}>
      <p>
        Its stations are not reached any more. {port.type === 'server' && 'The other switch may connect again. '}
        {port.config === 'file' && 'It is in the configuration file, and comes back when that is read again. '}
        To add it again, type:
      </p>
      <pre class="notice">
        <code>
          etherws ctl addport {port.type} {port.target}
        </code>
      </pre>
      {failure.value !== null && (
        <p class="notice notice-bad" role="alert">
          {failure.value}
        </p>
      )}
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="button button-danger" disabled={isBusy.value} onClick={() => void remove()}>
          Remove
        </button>
      </div>
    </Dialog>
  );
}
