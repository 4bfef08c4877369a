import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { ask } from '../support/http.ts';
import { Process, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

/*
 * SIGHUP: sent by logrotate after it has renamed the log, and by operators for new certificates and rules.
 */

const NOBODY = 65_534;
const LOOPBACK = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
const SW = [...ETHERWS, 'sw', '--foreground', '--logformat', 'text', ...LOOPBACK];
const needsRoot = process.getuid?.() === 0 ? false : 'needs root, to become another user';

function directoryFor(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-hangup-')));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  return directory;
}

function start(t: TestContext, ...options: readonly string[]): Process {
  const running = new Process([...SW, ...options], { timeoutMs: 300_000 });
  t.after(() => running.end());
  return running;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const holds = (file: string, words: RegExp): Promise<string> =>
  eventually(
    async () => textOf(file),
    (text) => words.test(text),
  );

/** Causes a line in the log: a refused request of the control API. */
async function provoke(log: string): Promise<void> {
  const port = Number(/control[^\n]*?"?port"?:(\d+)/.exec(log)?.[1]);
  assert.equal((await ask({ port, path: '/ctl', method: 'GET' })).status, 405);
}

for (const rights of ['as it started', '--user nobody']) {
  const user = rights.startsWith('--') ? rights.split(' ') : [];
  const skip = (user.length > 0 && needsRoot) || missingTools('logrotate');
  test(`logrotate renames the log, ${rights}: no line is lost, and the new file is used`, { skip }, async (t) => {
    const directory = directoryFor(t);
    const log = join(directory, 'etherws.log');
    const running = start(t, '--logfile', log, '--logformat', 'json', ...user);
    await holds(log, /"ready"/);
    const said = await eventually(
      async () => running.stderr,
      (text) => /control[^\n]*?"?port"?:\d+/.test(text),
    );
    const me = `${process.getuid?.()} ${process.getgid?.()}`;
    const owner = user.length > 0 ? 'nobody nogroup' : `${(await run(['id', '-un'])).stdout.trim()} root`;
    const configuration = join(directory, 'logrotate.conf');
    writeFileSync(
      configuration,
      `${log} {\n  rotate 3\n  create 0640 ${owner}\n  postrotate\n    kill -HUP ${running.pid}\n  endscript\n}\n`,
    );
    chmodSync(configuration, 0o644);
    for (let round = 1; round <= 2; round++) {
      const rotated = await run(['logrotate', '--force', '--state', join(directory, 'state'), configuration]);
      assert.equal(rotated.status, 0, `${rotated.stderr} as ${me}`);
      await holds(log, /"reloaded"/);
      assert.doesNotMatch(textOf(log), /"ready"/, 'that line is in the renamed file');
      await provoke(said);
      await holds(log, /takes only POST/);
      assert.equal(textOf(`${log}.1`).includes('takes only POST'), round === 2);
    }
    assert.match(textOf(`${log}.2`), /"ready"/);
  });
}

test('a log that was renamed is made anew, with its mode, where the user may do that', {
  skip: needsRoot,
}, async (t) => {
  const directory = directoryFor(t);
  chownSync(directory, NOBODY, NOBODY);
  const log = join(directory, 'log');
  const running = start(t, '--logfile', log, '--user', 'nobody');
  await holds(log, /ready/);
  renameSync(log, `${log}.1`);
  running.signal('SIGHUP');
  await holds(log, /reloaded/);
  const { uid, mode } = statSync(log);
  assert.deepEqual([uid, mode & 0o777], [NOBODY, 0o640]);
});

test('where it cannot be made the old file goes on, and nothing is said to be reloaded', {
  skip: needsRoot,
}, async (t) => {
  const directory = directoryFor(t);
  const log = join(directory, 'log');
  const running = start(t, '--logfile', log, '--user', 'nobody');
  await holds(log, /ready/);
  renameSync(log, `${log}.1`);
  running.signal('SIGHUP');
  const text = await holds(`${log}.1`, /Cannot reload/);
  assert.match(text, /--logfile: cannot append/);
  assert.deepEqual(readdirSync(directory), ['log.1']);
  // After the failed reload the next signal must succeed.
  renameSync(`${log}.1`, log);
  running.signal('SIGHUP');
  assert.equal([...(await holds(log, /reloaded/)).matchAll(/reloaded/g)].length, 1);
});

test('SIGHUP before the switch is ready waits until it is', async (t) => {
  const running = start(t, '--debug');
  await eventually(
    async () => BigInt(`0x${/SigCgt:\s*([0-9a-f]+)/.exec(textOf(`/proc/${running.pid}/status`))?.[1] ?? '0'}`),
    (caught) => (caught & 1n) === 1n,
  );
  running.signal('SIGSTOP');
  assert.doesNotMatch(running.stderr, /ready/, 'it receives the signal before it is ready');
  running.signal('SIGHUP');
  running.signal('SIGCONT');
  await running.output(/reloaded/);
  assert.match(running.stderr, /ready(.|\n)*reloaded/);
  running.signal('SIGTERM');
  assert.equal((await running.exited).status, 0);
});

test('"reloaded" is said only when all was', async (t) => {
  const policy = join(directoryFor(t), 'policy.yaml');
  writeFileSync(policy, 'default:\n  tunnels:\n    max-ports: 3\n');
  const running = start(t, '--policy', policy);
  await running.output(/ready/);
  for (const broken of ['default: [', 'default: [']) {
    writeFileSync(policy, broken);
    const since = running.stderr.length;
    running.signal('SIGHUP');
    await running.logged(/Cannot reload.*policy\.yaml/, since);
    assert.doesNotMatch(running.stderr, /reloaded/);
  }
  rmSync(policy);
  const since = running.stderr.length;
  running.signal('SIGHUP');
  await running.logged(/Cannot reload/, since);
  assert.doesNotMatch(running.stderr, /reloaded/);
  writeFileSync(policy, 'default:\n  tunnels:\n    max-ports: 4\n');
  running.signal('SIGHUP');
  await running.output(/reloaded/);
});
