// Runs the compiled tests: `npm test`, or `npm test -- WORD...` for the files whose path contains a WORD.
// `node --test DIRECTORY` finds different files on Node 20 and 22, so the list is made here.
// With CI set, a skipped test fails the run: CI installs all tools, so none may be missing.
// Also with CI set, a few files that have failed beside others run once more, alone: a machine without a free processor can
// starve a test that waits for kernels, browsers and other programs. Both runs are printed, and the files are named at the end.
// A file that exceeds its deadline is killed, and the tests that it was running are printed. However the run ends,
// reaper.mjs ends all processes that it has started.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { PROGRAM, writeBundle } from './bundle.mjs';
import { lanesOf, runLanes } from './test-lanes.mjs';

/** The deadline of a test file, and the time after it until the file is killed if it has not ended by itself. */
const FILE_DEADLINE_MS = Number(process.env.ETHERWS_TEST_DEADLINE_MS ?? 10 * 60_000);
const GRACE_MS = 5000;
/**
 * How long a file may live beside its tests and beside its work, which is to load its modules. A timer that a test has left
 * behind keeps a file from its end; those of test/support/waits.ts do so for a minute.
 */
const LINGER_MS = Number(process.env.ETHERWS_TEST_LINGER_MS ?? 40_000);
/** More failed files than that are no accident, and are not repeated. */
const REPEATED_AT_MOST = 3;
/** So many of the slowest files are listed behind a run of more files than that. */
const SLOWEST = 15;

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

// Tests start the bundle, as its users do; after `tsc` alone it is older than the modules.
if (existsSync(PROGRAM)) await writeBundle();

const isContinuousIntegration = !['', '0', 'false', undefined].includes(process.env.CI);
const skipped = [];
/** How long the tests of each file took, in ms; without those inside others. */
const testMs = new Map();
/** Files that exceeded their deadline, and the tests that they were running. */
const unended = [];

/** Holds back the runner's summary, so that it is printed last; each lane has one, and they run at the same time: adds them. */
const withoutSummary = (summary) =>
  async function* (events) {
    for await (const event of events) {
      const [, name, count] = /^([a-z_]+) ([\d.]+)$/.exec(event.data.message ?? '') ?? [];
      if (event.type === 'test:diagnostic' && event.data.nesting === 0 && name !== undefined) {
        const so = summary.get(name) ?? 0;
        summary.set(name, name === 'duration_ms' ? Math.max(so, Number(count)) : so + Number(count));
      } else {
        yield event;
      }
    }
  };

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
// A runner that a test starts has inherited the name of that test's file. Its own files would bear it until test-file.sh
// has replaced it, and the reaper would kill them as left behind by a file that is not of this run.
delete process.env.ETHERWS_TEST_FILE;
process.env.ETHERWS_TEST_NODE = process.execPath;
const directory = mkdtempSync(join(tmpdir(), 'etherws-times-'));
process.env.ETHERWS_TEST_TIMES = join(directory, 'times');
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
// The runner starts its files by this path.
process.execPath = script('test-file.sh');

