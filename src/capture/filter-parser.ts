import { closestWord } from '../schema/closest-word.ts';
import { FilterError } from './filter-error.ts';
import { ETHER_TYPES, lengthIs, PROTOCOLS, Primitives, type Way } from './filter-primitives.ts';
import { KINDS, type Kind, protocolAlone, type Qualifiers, testOf } from './filter-qualifiers.ts';
import { numberIn, vidIn } from './filter-values.ts';
import { type Word, wordsOf } from './filter-words.ts';
import { both, either, negated, type Test } from './frame-view.ts';

const PROTOCOL_NAMES = ['ether', ...Object.keys(ETHER_TYPES), ...Object.keys(PROTOCOLS)];
const OTHERS = ['vlan', 'less', 'greater', 'len', 'broadcast', 'multicast', 'not'];
/** The words that a term may begin with. */
const BEGINNINGS: readonly string[] = [...PROTOCOL_NAMES, 'src', 'dst', ...KINDS, ...OTHERS];
const RESERVED: ReadonlySet<string> = new Set([...BEGINNINGS, 'and', 'or', 'mask', '(', ')']);
const COMPARISONS: ReadonlySet<string> = new Set(['>', '<', '>=', '<=', '=', '!=']);
/** Limit of nested parentheses, since each takes frames of the stack. */
const MOST_DEPTH = 100;

/**
 * Parses a filter by the grammar of pcap-filter(7): `and` and `or` have equal precedence and group from left to right,
 * and a value without qualifiers has those of the value before it.
 */
export class FilterParser {
  readonly #words: readonly Word[];
  readonly #endColumn: number;
  readonly #primitives = new Primitives();
  #at = 0;
  #depth = 0;
  /** The qualifiers of the last value; undefined after a test without a value. */
  #qualifiers: Qualifiers | undefined;

  /** @throws FilterError */
  constructor(filter: string) {
    this.#words = wordsOf(filter);
    this.#endColumn = filter.trimEnd().length + 1;
  }

  /** @throws FilterError */
  parse(): Test {
    const test = this.#expression();
    const rest = this.#word;
    if (rest !== undefined) throw new FilterError(rest.column, `expected "and" or "or", got "${rest.text}"`);
    return test;
  }

