import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from './support/etherws.ts';
import { Process } from './support/process.ts';
import { missingTools } from './support/tools.ts';

const RUNNER = resolve('scripts/run-tests.mjs');
/** Names of the test files that mostly sleep. */
const { WAITING } = (await import(resolve('scripts/test-lanes.mjs'))) as { readonly WAITING: readonly [string] };

/** Starts processes of every kind, writes their ids down, and then hears nothing more. */
const HANGS = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
test('loops for ever', async (t) => {
  const start = (command, options) => spawn(command[0], command.slice(1), { stdio: 'ignore', ...options });
  start(['sleep', '987654']);
  start(['sleep', '987654'], { detached: true });
  start(['sh', '-c', 'setsid sleep 987654 & exit'], { detached: true });
  start(['unshare', '--user', '--map-root-user', '--net', '--pid', '--fork', 'sleep', '987654'], { detached: true });
  await new Promise((resolve) => setTimeout(resolve, 300));
  writeFileSync('started', '');
  process.on('SIGTERM', () => undefined);
  for (;;);
});
`;

const ENDS = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
test('ends, but what it started does not', () => {
  spawn('sleep', ['987654'], { detached: true, stdio: 'ignore' }).unref();
  writeFileSync('ended', '');
});
`;

/** Fails in its first run. */
const FAILS_ONCE = `
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
test('has been here', () => {
  const isAgain = existsSync('been');
  writeFileSync('been', '');
  assert.ok(isAgain);
});
test('succeeds', () => undefined);
`;

const FAILS = `
import { test } from 'node:test';
test('fails', () => Promise.reject(new Error('each time')));
`;

const LINGERS = `
import { test } from 'node:test';
test('ends, but its timer does not', () => void setTimeout(() => undefined, 4000));
`;

/** Gets no processor for a while, as on a busy machine: the thread stands, and there is nothing that its event loop waits for. */
const STARVES = `
import { test } from 'node:test';
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
test('comes late', () => undefined);
`;

/** Tests with tests inside, of which each turn of the event loop ends one. */
const nested = (name: string): string => `
import { test } from 'node:test';
for (let outer = 0; outer < 10; outer++) {
  test('${name} ' + outer, async (t) => {
    for (let inner = 0; inner < 5; inner++) {
      await t.test('${name} ' + outer + ' inner ' + inner, () => new Promise(setImmediate));
    }
  });
}
`;

/** A project that consists of compiled tests, and the runner at work in it. */
function startRunnerOf(
  t: TestContext,
  texts: Readonly<Record<string, string>>,
  limits: Readonly<Record<string, string>> = {},
): { directory: string; runner: Process } {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-runner-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  for (const [name, text] of Object.entries(texts)) {
    for (const root of ['.', 'dist']) mkdirSync(dirname(join(directory, root, name)), { recursive: true });
    writeFileSync(join(directory, `${name}.test.ts`), '');
    writeFileSync(join(directory, `dist/${name}.test.js`), text);
  }
  // This file runs under a runner itself, whose marks its own processes have.
  const env = { ...limits, PWD: directory };
  const runner = new Process(['env', '-u', 'NODE_TEST_CONTEXT', process.execPath, RUNNER], { cwd: directory, env });
  t.after(() => runner.end());
  return { directory, runner };
}

/** The same of one test file. */
function startRunner(t: TestContext, text: string, deadlineMs: number): { directory: string; runner: Process } {
  return startRunnerOf(t, { one: text }, { ETHERWS_TEST_DEADLINE_MS: String(deadlineMs) });
}

/** What runs with this working directory, as commands: sleeping programs, test files, the runner. */
function runningIn(directory: string): string[] {
  const commands: string[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = `\0${readFileSync(`/proc/${name}/environ`, 'latin1')}`;
      if (!environment.includes(`\0PWD=${directory}\0`)) continue;
      commands.push(readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' '));
    } catch {
      // It has ended in the meantime.
    }
  }
  return commands;
}

const exists = (file: string): Promise<boolean> =>
  eventually(
    async () => existsSync(file),
    (isThere) => isThere,
    60_000,
  );

const skip = missingTools('unshare', 'setsid', 'sleep');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`a run that is ended by ${signal} leaves no process, in whatever session or namespace`, { skip }, async (t) => {
    const { directory, runner } = startRunner(t, HANGS, 600_000);
    await exists(join(directory, 'started'));
    assert.ok(runningIn(directory).filter((command) => command.includes('987654')).length >= 4);
    runner.signal(signal);
    await runner.exited;
    await eventually(
      async () => runningIn(directory),
      (commands) => commands.length === 0,
    );
  });
}

test('a file that outlives its deadline is ended with all that it started, and told of', { skip }, async (t) => {
  const { directory, runner } = startRunner(t, HANGS, 4000);
  const { status, stdout } = await runner.exited;
  assert.equal(existsSync(join(directory, 'started')), true, stdout);
  assert.equal(status, 1);
  assert.match(stdout, /✖ one\.test\.js was ended behind its deadline of 4000 ms/);
  await eventually(
    async () => runningIn(directory),
    (commands) => commands.length === 0,
  );
});

