import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';
import './dialog.css';

interface DialogProps {
  readonly title: string;
  /** room for two columns */
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
}

/** A modal dialog of the browser: it keeps the focus, closes by Escape, and gives the focus back. */
export function Dialog({ title, isWide = false, children, onClose }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The first field, or the chosen one of several, rather than the button that closes.
    const field =
      element?.querySelector<HTMLElement>('input:checked') ?? element?.querySelector('input, select, textarea');
    if (field instanceof HTMLElement) field.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      class={`dialog ${isWide ? 'dialog-wide' : ''}`}
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header class="dialog-head">
        <h2 class="dialog-title" id={id}>
          {title}
        </h2>
        <button type="button" class="button button-quiet" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
