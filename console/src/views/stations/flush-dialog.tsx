import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useTable } from '../../live/live.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ChoiceField, DialogForm, TextField } from '../../parts/form.tsx';
import { counted } from '../../parts/units.ts';
import { useAction } from '../../parts/use-action.ts';
import { type Port, titleOf } from '../ports/port-text.ts';

/** Forgets learned addresses: of a port or of all, in a VLAN or in all. */
export function FlushDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const ports = [...useTable<Port>('ports').rows.values()];
  const [port, vid] = [useSignal(''), useSignal('')];
  const removed = useSignal<number | null>(null);
  const { run, failure, isBusy } = useAction();

  async function flush(): Promise<void> {
    const tag = vid.value.trim();
    const answer = await run<{ removed: number }>('flushFdb', {
      ...(port.value === '' ? {} : { port: Number(port.value) }),
      ...(tag === '' ? {} : { vid: /^\d+$/.test(tag) ? Number(tag) : tag }),
    });
    removed.value = answer?.[0]?.removed ?? null;
  }

  return (
    <Dialog title="Forget learned addresses" onClose={onClose}>
      {removed.value !== null ? (
        <>
          <p role="status">{counted(removed.value, 'address', 'addresses')} forgotten.</p>
          <div class="dialog-buttons">
            <button type="button" class="button button-main" onClick={onClose}>
              Close
            </button>
          </div>
        </>
      ) : (
        <DialogForm
          button="Forget"
          isDanger
          failure={failure.value}
          isBusy={isBusy.value}
          onCancel={onClose}
          onSubmit={() => void flush()}
        >
          <p class="stations-text">
            Frames to these stations are flooded until they speak again. Static addresses stay.
          </p>
          <ChoiceField
            label="Port"
            text={port}
            options={[
              ['', 'all ports'],
              ...ports.map((one) => [String(one.port), `${one.port} ${titleOf(one)}`] as const),
            ]}
          />
          <TextField label="VLAN" text={vid} hint="Empty for all" />
        </DialogForm>
      )}
    </Dialog>
  );
}