test('what a file leaves behind is ended while the run goes on', { skip }, async (t) => {
  const { directory, runner } = startRunner(t, ENDS, 600_000);
  const { status, stdout } = await runner.exited;
  assert.equal(existsSync(join(directory, 'ended')), true, stdout);
  assert.equal(status, 0, stdout);
  await eventually(
    async () => runningIn(directory),
    (commands) => commands.length === 0,
  );
});

test('a file that a timer keeps alive behind its tests fails the run', async (t) => {
  const { runner } = startRunnerOf(t, { one: LINGERS }, { ETHERWS_TEST_LINGER_MS: '2000' });
  const { status, stdout } = await runner.exited;
  assert.equal(status, 1, stdout);
  assert.match(stdout, /✖ one\.test\.js lived for \d+ ms beside its tests/);
});

test('a file that starts slowly is not taken for one that another runner has left behind', async (t) => {
  const slow = mkdtempSync(join(tmpdir(), 'etherws-slow-'));
  t.after(() => rmSync(slow, { recursive: true, force: true }));
  // test-file.sh calls it while its environment is still that of the runner; the reaper looks each second.
  writeFileSync(join(slow, 'dirname'), '#!/bin/sh\nsleep 3\nexec /usr/bin/dirname "$@"\n', { mode: 0o755 });
  // The runner inherits the name of this file.
  const { ETHERWS_TEST_FILE = '1', PATH = '' } = process.env;
  const { runner } = startRunnerOf(t, { one: ENDS }, { PATH: `${slow}:${PATH}`, ETHERWS_TEST_FILE });
  const { status, stdout } = await runner.exited;
  assert.equal(status, 0, stdout);
});

test('with CI set, a file that has failed beside others runs again alone, and is named', async (t) => {
  const { status, stdout } = await startRunnerOf(t, { one: FAILS_ONCE, two: ENDS }, { CI: 'true' }).runner.exited;
  assert.equal(status, 0, stdout);
  assert.match(stdout, /✖ has been here/);
  assert.match(stdout, /^⚠ one\.test\.js failed beside other files, and ran again alone/m);
  assert.match(stdout, /^ℹ tests 3\nℹ suites 0\nℹ pass 3\nℹ fail 0\n/m);
});

test('a file that fails alone as well fails the run, and without CI each failure does', async (t) => {
  const twice = await startRunnerOf(t, { one: FAILS_ONCE, two: FAILS }, { CI: 'true' }).runner.exited;
  assert.equal(twice.status, 1, twice.stdout);
  assert.match(twice.stdout, /^ℹ tests 3\nℹ suites 0\nℹ pass 2\nℹ fail 1\n/m);
  const once = await startRunnerOf(t, { one: FAILS_ONCE }, { CI: '' }).runner.exited;
  assert.equal(once.status, 1, once.stdout);
  assert.doesNotMatch(once.stdout, /ran again/);
});

test('a failed test that a helper declares fails the run: a repeat of the helper would have no tests', async (t) => {
  const { directory, runner } = startRunnerOf(t, { one: "import './helper.js';" }, { CI: 'true' });
  writeFileSync(join(directory, 'dist/helper.js'), FAILS);
  const { status, stdout } = await runner.exited;
  assert.equal(status, 1, stdout);
  assert.match(stdout, /^ℹ fail 1$/m);
});

test('many failed files are not repeated', async (t) => {
  const texts = { one: FAILS_ONCE, two: FAILS, three: FAILS, four: FAILS };
  const { status, stdout } = await startRunnerOf(t, texts, { CI: 'true' }).runner.exited;
  assert.equal(status, 1, stdout);
  assert.doesNotMatch(stdout, /ran again/);
});

test('a file that is slow to load does not', async (t) => {
  const { runner } = startRunnerOf(t, { one: STARVES }, { ETHERWS_TEST_LINGER_MS: '2000' });
  const { status, stdout } = await runner.exited;
  assert.equal(status, 0, stdout);
});

test('files of both lanes run, and what each prints stays together', async (t) => {
  const texts = { one: nested('one'), two: nested('two'), [WAITING[0]]: nested('waiting') };
  const { runner } = startRunnerOf(t, texts);
  const { status, stdout } = await runner.exited;
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^ℹ tests 180$/m);
  assert.match(stdout, /^ℹ pass 180$/m);
  for (const [, name = '', inside = ''] of stdout.matchAll(/^▶ (\w+ \d)\n(.*?)^✔ /gms)) {
    const others = inside.split('\n').filter((line) => line !== '' && !line.includes(`✔ ${name} inner `));
    assert.deepEqual(others, [], name);
  }
  assert.equal(stdout.match(/^▶ \w+ \d$/gm)?.length, 30, stdout);
});

test('every name in the list of files that mostly sleep is a test file', () => {
  assert.deepEqual(
    WAITING.filter((name) => !existsSync(`${name}.test.ts`)),
    [],
  );
});
