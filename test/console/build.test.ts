import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { run } from '../support/process.ts';

/** The bound of all files of the page together, as they are sent. */
const MOST_COMPRESSED_BYTES = 150 * 1024;
const BUILT = 'dist/console';
/** What the content security policy of the console would refuse. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, rule: string])[] = [
  [/<style|<script(?![^>]* src=)[^>]*>| style="| on\w+="/, 'nothing inline'],
  [/\beval\(|new Function\(/, 'no text becomes code'],
  [/url\(["']?data:/, 'no data URL'],
  [/(src|href)="(https?:)?\//, 'relative URLs only'],
];

/** Builds the page into a directory of its own. @returns the octets of each file, by name */
async function build(t: TestContext): Promise<Map<string, Buffer>> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-console-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const command = [process.execPath, 'node_modules/vite/bin/vite.js', 'build', '--config', 'console/vite.config.ts'];
  const { status, stdout, stderr } = await run(command, { env: { ...process.env, ETHERWS_CONSOLE_OUT: directory } });
  assert.equal(status, 0, stdout + stderr);
  return filesIn(directory);
}

function filesIn(directory: string): Map<string, Buffer> {
  const names = ['index.html', 'index.html.br', 'index.html.gz'];
  for (const name of readdirSync(join(directory, 'assets'))) names.push(join('assets', name));
  return new Map(names.sort().map((name) => [name, readFileSync(join(directory, name))]));
}

describe('the built page of the console', () => {
  test('all of it has at most 150 KiB, compressed', () => {
    const sizes = [...filesIn(BUILT)]
      .filter(([name]) => name.endsWith('.br'))
      .map(([name, { length }]) => ({ name, length }));
    const sum = sizes.reduce((all, { length }) => all + length, 0);
    assert.ok(sum > 10 * 1024, `${sum} octets: is it built?`);
    assert.ok(
      sum <= MOST_COMPRESSED_BYTES,
      `${sum} octets:\n${sizes.map(({ name, length }) => `${length} ${name}`).join('\n')}`,
    );
  });

  test('each file is there compressed, too, with the same octets', () => {
    const files = filesIn(BUILT);
    const originals = [...files].filter(([name]) => !/\.(br|gz)$/.test(name));
    assert.ok(originals.length > 5);
    for (const [name, octets] of originals) {
      assert.ok(octets.equals(brotliDecompressSync(files.get(`${name}.br`) ?? Buffer.alloc(0))), name);
      assert.ok(octets.equals(gunzipSync(files.get(`${name}.gz`) ?? Buffer.alloc(0))), name);
    }
  });

  test('the same sources give the same octets', async (t) => {
    const [first, second] = [await build(t), await build(t)];
    assert.deepEqual([...first.keys()], [...second.keys()]);
    for (const [name, octets] of first) assert.ok(octets.equals(second.get(name) ?? Buffer.alloc(0)), name);
  });

  test('it needs no exception from its content security policy, and no other host', () => {
    for (const [name, octets] of filesIn(BUILT)) {
      if (!/\.(html|css|js)$/.test(name)) continue;
      const text = octets.toString();
      for (const [pattern, rule] of FORBIDDEN) assert.ok(!pattern.test(text), `${name}: ${rule}: ${pattern}`);
    }
  });

  test('its sources make no elements of text', () => {
    const sources = readdirSync('console/src', { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.tsx?$/.test(name),
    );
    const found = sources.filter((name) =>
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write/i.test(readFileSync(join('console/src', name), 'utf8')),
    );
    assert.deepEqual(found, []);
  });
});
