import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { missingTools } from '../../test/support/tools.ts';
import { EtherwsError } from '../errors.ts';
import { passwdCommand } from './passwd.ts';
import { UsageError } from './usage-error.ts';

interface Bench {
  readonly directory: string;
  readonly file: string;
  readonly printed: string[];
  run(password: string | (() => Promise<string>), ...words: string[]): Promise<void>;
}

function bench(t: TestContext): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-auth-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const printed: string[] = [];
  const terminal = { print: (text: string): void => void printed.push(text) };
  const run = async (password: string | (() => Promise<string>), ...words: string[]): Promise<void> => {
    const ask = typeof password === 'string' ? () => Promise.resolve(password) : password;
    const command = passwdCommand(terminal, ask)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    await command.parseAsync(['--cost', '4', ...words], { from: 'user' });
  };
  return { directory, file: join(directory, 'htpasswd'), printed, run };
}

function verifies(file: string, user: string, password: string): boolean {
  try {
    execFileSync('htpasswd', ['-vb', file, user, password], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test("Apache's htpasswd verifies what it writes", { skip: missingTools('htpasswd') }, async (t) => {
  const { file, printed, run } = bench(t);
  await run('secret', '--create', file, 'ada');
  await run('pass:wörd', file, 'bob');
  assert.deepEqual(printed, [`Added ada to ${file}\n`, `Added bob to ${file}\n`]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(verifies(file, 'ada', 'secret') && verifies(file, 'bob', 'pass:wörd'));
  assert.ok(!verifies(file, 'ada', 'pass:wörd'));
  await run('changed', file, 'ada');
  assert.ok(verifies(file, 'ada', 'changed') && verifies(file, 'bob', 'pass:wörd'));
  assert.match(readFileSync(file, 'utf8'), /^ada:\$2y\$04\$.{53}\nbob:/);
  await run('', '--delete', file, 'ada');
  assert.deepEqual(printed.slice(2), [`Changed the password of ada in ${file}\n`, `Removed ada from ${file}\n`]);
  assert.match(readFileSync(file, 'utf8'), /^bob:/);
});

test('order, comments, mode and a link stay, and nothing is left beside the file', async (t) => {
  const { directory, file, run } = bench(t);
  const target = join(directory, 'real');
  writeFileSync(target, '# people\nada:old\nbob:older\n');
  execFileSync('chmod', ['640', target]);
  symlinkSync('real', file);
  await run('secret', file, 'ada');
  assert.match(readFileSync(target, 'utf8'), /^# people\nada:\$2y\$.*\nbob:older\n$/);
  assert.equal(statSync(target).mode & 0o7777, 0o640);
  assert.deepEqual(readdirSync(directory).sort(), ['htpasswd', 'real']);
});

test('a line that another process writes during the question is kept', async (t) => {
  const { file, run } = bench(t);
  writeFileSync(file, 'ada:old\n');
  await run(
    () => {
      writeFileSync(file, 'ada:old\nbob:new\n');
      return Promise.resolve('secret');
    },
    file,
    'ada',
  );
  assert.match(readFileSync(file, 'utf8'), /^ada:\$2y\$.*\nbob:new\n$/);
});

test('what cannot be is refused before a password is asked, and changes nothing', async (t) => {
  const { directory, file, run } = bench(t);
  const notAsked = (): Promise<string> => assert.fail('asked');
  await assert.rejects(run(notAsked, file, 'ada'), { code: 'FILE_UNREADABLE', hint: 'Make it with --create' });
  for (const user of ['a:b', '#ada', '']) await assert.rejects(run(notAsked, '--create', file, user), UsageError);
  await assert.rejects(run(notAsked, '--create', '--delete', file, 'ada'), UsageError);
  await assert.rejects(run(notAsked, '--cost', '18', '--create', file, 'ada'), { code: 'commander.invalidArgument' });
  await assert.rejects(run(notAsked, '--delete', file, 'ada'), { code: 'FILE_UNREADABLE' });
  await assert.rejects(run(notAsked, directory, 'ada'), { code: 'FILE_UNREADABLE' });
  writeFileSync(file, Uint8Array.of(0xfc, 0x3a, 0x78));
  await assert.rejects(run(notAsked, file, 'ada'), { code: 'HTPASSWD_INVALID' });
  writeFileSync(file, 'bob:x\n');
  await assert.rejects(run(notAsked, '--delete', file, 'ada'), { message: `There is no user ada in ${file}` });
  for (const password of ['', 'a\nb', 'ä'.repeat(37)]) {
    await assert.rejects(run(password, file, 'ada'), { code: 'ARGUMENT_INVALID' });
  }
  assert.equal(readFileSync(file, 'utf8'), 'bob:x\n');
  assert.deepEqual(readdirSync(directory), ['htpasswd']);
});

test('a folder that is not there', async (t) => {
  const { directory, run } = bench(t);
  const failing = run('secret', '--create', join(directory, 'none', 'htpasswd'), 'ada');
  await assert.rejects(failing, (error) => error instanceof EtherwsError && error.code === 'FILE_UNWRITABLE');
});
