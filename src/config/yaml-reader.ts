import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { EtherwsError } from '../errors.ts';

/** A value of a YAML file, and where it stands. */
export class YamlValue {
  readonly #file: YamlFile;
  readonly #node: unknown;
  /** how it is reached, for messages: `users.ada.tunnels` */
  readonly name: string;

  constructor(file: YamlFile, node: unknown, name: string) {
    this.#file = file;
    this.#node = node;
    this.name = name;
  }

  get isEmpty(): boolean {
    return this.#node === null || this.#node === undefined || (isScalar(this.#node) && this.#node.value === null);
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** A boolean, number or text, as YAML has it. */
  scalar(): unknown {
    return isScalar(this.#node) ? this.#node.value : this.fail('must be a single value');
  }

  /** The value as JSON would have it. */
  plain(): unknown {
    return isNode(this.#node) ? this.#file.plain(this.#node) : null;
  }

  flag(): boolean {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    return typeof value === 'boolean' ? value : this.fail('must be true or false');
  }

  whole(min: number, max: number): number {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    return this.fail(`must be a whole number from ${min} to ${max}`);
  }

  /** A text; what YAML takes for a number or a flag is none. */
  text(): string {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    return typeof value === 'string' && value !== ''
      ? value
      : this.fail('must be a text; quote it if it looks like a number');
  }

  list(): YamlValue[] {
    if (!isSeq(this.#node)) return this.fail('must be a list');
    return this.#node.items.map((item, index) => this.#file.value(item, `${this.name}[${index}]`));
  }

  /** By key, in the order of the file. */
  entries(): Map<string, YamlValue> {
    if (!isMap(this.#node)) return this.fail('must be a mapping');
    const entries = new Map<string, YamlValue>();
    for (const { key, value } of this.#node.items) {
      const name = isScalar(key) ? String(key.value) : this.fail('has a key that is no single value');
      const at = (value ?? key) as Node;
      entries.set(
        name,
        this.#file.value(at === key ? null : at, this.name === '' ? name : `${this.name}.${name}`, key),
      );
    }
    return entries;
  }

  /** The same where only these keys may stand. */
  fields<Name extends string>(...known: readonly Name[]): Partial<Record<Name, YamlValue>> {
    const found: Partial<Record<string, YamlValue>> = {};
    for (const [name, value] of this.entries()) {
      if (!(known as readonly string[]).includes(name)) value.fail(`is not known here; there are ${known.join(', ')}`);
      found[name] = value;
    }
    return found as Partial<Record<Name, YamlValue>>;
  }

  /** @throws EtherwsError POLICY_INVALID with file, line and column */
  fail(problem: string): never {
    throw this.#file.error(this.#node, `${this.name === '' ? 'the file' : this.name} ${problem}`);
  }
}

/** A YAML file whose faults are told by file, line and column. */
export class YamlFile {
  readonly #path: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();
  /** A mapping begins where its first key stands; what is meant is the line of its own key. */
  readonly #keys = new Map<unknown, unknown>();

  /** @throws EtherwsError POLICY_INVALID */
  constructor(path: string, text: string) {
    this.#path = path;
    this.#document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, prettyErrors: false });
    const [fault] = this.#document.errors;
    if (fault !== undefined) throw this.#at(fault.pos[0], fault.message);
  }

  get root(): YamlValue {
    return this.value(this.#document.contents, '');
  }

  value(node: unknown, name: string, key?: unknown): YamlValue {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (target === undefined) throw this.error(node, `${name} refers to an anchor that is not there`);
    if (target !== null && key !== undefined) this.#keys.set(target, key);
    return new YamlValue(this, target, name);
  }

  plain(node: Node): unknown {
    return node.toJS(this.#document);
  }

  error(node: unknown, message: string): EtherwsError {
    const place = rangeOf(this.#keys.get(node)) ?? rangeOf(node) ?? 0;
    return this.#at(place, message);
  }

  #at(offset: number, message: string): EtherwsError {
    const { line, col } = this.#lines.linePos(offset);
    return new EtherwsError('POLICY_INVALID', `${this.#path}:${line}:${Math.max(1, col)}: ${message}`, {
      hint: 'docs/operate/policy.md shows what may stand in a policy',
    });
  }
}

function rangeOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0];
}
