// Runs the compiled tests: `npm test`, or `npm test -- WORD...` for the files whose path contains a WORD.
// `node --test DIRECTORY` finds different files on Node 20 and 22, so the list is made here.
// With CI set, a skipped test fails the run: CI installs all tools, so none may be missing.
// A file that exceeds its deadline is killed, and the tests that it was running are printed. However the run ends,
// reaper.mjs ends all processes that it has started.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** The deadline of a test file, and the time after it until the file is killed if it has not ended by itself. */
const FILE_DEADLINE_MS = Number(process.env.ETHERWS_TEST_DEADLINE_MS ?? 10 * 60_000);
const GRACE_MS = 5000;

const words = process.argv.slice(2);
const files = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))))
  // Ignores the compiled files of tests that were removed or renamed.
  .filter((file) => existsSync(file.replace(/js$/, 'ts')))
  .map((file) => join('dist', file))
  .sort();
if (files.length === 0) {
  process.stderr.write(`No test file matches ${words.join(', ')}; see dist/**/*.test.js\n`);
  process.exit(1);
}

const isContinuousIntegration = !['', '0', 'false', undefined].includes(process.env.CI);
const skipped = [];
/** Files that exceeded their deadline, and the tests that they were running. */
const unended = [];
const summary = [];

// Holds back the runner's summary, so that it is printed last.
async function* withoutSummary(events) {
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && event.data.nesting === 0 && /^[a-z_]+ [\d.]+$/.test(event.data.message)) {
      summary.push(event.data.message);
    } else {
      yield event;
    }
  }
}

// A reader may stop early (`npm test | head`).
process.stdout.on('error', () => process.exit(1));

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const mark = `${process.pid}.${Date.now()}`;
const reaper = spawn(process.execPath, [script('reaper.mjs'), mark, String(FILE_DEADLINE_MS + GRACE_MS)], {
  // In a new session, so that Ctrl-C does not reach it.
  detached: true,
  stdio: ['pipe', 'inherit', 'inherit'],
});
process.env.ETHERWS_TEST_RUN = mark;
process.env.ETHERWS_TEST_NODE = process.execPath;
// The runner starts its files by this path.
process.execPath = script('test-file.sh');

/** The tests that have begun and not ended, by file. The innermost one is the last. */
const begun = new Map();
const pathOf = (file) => relative('.', file ?? '').replace(/^dist\//, '');

function ended({ file, name, nesting }) {
  const names = begun.get(file) ?? [];
  const place = names.findLastIndex((test) => test.name === name && test.nesting === nesting);
  if (place >= 0) names.splice(place, 1);
}

run({ files, concurrency: 2, timeout: FILE_DEADLINE_MS })
  .on('test:dequeue', ({ file, name, nesting }) => {
    if (!begun.has(file)) begun.set(file, []);
    begun.get(file).push({ name, nesting });
  })
  .on('test:fail', (event) => {
    const { file, name, nesting, todo, details } = event;
    if (todo === undefined || todo === false) process.exitCode = 1;
    ended(event);
    if (nesting > 0 || details.duration_ms < FILE_DEADLINE_MS) return;
    const inside = (begun.get(file) ?? []).map((test) => test.name).filter((test) => test !== name);
    unended.push({ file: pathOf(file ?? name), inside: inside.join(' › ') });
  })
  .on('test:pass', (event) => {
    ended(event);
    const { name, file, skip } = event;
    if (skip !== undefined && skip !== false)
      skipped.push({ name, file, reason: skip === true ? 'no reason given' : skip });
  })
  .compose(withoutSummary)
  .compose(spec)
  .on('end', () => {
    for (const { name, file, reason } of skipped) {
      process.stdout.write(`﹣ skipped: ${name} (${pathOf(file)}): ${reason}\n`);
    }
    if (skipped.length > 0 && isContinuousIntegration) {
      process.stdout.write(`✖ ${skipped.length} skipped: with CI set every test has to run\n`);
      process.exitCode = 1;
    }
    for (const { file, inside } of unended) {
      const busy = inside === '' ? '' : `; it was busy with: ${inside}`;
      process.stdout.write(`✖ ${file} was ended behind its deadline of ${FILE_DEADLINE_MS} ms${busy}\n`);
    }
    for (const line of summary) process.stdout.write(`ℹ ${line}\n`);
    // The reaper ends with its input, and the runner with the reaper.
    reaper.stdin.end();
  })
  .pipe(process.stdout);

reaper.on('error', (error) => {
  process.stdout.write(`✖ nothing ends what tests leave behind: ${error.message}\n`);
  process.exitCode = 1;
});
