// Runs the compiled tests: `npm test`, or `npm test -- WORD...` for the files whose path contains a WORD.
// `node --test DIRECTORY` finds different files on Node 20 and 22, so the list is made here.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const words = process.argv.slice(2);
const files = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))))
  .map((file) => join('dist', file))
  .sort();
if (files.length === 0) {
  process.stderr.write(`No test file matches ${words.join(', ')}; see dist/**/*.test.js\n`);
  process.exit(1);
}

run({ files, concurrency: 2, timeout: 10 * 60_000 })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
