import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { call } from '../../live/live.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { failureText } from '../../parts/failure.ts';
import { changesOf, formOf, type PortForm } from './port-changes.ts';
import { type Port, titleOf } from './port-text.ts';

const MODES: readonly (readonly [value: string, text: string])[] = [
  ['transparent', 'transparent: passes all frames unchanged'],
  ['access', 'access: one VLAN, without tags'],
  ['trunk', 'trunk: VLANs with tags'],
  ['native', 'native: one VLAN without tags, others with tags'],
];
const DIRECTIONS: readonly (readonly [value: string, text: string])[] = [
  ['both', 'received and sent'],
  ['rx', 'received'],
  ['tx', 'sent'],
];

interface SettingsDialogProps {
  readonly port: Port;
  readonly others: readonly Port[];
  readonly onClose: () => void;
}

/** Name, description, VLANs and mirror of a port. The switch checks the values, and its refusal is shown. */
export function SettingsDialog({ port, others, onClose }: SettingsDialogProps): JSX.Element {
  // The table goes on changing while the form is open: what differs is what the user has changed.
  const before = useSignal(formOf(port)).value;
  const form = useSignal(before);
  const failure = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  const { vlanMode, mirrorTo } = form.value;
  const set = (name: keyof PortForm) => (value: string) => {
    form.value = { ...form.value, [name]: value };
  };

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const changes = changesOf(before, form.value);
    if (Object.keys(changes).length === 0) return onClose();
    isBusy.value = true;
    try {
      await call('setPort', { port: port.port, ...changes });
      onClose();
    } catch (error) {
      failure.value = failureText(error);
      isBusy.value = false;
    }
    return undefined;
  }

  const mirrors = others.filter((other) => other.port !== port.port && other.network === port.network);
  return (
    <Dialog title={`Change port ${titleOf(port)}`} onClose={onClose}>
      <form class="dialog-form" onSubmit={(event) => void save(event)}>
        <Text label="Name" value={form.value.name} onChange={set('name')} hint="Empty for none" />
        <Text label="Description" value={form.value.description} onChange={set('description')} />
        <Choice label="VLAN mode" value={vlanMode} onChange={set('vlanMode')} options={MODES} />
        {(vlanMode === 'access' || vlanMode === 'native') && (
          <Text label="VLAN without tags" value={form.value.pvid} onChange={set('pvid')} hint="1 to 4094" />
        )}
        {(vlanMode === 'trunk' || vlanMode === 'native') && (
          <Text
            label="VLANs with tags"
            value={form.value.vlans}
            onChange={set('vlans')}
            hint="Such as 10,20,30-40, or all"
          />
        )}
        <Choice
          label="Mirror to"
          value={mirrorTo}
          onChange={set('mirrorTo')}
          options={[['', 'no port'], ...mirrorOptions(mirrors, mirrorTo)]}
          hint="That port then sends the copies and nothing else"
        />
        {mirrorTo !== '' && (
          <Choice label="Copied frames" value={form.value.mirrorDir} onChange={set('mirrorDir')} options={DIRECTIONS} />
        )}
        {failure.value !== null && (
          <p class="notice notice-bad" role="alert">
            {failure.value}
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-main" disabled={isBusy.value}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Ports by number or name, as a setting may have either; the present one, even if there is no such port. */
function mirrorOptions(ports: readonly Port[], present: string): (readonly [string, string])[] {
  const options = ports.map((port) => {
    const isNamed = present !== '' && present === port.name;
    return [isNamed ? present : String(port.port), `${port.port} ${titleOf(port)}`] as const;
  });
  const isKnown = present === '' || options.some(([value]) => value === present);
  return isKnown ? options : [[present, present] as const, ...options];
}

interface InputProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
}

function Labelled({
  label,
  id,
  hint,
  children,
}: {
  readonly label: string;
  readonly id: string;
  readonly hint: string | undefined;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children}
      {hint !== undefined && (
        <span class="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}

function Text({ label, value, onChange, hint }: InputProps): JSX.Element {
  const id = useId();
  return (
    <Labelled label={label} id={id} hint={hint}>
      <input
        id={id}
        class="input"
        value={value}
        autocomplete="off"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </Labelled>
  );
}

function Choice({
  label,
  value,
  onChange,
  hint,
  options,
}: InputProps & { readonly options: readonly (readonly [value: string, text: string])[] }): JSX.Element {
  const id = useId();
  return (
    <Labelled label={label} id={id} hint={hint}>
      <select
        id={id}
        class="input"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
    </Labelled>
  );
}
