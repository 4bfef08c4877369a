import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { type Outcome, Process, run } from '../support/process.ts';

/*
 * The log and the PID file of a switch that root starts, in directories that another user can write to.
 */

const NOBODY = 65_534;
const SW = [...ETHERWS, 'sw', '--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: only root can be led to the files of root';

interface Places {
  /** a file of root that other users cannot read */
  readonly victim: string;
  /** a directory of the user nobody */
  readonly theirs: string;
  /** a directory of root that all users can read */
  readonly ours: string;
}

/** The victim's contents, also the PID of no process, so that only the checks of the path protect the file. */
const SECRET = '4194304\n';

function places(t: TestContext): Places {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-own-files-')));
  t.after(() => rmSync(top, { recursive: true }));
  chmodSync(top, 0o755);
  const [theirs, ours, secret] = ['theirs', 'ours', 'secret'].map((name) => join(top, name));
  for (const directory of [theirs, ours, secret] as string[]) mkdirSync(directory, 0o755);
  chownSync(theirs as string, NOBODY, NOBODY);
  const victim = join(secret as string, 'victim');
  writeFileSync(victim, SECRET, { mode: 0o600 });
  return { victim, theirs: theirs as string, ours: ours as string };
}

/** Starts a switch in the foreground, and ends it after the test. */
async function start(t: TestContext, options: readonly string[], umask = '022', cwd = '/'): Promise<Process> {
  const shell = ['bash', '-c', `umask ${umask}; exec "$@" > >(cat)`, 'bash'];
  const started = new Process([...shell, ...SW, '--foreground', ...options], {
    cwd,
    timeoutMs: 300_000,
  });
  t.after(() => started.end());
  return started;
}

async function stop(running: Process): Promise<void> {
  running.signal('SIGTERM');
  const { status, stderr } = await running.exited;
  assert.equal(status, 0, stderr);
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Waits until a file has the words. @returns its contents */
const holds = (file: string, words: RegExp): Promise<string> =>
  eventually(
    async () => textOf(file),
    (text) => words.test(text),
  );

for (const user of [['--user', 'nobody'], []]) {
  const who = user.length === 0 ? 'as root' : 'with --user';
  test(`${who}: no link in another user's directory leads to a file of root`, { skip: needsRoot }, async (t) => {
    const traps: [string, (places: Places, name: string) => void][] = [
      ['a symbolic link', ({ victim, theirs }, name) => symlinkSync(victim, join(theirs, name))],
      ['a hard link', ({ victim, theirs }, name) => linkSync(victim, join(theirs, name))],
      [
        'a link in place of the directory',
        ({ theirs, victim }, name) => {
          linkSync(victim, join(victim, '..', name));
          rmSync(join(theirs, 'run'), { recursive: true, force: true });
          symlinkSync(join(victim, '..'), join(theirs, 'run'));
        },
      ],
      [
        'a pipe',
        ({ theirs }, name) => {
          execFileSync('mkfifo', [join(theirs, name)]);
          chownSync(join(theirs, name), NOBODY, NOBODY);
        },
      ],
    ];
    for (const [trap, set] of traps) {
      for (const option of ['--logfile', '--pidfile']) {
        for (const how of [['--foreground'], []]) {
          await t.test(`${trap}, ${option}${how.length === 0 ? ', as a daemon' : ''}`, async (t) => {
            const there = places(t);
            const name = 'file';
            set(there, name);
            const path = trap.includes('directory') ? `run/${name}` : name;
            const before = statSync(there.victim);
            const { status, stderr } = await run([...SW, ...how, ...user, option, path], { cwd: there.theirs });
            assert.equal(status, 1, stderr);
            assert.match(stderr, trap.includes('hard') || trap.includes('pipe') ? /names|regular/ : /symbolic link/);
            assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace');
            const behind = statSync(there.victim);
            assert.equal(readFileSync(there.victim, 'utf8'), SECRET);
            assert.deepEqual([behind.uid, behind.mode], [before.uid, before.mode]);
          });
        }
      }
    }
  });
}

test('a file of root that another user has moved into its directory is not given away', {
  skip: needsRoot,
}, async (t) => {
  const { victim, theirs } = places(t);
  const moved = join(theirs, 'log');
  renameSync(victim, moved);
  for (const option of ['--logfile', '--pidfile']) {
    const { status, stderr } = await run([...SW, '--foreground', '--user', 'nobody', option, moved]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /belongs to uid 0.*others/);
    assert.deepEqual([readFileSync(moved, 'utf8'), statSync(moved).uid], [SECRET, 0]);
  }
});

for (const umask of ['000', '077']) {
  test(`umask ${umask}: modes are those of the files, and both belong to --user`, { skip: needsRoot }, async (t) => {
    const { theirs, ours } = places(t);
    for (const directory of [theirs, ours]) {
      const [log, pid] = [join(directory, 'log'), join(directory, 'pid')];
      const running = await start(t, ['--user', 'nobody', '--logfile', 'log', '--pidfile', 'pid'], umask, directory);
      await holds(log, /ready/);
      const kinds = [log, pid].map((file) => [statSync(file).uid, (statSync(file).mode & 0o777).toString(8)]);
      assert.deepEqual(kinds, [
        [NOBODY, '640'],
        [NOBODY, '644'],
      ]);
      assert.equal(Number(textOf(pid)), running.pid);
      await stop(running);
      assert.equal(textOf(pid), '', 'gone, or empty where its directory is not the user’s');
      assert.equal(existsSync(pid), directory === ours);
      // Files that exist already must not be an obstacle.
      const again = await start(t, ['--user', 'nobody', '--logfile', log, '--pidfile', pid]);
      await holds(log, /closing(.|\n)*ready/);
      await stop(again);
    }
  });
}

test('a link that only root could have made is followed', { skip: needsRoot }, async (t) => {
  const { ours } = places(t);
  mkdirSync(join(ours, 'run'));
  symlinkSync('run', join(ours, 'link'));
  symlinkSync(join(ours, 'link', 'real'), join(ours, 'log'));
  const running = await start(t, [
    '--user',
    'nobody',
    '--logfile',
    join(ours, 'log'),
    '--pidfile',
    join(ours, 'link/pid'),
  ]);
  await holds(join(ours, 'run/real'), /ready/);
  assert.equal(Number(textOf(join(ours, 'run/pid'))), running.pid);
  await stop(running);
});

test('a pipe that no program reads does not stop the switch', async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-pipe-')));
  t.after(() => rmSync(directory, { recursive: true }));
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { status, stderr } = await run([...SW, '--foreground', '--logfile', pipe]);
  assert.equal(status, 1);
  assert.match(stderr, /no program reads/);
  const reader = new Process(['cat', pipe]);
  t.after(() => reader.end());
  const running = await start(t, ['--logfile', pipe]);
  await reader.output(/ready/);
  await stop(running);
});

test('a device as log stays whose it is, and standard output can be the log', { skip: needsRoot }, async (t) => {
  const before = statSync('/dev/null');
  const silent = await start(t, ['--user', 'nobody', '--logfile', '/dev/null']);
  await eventually(
    async () => readFileSync(`/proc/${silent.pid}/status`, 'utf8'),
    (text) => /^Uid:\s65534/m.test(text),
  );
  await stop(silent);
  const behind = statSync('/dev/null');
  assert.deepEqual([behind.uid, behind.mode], [before.uid, before.mode]);

  const loud = await start(t, ['--user', 'nobody', '--logfile', '/dev/stdout']);
  await loud.output(/ready/);
  await eventually(
    async () => loud.stdout,
    (text) => text.includes('ready'),
  );
  loud.signal('SIGHUP');
  await loud.output(/reloaded/);
  await stop(loud);
});

test('the PID file of a process that lives is refused and stays; one of a dead process is taken over', async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-pid-')));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'pid');
  const once = (): Promise<Outcome> => run([...SW, '--foreground', '--pidfile', file]);

  await t.test('of another switch', async (t) => {
    const running = await start(t, ['--pidfile', file]);
    await running.output(/ready/);
    const second = await once();
    assert.equal(second.status, 1);
    assert.match(second.stderr, new RegExp(`"${file}".*${running.pid}.*runs`));
    assert.equal(Number(textOf(file)), running.pid);
    await stop(running);
    assert.equal(existsSync(file), false);
  });
  await t.test('of any process', async () => {
    writeFileSync(file, `${process.pid}\n`);
    assert.equal((await once()).status, 1);
    assert.equal(textOf(file), `${process.pid}\n`);
  });
  await t.test('something else than a PID', async () => {
    for (const text of ['precious\n', '0\n']) {
      writeFileSync(file, text);
      const { status, stderr } = await once();
      assert.equal(status, 1);
      assert.match(stderr, /something else/);
      assert.equal(textOf(file), text);
    }
  });
  const dead = new Process(['true']);
  const deadPid = dead.pid;
  await dead.exited;
  for (const [name, text] of [
    ['of a process that has ended', `${deadPid}\n`],
    ['an empty one', ''],
    ['of a process that has got the number since', `${process.pid}`],
  ] as const) {
    await t.test(name, async (t) => {
      writeFileSync(file, text);
      utimesSync(file, 1_000_000_000, 1_000_000_000);
      const running = await start(t, ['--pidfile', file]);
      await running.output(/ready/);
      assert.equal(Number(textOf(file)), running.pid);
      await stop(running);
      assert.equal(existsSync(file), false);
    });
  }
});

