import { escapeSentence } from './format.ts';

/** The colours of a page: of a word that tells how something is. */
export type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'dim';

/** Colours a text, where the output takes colours. */
export type Paint = (colour: Colour, text: string) => string;

export const PLAIN: Paint = (_colour, text) => text;

/** The width of titles, and of the space behind them. */
const TITLE_WIDTH = 12;

/** A page of titles with one or more lines each. */
export class Page {
  #text = '';
  readonly #paint: Paint;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** A line of its own. */
  head(text: string): this {
    this.#text += `${this.#paint('bold', escapeSentence(text))}\n`;
    return this;
  }

  /**
   * A title and its lines; without lines neither.
   * @param lines texts, or texts with a colour
   */
  add(title: string, ...lines: readonly (string | readonly [Colour, string])[]): this {
    for (const [index, line] of lines.entries()) {
      const [colour, text] = typeof line === 'string' ? [undefined, line] : line;
      const shown = escapeSentence(text);
      const painted = colour === undefined ? shown : this.#paint(colour, shown);
      this.#text += `  ${(index === 0 ? title : '').padEnd(TITLE_WIDTH)}${painted}\n`;
    }
    return this;
  }

  toString(): string {
    return this.#text;
  }
}
