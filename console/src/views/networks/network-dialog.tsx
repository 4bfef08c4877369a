import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ChoiceField, DialogForm, TextField } from '../../parts/form.tsx';
import { useAction } from '../../parts/use-action.ts';
import { go } from '../../router.ts';
import { changedSettings, SETTING_FIELDS, type SettingField } from './setting-fields.ts';

interface NetworkDialogProps {
  /** undefined: a new one */
  readonly network: NetworkEntry | undefined;
  readonly onClose: () => void;
}

/** Adds a network, or changes the settings of one. The switch checks the values, and its refusal is shown. */
export function NetworkDialog({ network, onClose }: NetworkDialogProps): JSX.Element {
  const name = useSignal('');
  const before = useSignal(textsOf(network?.settings ?? {})).value;
  const form = useSignal(before);
  const { run, failure, isBusy } = useAction();

  async function save(): Promise<void> {
    const settings = changedSettings(before, form.value);
    const called = network?.network ?? name.value.trim();
    const answer = await run(network === undefined ? 'addNet' : 'setNet', { network: called, ...settings });
    if (answer === undefined) return;
    onClose();
    if (network === undefined) go('networks', { network: called });
  }

  return (
    <Dialog title={network === undefined ? 'Add a network' : `Change the network ${network.network}`} onClose={onClose}>
      <DialogForm
        button={network === undefined ? 'Add' : 'Save'}
        failure={failure.value}
        isBusy={isBusy.value}
        onCancel={onClose}
        onSubmit={() => void save()}
      >
        {network === undefined && (
          <TextField label="Name" text={name} hint="Letters, digits, - _ and . It is isolated from all others" />
        )}
        <div class="networks-fields">
          {SETTING_FIELDS.filter((field) => isAsked(field, network === undefined)).map((field) => (
            <Field key={field.name} name={field.name} form={form} isNew={network === undefined} />
          ))}
        </div>
      </DialogForm>
    </Dialog>
  );
}

/** The settings that are asked for of a new network; the switch has the defaults of all. */
const DEFAULTS: Readonly<Record<string, string>> = {
  stp: 'on',
  hostSnooping: 'on',
  multicastSnooping: 'on',
  lldp: 'on',
};

function isAsked({ name, isOnlyShown = false }: SettingField, isNew: boolean): boolean {
  return isNew ? name in DEFAULTS : !isOnlyShown;
}

interface FieldProps {
  readonly name: string;
  readonly form: Signal<Readonly<Record<string, string>>>;
  readonly isNew: boolean;
}

function Field({ name, form, isNew }: FieldProps): JSX.Element | null {
  const field = SETTING_FIELDS.find((one) => one.name === name);
  const text = {
    get value(): string {
      return form.value[name] ?? (isNew ? (DEFAULTS[name] ?? '') : '');
    },
    set value(value: string) {
      form.value = { ...form.value, [name]: value };
    },
  };
  if (field === undefined || (!isNew && form.value[name] === undefined)) return null;
  const { label, hint, options, unit } = field;
  if (options === undefined)
    return <TextField label={unit === undefined ? label : `${label}, ${unit}`} text={text} hint={hint} />;
  return <ChoiceField label={label} text={text} hint={hint} options={options.map((option) => [option, option])} />;
}

function textsOf(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}
