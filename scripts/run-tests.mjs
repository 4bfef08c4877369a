// Runs the compiled tests: `npm test`, or `npm test -- WORD...` for the files whose path contains a WORD.
// `node --test DIRECTORY` finds different files on Node 20 and 22, so the list is made here.
// Where CI is set a skipped test fails the run: CI installs every tool, so nothing may hide behind a missing one.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const words = process.argv.slice(2);
const files = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))))
  // What an earlier build left of a test that is gone is no test.
  .filter((file) => existsSync(file.replace(/js$/, 'ts')))
  .map((file) => join('dist', file))
  .sort();
if (files.length === 0) {
  process.stderr.write(`No test file matches ${words.join(', ')}; see dist/**/*.test.js\n`);
  process.exit(1);
}

const isContinuousIntegration = !['', '0', 'false', undefined].includes(process.env.CI);
const skipped = [];
const summary = [];

// The runner's own summary is held back behind the list of failures, so that it is the last thing printed.
async function* withoutSummary(events) {
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && event.data.nesting === 0 && /^[a-z_]+ [\d.]+$/.test(event.data.message)) {
      summary.push(event.data.message);
    } else {
      yield event;
    }
  }
}

// Whoever reads may stop early (`npm test | head`).
process.stdout.on('error', () => process.exit(1));

run({ files, concurrency: 2, timeout: 10 * 60_000 })
  .on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  })
  .on('test:pass', ({ name, file, skip }) => {
    if (skip !== undefined && skip !== false)
      skipped.push({ name, file, reason: skip === true ? 'no reason given' : skip });
  })
  .compose(withoutSummary)
  .compose(spec)
  .on('end', () => {
    for (const { name, file, reason } of skipped) {
      process.stdout.write(`﹣ skipped: ${name} (${relative('.', file ?? '')}): ${reason}\n`);
    }
    if (skipped.length > 0 && isContinuousIntegration) {
      process.stdout.write(`✖ ${skipped.length} skipped: with CI set every test has to run\n`);
      process.exitCode = 1;
    }
    for (const line of summary) process.stdout.write(`ℹ ${line}\n`);
  })
  .pipe(process.stdout);
