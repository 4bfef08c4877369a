import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { addressOfPage } from '../manual-pages.ts';
import { Dialog } from '../parts/dialog.tsx';
import { go } from '../router.ts';
import type { View } from '../views.ts';
import { type KeyAction, KeySequence } from './key-sequence.ts';
import './keyboard.css';

/** Fields take keys as text. */
const FIELDS = 'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]';

/** The keys of the whole page, and a button that shows them. */
export function Keyboard({ views }: { readonly views: readonly View[] }): JSX.Element {
  const isHelpOpen = useSignal(false);
  const ids = views.map(({ id }) => id).join();
  useEffect(() => {
    const keys = new KeySequence(views);
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      // A modal dialog has keys of its own.
      if (document.querySelector('dialog[open]') !== null) return;
      const target = event.target as Element | null;
      if (target?.matches(FIELDS) === true) {
        if (event.key === 'Escape') (target as HTMLElement).blur();
        return;
      }
      const action = keys.press(event.key, event.timeStamp);
      if (action === undefined) return;
      if (action.kind === 'help') isHelpOpen.value = true;
      else act(action);
      event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [ids, isHelpOpen]);
  return (
    <>
      <button
        type="button"
        class="button button-quiet keyboard-button"
        aria-label="Keys"
        title="Keys (?)"
        onClick={() => {
          isHelpOpen.value = true;
        }}
      >
        ?
      </button>
      {isHelpOpen.value && (
        <Help
          views={views}
          onClose={() => {
            isHelpOpen.value = false;
          }}
        />
      )}
    </>
  );
}

function act(action: KeyAction): void {
  switch (action.kind) {
    case 'search':
      focusOn('main [data-search]');
      return;
    case 'close':
      // What was opened last is behind the others.
      close([...document.querySelectorAll<HTMLElement>('main [data-closes]')].at(-1));
      return;
    case 'view':
      go(action.id);
      focusOn('main');
      return;
    default:
  }
}

/** @param button that closes something; the focus must not be lost with it */
function close(button: HTMLElement | undefined): void {
  if (button === undefined) return;
  button.click();
  focusOn('main .table', 'main');
}

/** Focuses the first of these that there is. */
function focusOn(...selectors: readonly string[]): void {
  const [found] = selectors.flatMap((selector) => document.querySelector<HTMLElement>(selector) ?? []);
  found?.focus();
}

type Keys = readonly (readonly [keys: readonly string[], does: string])[];

const EVERYWHERE: Keys = [
  [['/'], 'search or filter in this view'],
  [['Esc'], 'close what is open, or leave a field'],
  [['Tab'], 'the next control'],
  [['?'], 'these keys'],
];
const TABLES: Keys = [
  [['↑', '↓'], 'move by a row'],
  [['Page ↑', 'Page ↓'], 'by a page'],
  [['Home', 'End'], 'to the first and the last row'],
  [['←', '→'], 'move in the matrix of VLANs'],
  [['Enter'], 'open the row or the cell'],
];
const TOPOLOGY: Keys = [
  [['↑', '↓', '←', '→'], 'choose a node'],
  [['Enter'], 'open or close a group'],
  [['Shift', '↑ ↓ ← →'], 'move the picture'],
  [['+', '−', '0'], 'larger, smaller, all of it'],
];

function Help({ views, onClose }: { readonly views: readonly View[]; readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keys" isWide onClose={onClose}>
      <div class="keyboard-groups">
        <KeyList title="Everywhere" keys={EVERYWHERE} />
        <KeyList title="Go to" keys={views.map(({ key, title }) => [['g', key], title])} />
        <KeyList title="In tables" keys={TABLES} />
        <KeyList title="In the topology" keys={TOPOLOGY} />
      </div>
      <p class="muted">
        All about this switch is in{' '}
        <a href={addressOfPage('docs/README.md')} target="_blank" rel="noreferrer">
          the manual
        </a>
        .
      </p>
    </Dialog>
  );
}

function KeyList({ title, keys: list }: { readonly title: string; readonly keys: Keys }): JSX.Element {
  return (
    <section>
      <h3 class="keyboard-title">{title}</h3>
      <dl class="keyboard-keys">
        {list.map(([keys, does]) => (
          <Row key={does} keys={keys} does={does} />
        ))}
      </dl>
    </section>
  );
}

function Row({ keys, does }: { readonly keys: readonly string[]; readonly does: string }): JSX.Element {
  return (
    <>
      <dt>
        {keys.map((key) => (
          <kbd key={key} class="keyboard-key">
            {key}
          </kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </>
  );
}