/** The tests that have begun and not ended, by file. The innermost one is the last. */
const begun = new Map();
const pathOf = (file) => relative('.', file ?? '').replace(/^dist\//, '');

function ended({ file, name, nesting, details }) {
  if (nesting === 0) testMs.set(file, (testMs.get(file) ?? 0) + details.duration_ms);
  const names = begun.get(file) ?? [];
  const place = names.findLastIndex((test) => test.name === name && test.nesting === nesting);
  if (place >= 0) names.splice(place, 1);
}

const watch = (failed) => (events) => {
  events
    .on('test:dequeue', ({ file, name, nesting }) => {
      if (!begun.has(file)) begun.set(file, []);
      begun.get(file).push({ name, nesting });
    })
    .on('test:fail', (event) => {
      const { file, name, nesting, todo, details } = event;
      if (todo === undefined || todo === false) failed.add(resolve(file ?? name));
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
    });
};

/** Forgets what the first run of these files has told, since they run again. */
function forget(repeated) {
  for (const file of repeated) {
    testMs.delete(file);
    begun.delete(file);
  }
  skipped.splice(0, skipped.length, ...skipped.filter(({ file }) => !repeated.includes(file)));
}

/** What scripts/test-times.mjs has written of the last run of each file. */
function readTimes() {
  const path = process.env.ETHERWS_TEST_TIMES;
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  const times = lines.map((line) => JSON.parse(line));
  return [...new Map(times.map((time) => [time.file, time])).values()];
}

function fail(line) {
  process.stdout.write(`✖ ${line}\n`);
  process.exitCode = 1;
}

const seconds = (ms) => (ms / 1000).toFixed(1).padStart(6);

function conclude(summary, repeated) {
  for (const { name, file, reason } of skipped) {
    process.stdout.write(`﹣ skipped: ${name} (${pathOf(file)}): ${reason}\n`);
  }
  if (skipped.length > 0 && isContinuousIntegration)
    fail(`${skipped.length} skipped: with CI set every test has to run`);
  for (const { file, inside } of unended) {
    const busy = inside === '' ? '' : `; it was busy with: ${inside}`;
    fail(`${file} was ended behind its deadline of ${FILE_DEADLINE_MS} ms${busy}`);
  }
  const times = readTimes();
  for (const { file, livedMs, idleMs, processorMs } of times) {
    // A file that gets no processor lives long, too, but its event loop does not wait.
    const besideMs = Math.min(livedMs - (testMs.get(file) ?? 0) - processorMs, idleMs);
    if (besideMs < LINGER_MS) continue;
    fail(
      `${pathOf(file)} lived for ${Math.round(besideMs)} ms beside its tests: is there a timer that outlives its test?`,
    );
  }
  if (times.length > SLOWEST) {
    process.stdout.write('ℹ the slowest files, in seconds: in all, and of the processor\n');
    for (const { file, livedMs, processorMs } of times.sort((a, b) => b.livedMs - a.livedMs).slice(0, SLOWEST)) {
      process.stdout.write(`ℹ ${seconds(livedMs)} ${seconds(processorMs)}  ${pathOf(file)}\n`);
    }
  }
  for (const file of repeated) {
    process.stdout.write(`⚠ ${pathOf(file)} failed beside other files, and ran again alone: see both outputs\n`);
  }
  for (const [name, count] of summary) process.stdout.write(`ℹ ${name} ${count}\n`);
  // The runner has not ended until its reaper has.
  reaper.stdin.end();
}

/** Runs the lanes and prints their tests. @returns the files that have failed, and the counts of the runner's summary */
async function runAndPrint(lanes) {
  const failed = new Set();
  const summary = new Map();
  const report = runLanes(lanes, { timeout: FILE_DEADLINE_MS }, watch(failed))
    .compose(withoutSummary(summary))
    .compose(spec);
  for await (const text of report) process.stdout.write(text);
  return { failed, summary };
}

reaper.on('error', (error) => {
  fail(`nothing ends what tests leave behind: ${error.message}`);
});

const { failed, summary } = await runAndPrint(lanesOf(files));
// A test that a helper declares is told with the helper's path, which does not say what to run.
const areKnown = [...failed].every((file) => files.some((known) => resolve(known) === file));
const mayRepeat = isContinuousIntegration && unended.length === 0 && failed.size <= REPEATED_AT_MOST && areKnown;
const repeated = mayRepeat ? [...failed] : [];
if (repeated.length > 0) {
  forget(repeated);
  const again = await runAndPrint([{ files: repeated, concurrency: 1 }]);
  const left = again.summary.get('fail') + again.summary.get('cancelled');
  summary.set('pass', summary.get('pass') + summary.get('fail') + summary.get('cancelled') - left);
  summary.set('fail', left).set('cancelled', 0);
  if (again.failed.size > 0) process.exitCode = 1;
} else if (failed.size > 0) {
  process.exitCode = 1;
}
conclude(summary, repeated);
