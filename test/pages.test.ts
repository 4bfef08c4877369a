import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every page of the repository, as a path from its root. */
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...(readdirSync(join(ROOT, 'docs'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The anchors of a page: its headings, in the form that repository hosts give them, and those that are written out. */
function anchorsOf(markdown: string): Set<string> {
  const prose = markdown.replaceAll(/^```.*?^```$/gms, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const written = [...prose.matchAll(/<a id="([^"]*)">/g)].map(([, id = '']) => id);
  return new Set([...headings, ...written]);
}

/** Why the links of a page that stay inside the repository lead nowhere, one line each. */
function brokenLinksOf(page: string): string[] {
  const markdown = readFileSync(join(ROOT, page), 'utf8');
  const prose = markdown.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
  const broken: string[] = [];
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', anchor] = target.split('#', 2);
    const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
    if (!existsSync(join(ROOT, file))) broken.push(`${page}: ${target}: there is no ${file}`);
    else if (anchor !== undefined && !anchorsOf(readFileSync(join(ROOT, file), 'utf8')).has(anchor)) {
      broken.push(`${page}: ${target}: ${file} has no heading #${anchor}`);
    }
  }
  return broken;
}

describe('the pages', () => {
  test('every link inside the repository leads to a file, and to a heading that is there', () => {
    assert.ok(PAGES.length >= 10, PAGES.join(' '));
    assert.deepEqual(PAGES.flatMap(brokenLinksOf), []);
  });

  test('every file of src/ and native/ that ARCHITECTURE.md names is there', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:src|native|test|scripts)\/[\w./-]*)`/g)].map(([, path = '']) => path);
    assert.ok(named.length > 20, named.join(' '));
    assert.deepEqual(
      named.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });

  test('every file that a file of src/ or native/ names by its path is there', () => {
    const sources = ['src', 'native'].flatMap((room) =>
      (readdirSync(join(ROOT, room), { recursive: true }) as string[])
        .filter((name) => /\.(ts|c|h)$/.test(name))
        .map((name) => join(room, name)),
    );
    const named = sources.flatMap((source) =>
      [
        ...readFileSync(join(ROOT, source), 'utf8').matchAll(
          /(?<![\w./-])(?:src|native|test)\/[\w./-]*\.(?:ts|c|h)\b/g,
        ),
      ].map(([path]) => ({ source, path })),
    );
    assert.ok(named.length > 30, `${named.length} paths`);
    assert.deepEqual(
      named.filter(({ path }) => !existsSync(join(ROOT, path))).map(({ source, path }) => `${source}: ${path}`),
      [],
    );
  });

  test('every page of docs/ is named in the path that docs/README.md shows', () => {
    const path = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
    const missing = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md').filter(
      (page) => !path.includes(`](${relative('docs', page)})`),
    );
    assert.deepEqual(missing, []);
  });
});
