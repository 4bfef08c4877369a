import type { JSX } from 'preact';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { DialogForm } from '../../parts/form.tsx';
import { counted } from '../../parts/units.ts';
import { useAction } from '../../parts/use-action.ts';
import { go } from '../../router.ts';

/** Asks before a network is removed, since its ports are closed with it. */
export function RemoveDialog({
  network: { network, ports, config },
  onClose,
}: {
  readonly network: NetworkEntry;
  readonly onClose: () => void;
}): JSX.Element {
  const { run, failure, isBusy } = useAction();

  async function remove(): Promise<void> {
    const force = ports > 0 ? { force: true } : {};
    if ((await run('delNet', { network, ...force })) === undefined) return;
    onClose();
    go('networks');
  }

  return (
    <Dialog title={`Remove the network ${network}?`} onClose={onClose}>
      <DialogForm
        button="Remove"
        isDanger
        failure={failure.value}
        isBusy={isBusy.value}
        onCancel={onClose}
        onSubmit={() => void remove()}
      >
        <p class="networks-text">
          {ports === 0 ? 'It has no ports. ' : `${counted(ports, 'port')} are closed and removed with it. `}
          {config === 'file' && 'It is in the configuration file, and comes back when that is read again.'}
        </p>
      </DialogForm>
    </Dialog>
  );
}
