import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TARGETS } from '../bench/report/targets.ts';
import { CONTROL_OPTIONS, TUNNEL_OPTIONS } from '../src/schema/service-options.ts';
import { DAEMON_OPTIONS, LIMIT_OPTIONS, SWITCH_OPTIONS } from '../src/schema/sw-options.ts';
import type { Row } from '../src/schema/table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'SPECIFICATION.md'), 'utf8');

/** The rows of the tables after a heading, as cells. */
function rowsOf(heading: string): string[][] {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `there is no section ${heading}`);
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Why a reference such as "`test/e2e/grace` a client that is back" names no test; undefined if it does. */
function faultOf(reference: string): string | undefined {
  const [, path = '', title = ''] = /^`([^`]+)`\s*(.*)$/.exec(reference) ?? [];
  if (path === '') return `"${reference}" names no file`;
  if (path.endsWith('/') || path.startsWith('.')) return existsSync(join(ROOT, path)) ? undefined : `no ${path}`;
  const file = join(ROOT, `${path}.test.ts`);
  if (!existsSync(file)) return `no ${path}.test.ts`;
  const titles = [...readFileSync(file, 'utf8').matchAll(/\b(?:test|describe)\(\s*(['`])(.*?)\1/gs)];
  return titles.some(([, , text = '']) => text.includes(title)) ? undefined : `no test "${title}" in ${path}`;
}

describe('SPECIFICATION.md', () => {
  test('its targets are those of the benchmark, in order', () => {
    const expected = TARGETS.map(({ what, must, unit }) => [what, `${must} ${unit}`]);
    assert.deepEqual(rowsOf('Speed'), expected);
  });

  test('its bounds are the defaults of their options', () => {
    const tables = [SWITCH_OPTIONS, LIMIT_OPTIONS, DAEMON_OPTIONS, TUNNEL_OPTIONS, CONTROL_OPTIONS];
    const rows = tables.flatMap((table) => Object.values<Row>(table));
    const bounds = rowsOf('Bounds');
    assert.ok(bounds.length >= 7);
    for (const [what = '', value] of bounds) {
      const flag = /`(--[a-z-]+)`/.exec(what)?.[1];
      const row = rows.find((row) => row.flag === flag);
      assert.equal(String(row?.default), value, what);
    }
  });

  test('each promise is held by a test that is there', () => {
    const sections = ['Correct forwarding', 'Bounds', 'What happens when something breaks', 'Size', 'Compatibility'];
    const references = sections.flatMap(rowsOf).map((cells) => cells.at(-1) ?? '');
    assert.ok(references.length >= 20);
    assert.deepEqual(
      references.flatMap((reference) => faultOf(reference) ?? []),
      [],
    );
  });
});
