import { FilterError } from './filter-error.ts';

/** A word or an operator of a filter. */
export interface Word {
  readonly text: string;
  /** from 1 */
  readonly column: number;
}

const BLANK = /\s+/y;
const OPERATOR = /&&|\|\||!=|==|>=|<=|[()!<>=]/y;
const TEXT = /[\w.:/\\-]+/y;
const SYNONYMS = new Map([
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
  ['==', '='],
]);

/** Splits a filter; `&&`, `||`, `!` and `==` become `and`, `or`, `not` and `=`. @throws FilterError */
export function wordsOf(filter: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const [text] = pattern.exec(filter) ?? [];
    at += text?.length ?? 0;
    return text;
  };
  while (at < filter.length) {
    if (take(BLANK) !== undefined) continue;
    const column = at + 1;
    const text = take(OPERATOR) ?? take(TEXT);
    if (text === undefined) throw new FilterError(column, complaintAbout(filter[at] as string));
    words.push({ text: SYNONYMS.get(text) ?? text, column });
  }
  return words;
}

function complaintAbout(character: string): string {
  if (character === '[') return 'octets by their offset, such as tcp[13], cannot be compared here';
  if (character === '&' || character === '|') return `"${character}" is no operator; write "${character}${character}"`;
  return `${JSON.stringify(character)} has no meaning`;
}