  get #word(): Word | undefined {
    return this.#words[this.#at];
  }

  #is(...texts: readonly string[]): boolean {
    return texts.includes(this.#word?.text ?? '');
  }

  #take(what: string): Word {
    const word = this.#word;
    if (word === undefined) throw new FilterError(this.#endColumn, `the filter ends where ${what} must follow`);
    this.#at++;
    return word;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expression(): Test {
    let test = this.#term();
    while (this.#is('and', 'or')) {
      const { text } = this.#take('an operator');
      const next = this.#startsValue() ? this.#value(this.#qualifiers as Qualifiers) : this.#term();
      test = text === 'and' ? both(test, next) : either(test, next);
    }
    return test;
  }

  #term(): Test {
    const word = this.#take('a test');
    if (word.text === 'not') return negated(this.#nested(word, () => this.#term()));
    if (word.text !== '(') return this.#primitive(word);
    const test = this.#nested(word, () => this.#expression());
    this.#close(word);
    return test;
  }

  #nested(word: Word, read: () => Test): Test {
    if (++this.#depth > MOST_DEPTH) throw new FilterError(word.column, 'it is nested too deeply');
    const test = read();
    this.#depth--;
    return test;
  }

  #close({ column }: Word): void {
    const found = this.#word;
    if (this.#accept(')')) return;
    if (found === undefined) throw new FilterError(column, 'there is no ")" to this "("');
    throw new FilterError(found.column, `expected "and", "or" or ")", got "${found.text}"`);
  }

  /** Whether a value without qualifiers follows, perhaps after `not` and `(`. */
  #startsValue(): boolean {
    if (this.#qualifiers === undefined) return false;
    let at = this.#at;
    while (['not', '('].includes(this.#words[at]?.text ?? '')) at++;
    const text = this.#words[at]?.text;
    return text !== undefined && !RESERVED.has(text) && /^[\d:]|[:.-]/.test(text);
  }

  /** A value, or an expression of values in parentheses; both may be negated. */
  #value(qualifiers: Qualifiers): Test {
    const word = this.#take('a value');
    if (word.text === 'not') return negated(this.#nested(word, () => this.#value(qualifiers)));
    if (word.text === '(') {
      const test = this.#nested(word, () => this.#values(qualifiers));
      this.#close(word);
      return test;
    }
    if (RESERVED.has(word.text)) {
      throw new FilterError(word.column, `expected a value for "${qualifiers.kind}", got "${word.text}"`);
    }
    const mask = qualifiers.kind === 'net' && this.#accept('mask') ? this.#take('a mask') : undefined;
    return testOf(this.#primitives, qualifiers, word, mask);
  }

  #values(qualifiers: Qualifiers): Test {
    let test = this.#value(qualifiers);
    while (this.#is('and', 'or')) {
      const { text } = this.#take('an operator');
      const next = this.#value(qualifiers);
      test = text === 'and' ? both(test, next) : either(test, next);
    }
    return test;
  }

  #primitive(word: Word): Test {
    this.#qualifiers = undefined;
    const other = this.#other(word);
    if (other !== undefined) return other;
    const protocol = PROTOCOL_NAMES.includes(word.text) ? word : undefined;
    if (protocol === undefined) this.#at--;
    if (protocol?.text === 'ether' && this.#is('broadcast', 'multicast')) return this.#group(this.#take('a word').text);
    const way = this.#way();
    const kind = this.#kind();
    if (way === undefined && kind === undefined) return this.#alone(word, protocol);
    this.#qualifiers = { protocol, way: way ?? 'either', kind: kind ?? 'host' };
    if (way !== undefined && kind === 'proto') throw new FilterError(word.column, '"proto" has no source');
    return this.#value(this.#qualifiers);
  }

  /** `src`, `dst`, `src or dst`, `src and dst`; undefined without one */
  #way(): Way | undefined {
    if (!this.#is('src', 'dst')) return undefined;
    const { text } = this.#take('a word');
    const [operator, second] = [this.#words[this.#at]?.text, this.#words[this.#at + 1]?.text];
    const isPair = second === (text === 'src' ? 'dst' : 'src') && (operator === 'or' || operator === 'and');
    if (!isPair) return text as Way;
    // In `src port 1 or dst port 2` another word stands between `src` and `or`, so it is no pair.
    this.#at += 2;
    return operator === 'or' ? 'either' : 'both';
  }

  #kind(): Kind | undefined {
    return this.#is(...KINDS) ? (this.#take('a word').text as Kind) : undefined;
  }

  #alone(word: Word, protocol: Word | undefined): Test {
    const test = protocol === undefined ? undefined : protocolAlone(this.#primitives, protocol.text);
    if (test !== undefined) return test;
    if (protocol !== undefined) throw new FilterError(word.column, 'behind "ether" comes host, src, dst or proto');
    const meant = closestWord(word.text, BEGINNINGS);
    const hint = meant === undefined ? `tests begin with ${BEGINNINGS.join(', ')}` : `did you mean ${meant}?`;
    throw new FilterError(word.column, `"${word.text}" begins no test; ${hint}`);
  }

  /** The tests without qualifiers; undefined if the word is none of them. */
  #other({ text }: Word): Test | undefined {
    if (text === 'broadcast' || text === 'multicast') return this.#group(text);
    if (text === 'less') return lengthIs('<=', this.#number());
    if (text === 'greater') return lengthIs('>=', this.#number());
    if (text === 'len') return this.#comparison();
    return text === 'vlan' ? this.#primitives.vlan(this.#vid()) : undefined;
  }

  #group(text: string): Test {
    if (text === 'multicast') return this.#primitives.etherGroup();
    return this.#primitives.ether([255, 255, 255, 255, 255, 255], 'dst');
  }

  #comparison(): Test {
    const operator = this.#take('a comparison');
    if (COMPARISONS.has(operator.text)) return lengthIs(operator.text, this.#number());
    throw new FilterError(operator.column, `expected one of ${[...COMPARISONS].join(' ')}, got "${operator.text}"`);
  }

  #number(): number {
    return numberIn(this.#take('a length'), 'a length');
  }

  /** The number after `vlan`; undefined without one */
  #vid(): number | undefined {
    const text = this.#word?.text;
    return text === undefined || RESERVED.has(text) ? undefined : vidIn(this.#take('a VLAN'));
  }
}
