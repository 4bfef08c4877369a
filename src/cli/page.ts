import { escapeSentence } from './format.ts';

/** The colours of words on a page, by their meaning. */
export type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'dim';

/** Colours a text, if the output takes colours. */
export type Paint = (colour: Colour, text: string) => string;

export const PLAIN: Paint = (_colour, text) => text;

/** The width of titles with the space after them. */
const TITLE_WIDTH = 12;

/** A page of titles, each with one or more lines. */
export class Page {
  #text = '';
  readonly #paint: Paint;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** Adds a line without a title. */
  head(text: string): this {
    this.#text += `${this.#paint('bold', escapeSentence(text))}\n`;
    return this;
  }

  /**
   * Adds a title and its lines; without lines, nothing.
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
