import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describeError, EtherwsError } from '../errors.ts';
import { type Path, type Problem, quote } from '../schema/check.ts';
import { closestWord } from '../schema/closest-word.ts';
import type { Row, Table } from '../schema/table.ts';
import type { Written } from '../schema/written.ts';
import { ConfigInvalid } from './config-invalid.ts';
import { FILE_SECTIONS } from './file-schema.ts';
import { fileKey, fileNames } from './key-names.ts';
import { valueAt } from './named-files.ts';
import { describePlace, type FileFault, type Place } from './place.ts';
import { YamlDocument } from './yaml-document.ts';

type Values = Record<string, unknown>;

/** The origin of a value of the merged document. */
interface Source {
  readonly document: YamlDocument;
  /** its path in that document */
  readonly path: Path;
}

/**
 * A configuration file with the files that it includes, merged to one document. It checks only the syntax of YAML, and
 * that no key occurs twice.
 */
export class ConfigFile {
  readonly file: string;
  readonly #main: YamlDocument;
  readonly #included: readonly YamlDocument[];
  readonly #values: Values = {};
  /** the origins of included values, by their path in the merged document */
  readonly #sources = new Map<string, Source>();
  readonly #faults: FileFault[] = [];

  /** @throws EtherwsError FILE_UNREADABLE; ConfigInvalid for invalid YAML */
  constructor(file: string) {
    this.file = file;
    this.#main = new YamlDocument(file, read(file));
    this.#faults.push(...this.#main.faults);
    this.#included = this.#include();
    for (const document of [this.#main, ...this.#included]) this.#take(document);
    this.#ordered(this.#faults);
  }

  /** The document for `readConfig`; options of the command line have precedence over those of the file. */
  documentWith(typed: Readonly<Values>): Values {
    const merged = { ...this.#values };
    for (const [key, value] of Object.entries(typed)) {
      const below = merged[key];
      merged[key] = isObject(below) && isObject(value) ? { ...below, ...value } : value;
    }
    return merged;
  }

  /** @param typed the options of the command line. @param command how messages name them */
  writtenWith(typed: Readonly<Values>, command: Written): Written {
    const isTyped = (path: Path): boolean => valueAt(typed, path) !== undefined;
    const names: Written['names'] = (path, isFalse) =>
      isTyped(path) ? command.names(path, isFalse) : fileNames(path, isFalse);
    return {
      names,
      say: quote,
      directoryOf: (path) => (isTyped(path) ? command.directoryOf(path) : dirname(resolve(this.placeOf(path).file))),
      placeOf: (path) => (isTyped(path) ? undefined : describePlace(this.placeOf(path))),
      errorOf: (problems) => {
        const wrong = problems.find(({ path, subject }) => isTyped(path) || (path.length < 2 && isTyped(subject)));
        if (wrong !== undefined) return wrong.toError(names, command.say);
        return this.#error(problems.map((problem) => this.#fault(problem, names)));
      },
    };
  }

  placeOf(path: Path, part: 'key' | 'value' = 'value'): Place {
    for (let length = path.length; length > 0; length--) {
      const source = this.#sources.get(JSON.stringify(path.slice(0, length)));
      if (source !== undefined) return source.document.placeOf([...source.path, ...path.slice(length)], part);
    }
    return this.#main.placeOf(path, part);
  }

  #fault({ path, subject, known, toError }: Problem, names: Written['names']): FileFault {
    if (known !== undefined) {
      const key = fileKey(String(path.at(-1)));
      const keys = known.map(fileKey);
      const meant = closestWord(key, keys);
      const end = meant === undefined ? `there are ${keys.join(', ')}` : `did you mean ${meant}?`;
      return { place: this.placeOf(path, 'key'), message: `unknown key ${quote(key)}: ${end}` };
    }
    const place = this.placeOf(valueAt(this.#values, subject) === undefined ? path : subject);
    return { place, message: describeError(toError(names)) };
  }

  #include(): YamlDocument[] {
    const include = valueAt(this.#main.value, ['include']);
    if (typeof include !== 'string') return [];
    const directory = resolve(dirname(this.file), include);
    let names: string[];
    try {
      names = readdirSync(directory).filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
    } catch (error) {
      const message = `include: cannot read the directory ${quote(include)}: ${(error as Error).message}`;
      this.#faults.push({ place: this.#main.placeOf(['include']), message });
      return [];
    }
    const shown = join(dirname(this.file), include);
    return names.sort().map((name) => {
      const document = new YamlDocument(join(shown, name), read(join(directory, name)));
      this.#faults.push(...document.faults);
      return document;
    });
  }

  #take(document: YamlDocument): void {
    const { value } = document;
    if (value === null || value === undefined) return;
    if (!isObject(value)) {
      const message = `the file must be a mapping of sections and keys, got ${quote(value)}`;
      this.#faults.push({ place: document.placeOf([]), message });
      return;
    }
    this.#requireValues(document, [], value);
    for (const [key, given] of Object.entries(value)) this.#takeValue(document, [key], given, this.#values);
  }

  /** A key without a value is an error, not an absent option: `htpasswd:` would open the switch to all clients. */
  #requireValues(document: YamlDocument, path: Path, value: unknown): void {
    if (Array.isArray(value))
      for (const [at, item] of value.entries()) this.#requireValues(document, [...path, at], item);
    else if (isObject(value)) {
      for (const [key, below] of Object.entries(value)) this.#requireValues(document, [...path, key], below);
    } else if (value === null && !mayBeEmpty(path)) {
      const message = `${fileNames(path)} has no value: give it one, or take the key out`;
      this.#faults.push({ place: document.placeOf(path, 'key'), message });
    }
  }

  #takeValue(document: YamlDocument, path: Path, given: unknown, into: Values): void {
    const key = String(path.at(-1));
    const present = into[key];
    if (path.length === 1 && key === 'include' && document !== this.#main) {
      this.#faults.push({ place: document.placeOf(path, 'key'), message: 'include may stand in the first file only' });
    } else if (present === undefined || present === null) {
      into[key] = isObject(given) ? { ...given } : Array.isArray(given) ? [...given] : given;
      this.#sources.set(JSON.stringify(path), { document, path });
    } else if (isObject(present) && isObject(given)) {
      for (const [below, value] of Object.entries(given)) this.#takeValue(document, [...path, below], value, present);
    } else if ((key === 'ports' || key === 'networks') && Array.isArray(present) && Array.isArray(given)) {
      for (const [at, item] of given.entries()) {
        this.#sources.set(JSON.stringify([...path, present.length]), { document, path: [...path, at] });
        present.push(item);
      }
    } else {
      const first = describePlace(this.placeOf(path, 'key'));
      const message = `${fileNames(path)} stands at ${first} already`;
      this.#faults.push({ place: document.placeOf(path, 'key'), message });
    }
  }

  #error(faults: readonly FileFault[]): ConfigInvalid {
    const files = [this.#main, ...this.#included].map(({ file }) => file);
    const order = [...faults].sort(
      ({ place: a }, { place: b }) =>
        files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
    return new ConfigInvalid(this.file, order);
  }

  #ordered(faults: readonly FileFault[]): void {
    if (faults.length > 0) throw this.#error(faults);
  }
}

/** Sections may be empty, since all of their keys may be commented out. */
function mayBeEmpty(path: Path): boolean {
  const key = String(path.at(-1));
  if (path.length > 1) return key === 'options';
  const row: Row | undefined = (FILE_SECTIONS as Table)[key];
  return row !== undefined && row.flag === undefined && key !== 'include';
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new EtherwsError('FILE_UNREADABLE', `Cannot read the configuration ${quote(file)}: ${reason}`, {
      cause: error,
      hint: 'Check the path and its permissions',
    });
  }
}
