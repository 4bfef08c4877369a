/** What keys do, wherever the focus is but in a field. */
export type KeyAction =
  | { readonly kind: 'search' }
  | { readonly kind: 'help' }
  | { readonly kind: 'close' }
  | { readonly kind: 'view'; readonly id: string };

/** The second key of `g` and a letter is awaited for so long. */
export const SEQUENCE_MS = 1500;

/** Reads keys one after the other: `/`, `?`, Escape, and `g` with the letter of a view. */
export class KeySequence {
  readonly #views: readonly { readonly id: string; readonly key: string }[];
  #goMs = Number.NEGATIVE_INFINITY;

  constructor(views: readonly { readonly id: string; readonly key: string }[]) {
    this.#views = views;
  }

  /**
   * @param key as of KeyboardEvent
   * @param nowMs a clock that does not go back
   * @returns undefined if the key does nothing, or if another one must follow
   */
  press(key: string, nowMs: number): KeyAction | undefined {
    const isSecond = nowMs - this.#goMs <= SEQUENCE_MS;
    this.#goMs = Number.NEGATIVE_INFINITY;
    if (isSecond) {
      const view = this.#views.find((each) => each.key === key);
      return view === undefined ? undefined : { kind: 'view', id: view.id };
    }
    if (key === 'g') this.#goMs = nowMs;
    if (key === '/') return { kind: 'search' };
    if (key === '?') return { kind: 'help' };
    return key === 'Escape' ? { kind: 'close' } : undefined;
  }
}
