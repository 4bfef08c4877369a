import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { Icon } from './icon.tsx';
import './toolbar.css';

/** The line above a view: its title, a search field, what is counted, buttons. */
export function Toolbar({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <div class="toolbar">{children}</div>;
}

interface SearchProps {
  readonly label: string;
  readonly text: Signal<string>;
  readonly placeholder?: string;
}

/** The search field of a view; the key `/` leads to it (`data-search`). */
export function Search({ label, text, placeholder }: SearchProps): JSX.Element {
  return (
    <label class="search">
      <span class="hidden-text">{label}</span>
      <span class="search-icon">
        <Icon name="search" />
      </span>
      <input
        class="input search-input"
        type="search"
        data-search
        placeholder={placeholder ?? label}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
    </label>
  );
}
