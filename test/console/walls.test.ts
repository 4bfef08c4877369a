import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from '@babel/parser';

/** Rooms of src/ whose types the console may import. It has no code of theirs: the page would carry their libraries. */
const TYPES_OF = ['control', 'events', 'schema'];
/** Pure modules that the switch and the page share, so that what they agree about is written once. */
const SHARED = ['src/control/live/table-keys.ts'];

/**
 * Code of src/ that the page has, too: the decoder of frames and the reader of pcapng, so that the page and `ctl capture` say
 * the same. It is pure, and all that it imports is.
 */
const CODE_OF = ['src/capture/dissect/', 'src/capture/pcapng-reader.ts'];
/** What that code may import: itself, octets ⇄ meaning, and errors. */
const BELOW = [...CODE_OF, 'src/capture/pcapng-blocks.ts', 'src/capture/pcapng-codes.ts', 'src/wire/', 'src/errors.ts'];

interface Import {
  readonly file: string;
  /** relative to the checkout, if it is a path */
  readonly target: string;
  readonly isType: boolean;
}

function sourcesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => posix.join(directory, name));
}

function importsOf(file: string, text: string = readFileSync(file, 'utf8')): Import[] {
  const { body } = parse(text, { sourceType: 'module', plugins: ['typescript', 'jsx'] }).program;
  const imports: Import[] = [];
  for (const node of body) {
    if (node.type !== 'ImportDeclaration' && node.type !== 'ExportNamedDeclaration') continue;
    const specifier = node.source?.value;
    if (specifier === undefined) continue;
    const target = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier;
    const kind = node.type === 'ImportDeclaration' ? node.importKind : node.exportKind;
    const isEachType =
      node.type === 'ImportDeclaration' &&
      node.specifiers.length > 0 &&
      node.specifiers.every((part) => part.type === 'ImportSpecifier' && part.importKind === 'type');
    imports.push({ file, target, isType: kind === 'type' || isEachType });
  }
  return imports;
}

const isIn = (target: string, places: readonly string[]): boolean => places.some((place) => target.startsWith(place));

/** The files that are loaded with `file`, without those of which only types are imported. */
function loadedWith(file: string, known: Set<string> = new Set()): Set<string> {
  if (known.has(file)) return known;
  known.add(file);
  if (!file.startsWith('src/')) return known;
  for (const { target, isType } of importsOf(file)) if (!isType) loadedWith(target, known);
  return known;
}

function withoutComments(file: string): string {
  return readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}

/** What is wrong with an import of the console; undefined: nothing. */
function faultOf({ file, target, isType }: Import): string | undefined {
  if (target.startsWith('node:')) return `${file} imports ${target}, which browsers lack`;
  if (target.startsWith('console/') || /^[@\w]/.test(target) === false) return undefined;
  if (!target.startsWith('src/') || isIn(target, CODE_OF)) return undefined;
  const [, room = ''] = target.split('/');
  if (!TYPES_OF.includes(room)) return `${file} imports src/${room}; it may import types of ${TYPES_OF.join(', ')}`;
  return isType || SHARED.includes(target) ? undefined : `${file} imports code of src/${room}; it may import its types`;
}

describe('the walls around console/', () => {
  test('the page imports nothing of src/ but types and the decoder of frames, and nothing of Node', () => {
    // A unit test may compare the page with the switch.
    const files = sourcesIn('console/src').filter((file) => !file.endsWith('.test.ts'));
    assert.ok(files.length > 20, `${files.length} sources`);
    assert.deepEqual(
      files.flatMap((file) => importsOf(file)).flatMap((one) => faultOf(one) ?? []),
      [],
    );
  });

  test('the code of src/ that the page has is pure', () => {
    const entries = sourcesIn('console/src')
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => importsOf(file))
      .filter(({ target, isType }) => !isType && isIn(target, CODE_OF));
    assert.ok(entries.length > 0);
    const loaded = [...new Set(entries.flatMap(({ target }) => [...loadedWith(target)]))];
    assert.ok(loaded.length > 15, `${loaded.length} files`);
    assert.deepEqual(
      loaded.filter((file) => !isIn(file, BELOW)),
      [],
      'the page would load these',
    );
    const users = loaded.filter((file) => /\b(?:Buffer|process|setImmediate)\b/.test(withoutComments(file)));
    assert.deepEqual(users, [], 'these need Node');
  });

  test('nothing of src/ imports the page', () => {
    const imports = sourcesIn('src').flatMap((file) => importsOf(file));
    assert.deepEqual(
      imports.filter(({ target }) => target.startsWith('console/')),
      [],
    );
  });

  test('what the page shares with the switch imports nothing', () => {
    assert.deepEqual(
      SHARED.flatMap((file) => importsOf(file)),
      [],
    );
  });

  test('these rules find what they forbid', () => {
    const faults = (text: string): (string | undefined)[] =>
      importsOf(join('console', 'src', 'live', 'planted.ts'), text).map(faultOf);
    assert.deepEqual(faults(`import type { PortEntry } from '../../../src/control/entries.ts';`), [undefined]);
    assert.deepEqual(faults(`import { type PortEntry } from '../../../src/control/entries.ts';`), [undefined]);
    assert.deepEqual(faults(`import { signal } from '@preact/signals'; import { a } from './a.ts';`), [
      undefined,
      undefined,
    ]);
    assert.match(
      faults(`import { portEntry } from '../../../src/control/entries.ts';`)[0] ?? '',
      /code of src\/control/,
    );
    assert.match(faults(`export { LISTS } from '../../../src/control/entries.ts';`)[0] ?? '', /code of src\/control/);
    assert.match(
      faults(`import type { Bridge } from '../../../src/bridge/bridge.ts';`)[0] ?? '',
      /src\/bridge; it may/,
    );
    assert.match(faults(`import { readFileSync } from 'node:fs';`)[0] ?? '', /node:fs/);
  });
});
