import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from './support/etherws.ts';
import { Process } from './support/process.ts';
import { missingTools } from './support/tools.ts';

const RUNNER = resolve('scripts/run-tests.mjs');

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

/** A project that consists of one compiled test, and the runner at work in it. */
function startRunner(t: TestContext, text: string, deadlineMs: number): { directory: string; runner: Process } {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-runner-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'dist'));
  writeFileSync(join(directory, 'one.test.ts'), '');
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  writeFileSync(join(directory, 'dist/one.test.js'), text);
  // This file runs under a runner itself, whose marks its own processes have.
  const env = { ETHERWS_TEST_DEADLINE_MS: String(deadlineMs), PWD: directory };
  const runner = new Process(['env', '-u', 'NODE_TEST_CONTEXT', process.execPath, RUNNER], { cwd: directory, env });
  t.after(() => runner.end());
  return { directory, runner };
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
