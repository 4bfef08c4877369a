import type { ComponentChildren, JSX } from 'preact';
import { Field } from './field.tsx';

/** What a field shows and changes; a `Signal` is one. */
export interface FieldText {
  value: string;
}

interface InputProps {
  readonly label: string;
  readonly text: FieldText;
  readonly hint?: string;
  readonly placeholder?: string;
  /** What is typed is not shown, and browsers do not offer to keep it. */
  readonly isSecret?: boolean;
}

export function TextField({ label, text, hint, placeholder, isSecret = false }: InputProps): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      {(control) => (
        <input
          {...control}
          {...(isSecret ? { type: 'password' as const } : {})}
          value={text.value}
          placeholder={placeholder}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
        />
      )}
    </Field>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly text: FieldText;
  readonly hint?: string;
  readonly options: readonly (readonly [value: string, text: string])[];
}

export function ChoiceField({ label, text, hint, options }: ChoiceProps): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      {(control) => (
        <select
          {...control}
          onChange={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
        >
          {options.map(([value, shown]) => (
            <option key={value} value={value} selected={value === text.value}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface FormProps {
  readonly failure: string | null;
  readonly isBusy: boolean;
  readonly button: string;
  readonly isDanger?: boolean;
  readonly onCancel: () => void;
  readonly onSubmit: () => void;
  readonly children: ComponentChildren;
}

/** The fields of a dialog, the refusal of the switch, and two buttons. */
export function DialogForm(props: FormProps): JSX.Element {
  const { failure, isBusy, button, isDanger = false, onCancel, onSubmit, children } = props;
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {failure !== null && (
        <p class="notice notice-bad" role="alert">
          {failure}
        </p>
      )}
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class={`button ${isDanger ? 'button-danger' : 'button-main'}`} disabled={isBusy}>
          {button}
        </button>
      </div>
    </form>
  );
}
