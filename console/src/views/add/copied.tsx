import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { Icon } from '../../parts/icon.tsx';

interface CopiedProps {
  /** what the text is, such as `command` */
  readonly name: string;
  readonly text: string;
}

/** How long the button says that the text was copied. */
const SAID_MS = 2000;

/** A text that is pasted elsewhere, with a button that copies it. */
export function Copied({ name, text }: CopiedProps): JSX.Element {
  const code = useRef<HTMLElement>(null);
  const said = useSignal('');

  async function copy(): Promise<void> {
    const isCopied = await copyText(text, code.current);
    said.value = isCopied ? 'Copied' : 'Selected: press Ctrl+C';
    setTimeout(() => {
      said.value = '';
    }, SAID_MS);
  }

  return (
    <div class="add-copied">
      <pre class="add-text">
        <code ref={code} data-copy={name}>
          {text}
        </code>
      </pre>
      <button type="button" class="button" aria-label={`Copy the ${name}`} onClick={() => void copy()}>
        <Icon name="copy" /> <span role="status">{said.value === '' ? 'Copy' : said.value}</span>
      </button>
    </div>
  );
}

/** Browsers have a clipboard for pages by HTTPS and of this host only; for others the text is selected and copied. */
async function copyText(text: string, element: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element === null) return false;
    getSelection()?.selectAllChildren(element);
    return document.execCommand('copy');
  }
}
