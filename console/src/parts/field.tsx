import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** Makes the control, which takes the attributes. */
  readonly children: (control: {
    readonly id: string;
    readonly class: string;
    readonly 'aria-describedby': string | undefined;
  }) => JSX.Element;
}

/** A control of a form, with its label above and a hint below. */
export function Field({ label, hint, children }: FieldProps): JSX.Element {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, class: 'input', 'aria-describedby': hint === undefined ? undefined : hintId })}
      {hint !== undefined && (
        <span class="field-hint" id={hintId}>
          {hint}
        </span>
      )}
    </div>
  );
}
