import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { once } from './support/waits.ts';

test('the example of the library in docs/use/library.md runs as it stands', async () => {
  const page = readFileSync(new URL('../../docs/use/library.md', import.meta.url), 'utf8');
  const example = /^```ts\n([\s\S]*?)^```/m.exec(page)?.[1] ?? '';
  assert.match(example, /from 'etherws'/);
  // A file below dist finds the package by its own name. Port 8000 may be taken, so the kernel chooses one.
  const file = fileURLToPath(new URL('./readme-example.mjs', import.meta.url));
  writeFileSync(file, example.replace('listen(8000)', 'listen(0)'));
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    assert.equal(line.toString().trim(), 'right got 1');
  } finally {
    child.kill();
    await once(child, 'exit');
    rmSync(file);
  }
});
