import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useTable } from '../../live/live.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ChoiceField, DialogForm, TextField } from '../../parts/form.tsx';
import { useAction } from '../../parts/use-action.ts';
import { type Port, titleOf } from '../ports/port-text.ts';

const KINDS = [
  ['static', 'static: neither ages nor moves'],
  ['sticky', 'sticky: ages, and does not move before'],
] as const;

/** Sets the address of a station that may be silent. The switch checks the values, and its refusal is shown. */
export function AddressDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const ports = [...useTable<Port>('ports').rows.values()];
  const [mac, vid, kind] = [useSignal(''), useSignal(''), useSignal('static')];
  const port = useSignal('');
  const { run, failure, isBusy } = useAction();
  const chosen = port.value === '' ? String(ports[0]?.port ?? '') : port.value;

  async function add(): Promise<void> {
    const tag = vid.value.trim();
    const params = {
      mac: mac.value.trim(),
      port: /^\d+$/.test(chosen) ? Number(chosen) : chosen,
      ...(tag === '' ? {} : { vid: /^\d+$/.test(tag) ? Number(tag) : tag }),
      ...(kind.value === 'sticky' ? { sticky: true } : {}),
    };
    if ((await run('addFdb', params)) !== undefined) onClose();
  }

  return (
    <Dialog title="Set an address" onClose={onClose}>
      <DialogForm
        button="Set"
        failure={failure.value}
        isBusy={isBusy.value}
        onCancel={onClose}
        onSubmit={() => void add()}
      >
        <TextField label="MAC address" text={mac} placeholder="02:00:00:00:00:05" />
        <ChoiceField
          label="Port"
          text={port}
          options={ports.map((one) => [String(one.port), `${one.port} ${titleOf(one)}, ${one.network}`])}
        />
        <TextField label="VLAN" text={vid} hint="Empty for frames without a tag" />
        <ChoiceField label="Kind" text={kind} options={KINDS} />
      </DialogForm>
    </Dialog>
  );
}
