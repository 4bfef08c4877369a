import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Path } from '../schema/check.ts';
import { rowName } from './key-names.ts';
import type { FileFault, Place } from './place.ts';

/** The places of a key and of its value. */
interface Spot {
  readonly key: Place | undefined;
  readonly value: Place;
}

/** A YAML file as plain values by the names of the table's rows, with the place of each. */
export class YamlDocument {
  readonly file: string;
  readonly value: unknown;
  readonly faults: readonly FileFault[];
  readonly #spots = new Map<string, Spot>();
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.file = file;
    const document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, prettyErrors: false });
    const faults = document.errors.map(({ pos, message }) => ({ place: this.#placeAt(pos[0]), message }));
    const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
    this.value = faults.length > 0 ? undefined : this.#plain(document.contents, [], undefined, resolve, faults);
    this.faults = faults;
  }

  /** The place of the value at `path`, else of the nearest value around it. @param part `key`: the place of its key */
  placeOf(path: Path, part: 'key' | 'value' = 'value'): Place {
    for (let length = path.length; length >= 0; length--) {
      const spot = this.#spots.get(JSON.stringify(path.slice(0, length)));
      // For an absent value the key of the mapping around it is a better place than the mapping's first value.
      if (spot !== undefined) return length < path.length || part === 'key' ? (spot.key ?? spot.value) : spot.value;
    }
    return this.#placeAt(0);
  }

  #plain(
    given: unknown,
    path: Path,
    key: Place | undefined,
    resolve: (node: unknown) => unknown,
    faults: FileFault[],
  ): unknown {
    const node = resolve(given);
    const place = this.#placeOfNode(given) ?? key ?? this.#placeAt(0);
    // Otherwise an alias without its anchor would look like a key without a value.
    if (isAlias(given) && node === undefined) faults.push({ place, message: `there is no anchor &${given.source}` });
    this.#spots.set(JSON.stringify(path), { key, value: place });
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, at) => this.#plain(item, [...path, at], undefined, resolve, faults));
    if (!isMap(node)) return null;
    const values: [string, unknown][] = [];
    for (const { key: keyNode, value } of node.items) {
      const at = this.#placeOfNode(keyNode) ?? place;
      if (!isScalar(keyNode)) {
        faults.push({ place: at, message: 'a key must be a single word' });
        continue;
      }
      const name = rowName(String(keyNode.value));
      values.push([name, this.#plain(value, [...path, name], at, resolve, faults)]);
    }
    return Object.fromEntries(values);
  }

  #placeOfNode(node: unknown): Place | undefined {
    const { range } = (node ?? {}) as Partial<Pick<Node, 'range'>>;
    return range === undefined || range === null ? undefined : this.#placeAt(range[0]);
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}