test('only the writer of a PID file removes it', async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-pid-')));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'pid');
  for (const replace of [
    () => writeFileSync(file, `${process.pid}\n`),
    () => {
      rmSync(file);
      writeFileSync(file, `${process.pid}\n`);
    },
  ]) {
    const running = await start(t, ['--pidfile', file]);
    await running.output(/ready/);
    replace();
    await stop(running);
    assert.equal(textOf(file), `${process.pid}\n`);
    rmSync(file);
  }
  const killed = await start(t, ['--pidfile', file]);
  await killed.output(/ready/);
  killed.signal('SIGTERM');
  killed.signal('SIGTERM');
  await killed.exited;
  assert.equal(existsSync(file), false, 'also when it was ended at once');
});

test('etherws passwd of root follows no link of another user', { skip: needsRoot }, async (t) => {
  const { victim, theirs } = places(t);
  writeFileSync(victim, 'root:$6$salt$hash:19000:0:99999:7:::\n');
  const before = textOf(victim);
  for (const at of ['users', 'run/victim']) {
    if (at === 'users') symlinkSync(victim, join(theirs, 'users'));
    else symlinkSync(join(victim, '..'), join(theirs, 'run'));
    const { status, stderr } = await run([...ETHERWS, 'passwd', '--cost', '4', join(theirs, at), 'eve'], {
      input: 'x\n',
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /FILE_UNWRITABLE/);
    assert.match(stderr, /symbolic link/);
    assert.equal(textOf(victim), before);
  }
});
