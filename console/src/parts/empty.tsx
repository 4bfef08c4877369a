import type { ComponentChildren, JSX } from 'preact';
import { may } from '../session.ts';
import './empty.css';

interface EmptyProps {
  readonly title: string;
  /** what it is, and why there is none */
  readonly children?: ComponentChildren;
  /** the command that makes the first one */
  readonly command?: string;
  /** the words that lead to the command */
  readonly lead?: string;
  /** the method that the command calls: a user that may not call it does not see the command */
  readonly needs?: string;
}

/** Stands where a list has no entries: it says what would be there, and what to type first. */
export function Empty({ title, children, command, lead, needs }: EmptyProps): JSX.Element {
  const isCommandShown = command !== undefined && (needs === undefined || may(needs));
  return (
    <div class="empty">
      <h2 class="empty-title">{title}</h2>
      {children !== undefined && (
        <p class="empty-text">
          {children} {isCommandShown && lead}
        </p>
      )}
      {isCommandShown && (
        <pre class="empty-command">
          <code>{command}</code>
        </pre>
      )}
    </div>
  );
}
