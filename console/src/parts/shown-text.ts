/*
 * Names, descriptions, host names and the texts of LLDP are a user's or a peer's choice. Some characters are invisible, or turn
 * the direction of what stands behind them, so that a text looks like another one. Pages show them as `\u{202e}`, as ctl does.
 */

/** Format characters (bidirectional overrides, joiners, tags), separators of lines and controls but for tabs and line ends. */
const HIDDEN = /[\p{Cf}\p{Zl}\p{Zp}]|(?![\t\n\r])\p{Cc}/gu;

export function shownText(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}

const ATTRIBUTES = ['title', 'aria-label', 'placeholder'] as const;

/** Escapes a text node, or the attributes of an element that are shown. Values of fields stay as they are: they are sent. */
export function escapeNode(node: { readonly type: unknown; props: unknown }): void {
  const { type, props } = node;
  // Preact makes a node without a type of each text.
  if (type === null && typeof props === 'string') node.props = shownText(props);
  if (typeof type !== 'string' || typeof props !== 'object' || props === null) return;
  const given = props as Record<string, unknown>;
  for (const name of ATTRIBUTES) if (typeof given[name] === 'string') given[name] = shownText(given[name]);
}
