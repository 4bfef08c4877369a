import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ETHERWS } from './support/etherws.ts';

const run = promisify(execFile);
const [NODE = '', PROGRAM = ''] = ETHERWS;

test('the bundle has the program that package.json names, and is made alike twice, without touching what is the same', async () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly bin: { readonly etherws: string } };
  assert.ok(PROGRAM.endsWith(`/${bin.etherws}`), PROGRAM);
  const before = [statSync(PROGRAM).mtimeMs, readFileSync(PROGRAM, 'utf8')];
  await run(NODE, ['scripts/bundle.mjs']);
  assert.deepEqual([statSync(PROGRAM).mtimeMs, readFileSync(PROGRAM, 'utf8')], before);
});

test('the bundle has the modules of the program, and no package from npm', () => {
  const directory = dirname(PROGRAM);
  const texts = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
  // The bundler names each module in a comment.
  const modules = texts.flatMap((text) =>
    [...text.matchAll(/^\/\/ (\S+\.[cm]?js)$/gm)].map(([, module]) => module ?? ''),
  );
  for (const module of [
    'dist/src/daemon/daemon.js',
    'dist/src/daemon/workers/worker.js',
    'dist/src/auth/hash-worker.js',
  ])
    assert.equal(modules.filter((one) => one === module).length, 1, module);
  assert.deepEqual(
    modules.filter((module) => !module.startsWith('dist/src/')),
    [],
  );
});
