import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { missingTools, pathOf } from './support/tools.ts';

/** A copy of what the package ships for the addon, and a PATH on which only these programs are. */
function bareMachine(t: TestContext, ...tools: readonly string[]): { root: string; PATH: string } {
  const root = mkdtempSync(join(tmpdir(), 'etherws-build-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const part of ['native', 'scripts', 'binding.gyp']) cpSync(part, join(root, part), { recursive: true });
  const PATH = join(root, 'bin');
  mkdirSync(PATH);
  for (const tool of tools) symlinkSync(pathOf(tool) as string, join(PATH, tool));
  return { root, PATH };
}

function build(root: string, PATH: string): { status: number | null; output: string } {
  // Not npm's environment: a shell opened anywhere.
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/build-addon.mjs')], {
    cwd: tmpdir(),
    env: { PATH },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

test('a C compiler is enough: neither python nor make is needed', (t) => {
  const missing = missingTools('cc', 'as', 'ld');
  if (missing !== false) {
    t.skip(missing);
    return;
  }
  const { root, PATH } = bareMachine(t, 'cc', 'as', 'ld');
  const { status, output } = build(root, PATH);
  assert.equal(status, 0, output);
  assert.equal(output, '', 'it compiles without a word');
  const addon = createRequire(import.meta.url)(join(root, 'build/Release/etherws.node')) as { openTap?: unknown };
  assert.equal(typeof addon.openTap, 'function');
});

test('without a compiler it says what to install, what works, and does not fail', (t) => {
  const { root, PATH } = bareMachine(t);
  const { status, output } = build(root, PATH);
  assert.equal(status, 0, output);
  assert.match(output, /tap and netdev ports will not work/);
  assert.match(output, /apt install build-essential/);
  assert.match(output, /Everything else does/);
  assert.equal(existsSync(join(root, 'build')), false);
});
