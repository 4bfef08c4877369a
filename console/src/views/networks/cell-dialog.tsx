import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Dialog } from '../../parts/dialog.tsx';
import { DialogForm } from '../../parts/form.tsx';
import { useAction } from '../../parts/use-action.ts';
import { type Port, titleOf } from '../ports/port-text.ts';
import { changeFor, commandOf, type Membership, membershipOf, partOf } from './membership.ts';

type Wanted = Exclude<Membership, 'passing'>;

const CHOICES: readonly (readonly [value: Wanted, title: string, text: string])[] = [
  ['tagged', 'Tagged', 'its frames have the tag of the VLAN at this port'],
  ['untagged', 'Untagged', 'its frames have no tag, and frames without a tag are in it (PVID)'],
  ['none', 'Not a member', 'its frames do not pass this port'],
];

interface CellDialogProps {
  readonly port: Port;
  readonly vid: number;
  readonly onClose: () => void;
}

/** What a port is in a VLAN, and what it shall be; with the command that does the same. */
export function CellDialog({ port, vid, onClose }: CellDialogProps): JSX.Element {
  const part = useSignal(partOf(port.settings)).value;
  const now = membershipOf(part, vid);
  const wanted = useSignal<Membership>(now);
  const { run, failure, isBusy } = useAction();
  const change =
    wanted.value === now || wanted.value === 'passing' ? undefined : changeFor(part, vid, wanted.value as Wanted);

  async function save(): Promise<void> {
    if (change === undefined) return onClose();
    if ('settings' in change && (await run('setPort', { port: port.port, ...change.settings })) !== undefined)
      onClose();
    return undefined;
  }

  const isRefused = change !== undefined && 'refusal' in change;
  return (
    <Dialog title={`VLAN ${vid} at port ${titleOf(port)}`} onClose={onClose}>
      <DialogForm
        button="Save"
        failure={failure.value}
        isBusy={isBusy.value || isRefused}
        onCancel={onClose}
        onSubmit={() => void save()}
      >
        <fieldset class="networks-choices">
          <legend class="hidden-text">Membership</legend>
          {CHOICES.map(([value, title, text]) => (
            <label key={value} class="networks-choice">
              <input
                type="radio"
                name="membership"
                value={value}
                checked={wanted.value === value}
                onChange={() => {
                  wanted.value = value;
                }}
              />
              <span>
                <strong>{title}</strong> <span class="muted">{text}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="networks-effect">
          {change === undefined && <p class="muted">{now === 'passing' ? 'The port is transparent.' : 'No change.'}</p>}
          {change !== undefined && 'refusal' in change && <p class="notice notice-warning">{change.refusal}</p>}
          {change !== undefined && 'settings' in change && (
            <>
              {change.warning !== null && <p class="notice notice-warning">{change.warning}</p>}
              <pre class="notice networks-command">
                <code>{commandOf(port.name ?? port.port, change.settings).replace(' --', ' \\\n  --')}</code>
              </pre>
            </>
          )}
        </div>
      </DialogForm>
    </Dialog>
  );
}
