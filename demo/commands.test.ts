import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS, LISTINGS } from './commands.ts';

test('what the demo types stands in the README, word for word', () => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .map(([, code]) => code)
    .join('');
  const lines = new Set(blocks.replaceAll(/ *\\\n */g, ' ').split('\n'));
  for (const { line } of COMMANDS) assert.ok(lines.has(line), `README.md shows \`${line}\` in a code block`);
});

test('what the demo lists, the README mentions', () => {
  const readme = readFileSync('README.md', 'utf8');
  for (const line of LISTINGS) assert.ok(readme.includes(line.split(' ')[2] ?? line));
});

test('the picture of the README shows what the demo types on the laptop', () => {
  const picture = readFileSync('docs/demo.svg', 'utf8');
  for (const { host, line } of COMMANDS) {
    if (host === 'laptop')
      assert.ok(picture.includes(`> ${line}<`), `docs/demo.svg shows \`${line}\`; see scripts/draw-demo.mjs`);
  }
});
