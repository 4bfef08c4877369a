import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missingTools } from '../../test/support/tools.ts';
import { askPassword, type PromptStreams } from './password.ts';
import { readPasswordFile } from './password-file.ts';

/** The source of the terminal driver; tests run compiled, two folders deeper. */
const ON_TERMINAL = fileURLToPath(new URL('../../../test/support/on-terminal.py', import.meta.url));
const PASSWORD_MODULE = new URL('./password.js', import.meta.url).href;

/** A program that asks `questions` times and prints, in hex, what it was told; hex, so that an echo would be seen. */
function program(questions: number): string[] {
  const source = `
    import { askPassword } from ${JSON.stringify(PASSWORD_MODULE)};
    try {
      for (let i = 0; i < ${questions}; i++) {
        const answer = await askPassword('Control Password: ');
        console.log('hex:' + Buffer.from(answer).toString('hex'));
      }
    } catch (error) {
      console.log(error.code);
      process.exitCode = 1;
    }`;
  return [process.execPath, '--input-type=module', '-e', source];
}

interface TerminalRun {
  readonly shown: string;
  readonly status: number;
  readonly echo: boolean;
  readonly lines: boolean;
}

function onTerminal(keys: string, questions = 1): TerminalRun {
  const output = execFileSync('python3', [ON_TERMINAL, 'Control Password: ', keys, ...program(questions)], {
    encoding: 'utf8',
  });
  const end = output.trimEnd().lastIndexOf('\n');
  return { shown: output.slice(0, end), ...JSON.parse(output.slice(end)) };
}

const hex = (text: string): string => `hex:${Buffer.from(text).toString('hex')}`;
describe('on a real terminal', { skip: missingTools('python3') }, () => {
  test('nothing that is typed is shown, and the terminal is as before', () => {
    const run = onTerminal('s3cret:geheim\\r');
    assert.match(run.shown, /^Control Password: \r\n/);
    assert.ok(run.shown.includes(hex('s3cret:geheim')));
    for (const piece of ['s3c', 'ret', 'geheim', '*']) assert.ok(!run.shown.includes(piece), piece);
    assert.deepEqual({ ...run, shown: '' }, { shown: '', status: 0, echo: true, lines: true });
  });

  test('Backspace, Ctrl-U, arrow keys and Ctrl-Z edit or do nothing', () => {
    const run = onTerminal('wrong\\x15gr\\u00fcn\\x7f\\x7f\\u00fcn\\x1b[A\\x1b[1;5C\\x1bOP\\x1a\\t!\\r');
    assert.ok(run.shown.includes(hex('grün!')), run.shown);
  });

  test('Ctrl-C ends with 130, and the terminal is as before', () => {
    const run = onTerminal('s3c\\x03');
    assert.deepEqual({ ...run, shown: '' }, { shown: '', status: 130, echo: true, lines: true });
    assert.ok(!run.shown.includes('s3c'));
  });

  test('Ctrl-D on an empty line is an error, behind characters an end of the line', () => {
    assert.match(onTerminal('\\x04').shown, /ARGUMENT_INVALID/);
    assert.equal(onTerminal('\\x04').status, 1);
    assert.ok(onTerminal('abc\\x04').shown.includes(hex('abc')));
  });

  test('two questions, both answered in one go', () => {
    const run = onTerminal('first\\rsecond\\r', 2);
    assert.ok(run.shown.includes(hex('first')) && run.shown.includes(hex('second')), run.shown);
  });
});

describe('a password that is to be set', () => {
  const program = `
    import { askNewPassword } from ${JSON.stringify(PASSWORD_MODULE)};
    const answer = await askNewPassword().catch((error) => error.message);
    console.log('hex:' + Buffer.from(answer).toString('hex'));`;
  const command = [process.execPath, '--input-type=module', '-e', program];

  test('is asked for twice on a terminal', { skip: missingTools('python3') }, () => {
    const typed = (keys: string): string =>
      execFileSync('python3', [ON_TERMINAL, 'New Password: ', keys, ...command], { encoding: 'utf8' });
    const equal = typed('s3cret\\rs3cret\\r');
    assert.match(equal, /^New Password: \r\nRepeat Password: \r\n/);
    assert.ok(equal.includes(hex('s3cret')));
    assert.ok(typed('s3cret\\rother\\r').includes(hex('The two passwords differ')));
  });

  test('is asked for once from a pipe', () => {
    const [node = '', ...argv] = command;
    assert.equal(spawnSync(node, argv, { input: 's3cret\n', encoding: 'utf8' }).stdout, `${hex('s3cret')}\n`);
  });
});

describe('from a pipe', () => {
  const piped = (input: string, questions: number): { stdout: string; stderr: string } => {
    const [command = '', ...argv] = program(questions);
    return spawnSync(command, argv, { input, encoding: 'utf8' });
  };

  test('a line a question, without a prompt', () => {
    const { stdout, stderr } = piped('first\r\nsecond word \nthird', 3);
    assert.equal(stderr, '');
    assert.equal(stdout, `${hex('first')}\n${hex('second word ')}\n${hex('third')}\n`);
  });

  test('the end of the input is an error, and an empty line an empty password', () => {
    assert.equal(piped('', 1).stdout, 'ARGUMENT_INVALID\n');
    assert.equal(piped('\n', 2).stdout, 'hex:\nARGUMENT_INVALID\n');
  });

  test('a line that does not end fills no memory', async () => {
    const input = new PassThrough();
    const streams: PromptStreams = { input, output: new PassThrough(), exit: () => assert.fail() };
    const asked = askPassword('Password: ', streams);
    input.write('x'.repeat(5000));
    await assert.rejects(asked, { code: 'ARGUMENT_INVALID', message: /longer than 4096/ });
    assert.equal(input.listenerCount('data'), 0);
  });

  test('UTF-8 that is cut between two chunks', async () => {
    const input = new PassThrough();
    const streams: PromptStreams = { input, output: new PassThrough(), exit: () => assert.fail() };
    const asked = askPassword('Password: ', streams);
    for (const byte of Buffer.from('grün\n')) input.write(Uint8Array.of(byte));
    assert.equal(await asked, 'grün');
  });
});

describe('from a file', () => {
  function file(t: TestContext, content: string | Uint8Array, mode = 0o600): string {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-auth-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'password');
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }
  const noWarning = (message: string): void => assert.fail(message);

  test('the first line without its end', async (t) => {
    for (const content of ['se:cret ', 'se:cret \n', 'se:cret \r\nmore\n']) {
      assert.equal(await readPasswordFile(file(t, content), noWarning), 'se:cret ');
    }
  });

  test('a file that every user may read is used with a warning', async (t) => {
    const warnings: string[] = [];
    const path = file(t, 'secret\n', 0o644);
    assert.equal(await readPasswordFile(path, (message) => void warnings.push(message)), 'secret');
    assert.deepEqual(warnings, [`Every user of this host may read the password in ${path}: chmod o-r ${path}`]);
  });

  test('a missing, empty, endless or binary file', async (t) => {
    const contents = ['', '\nsecret', 'x'.repeat(4096), Uint8Array.of(0xff, 0x0a)];
    for (const path of ['/nonexistent', ...contents.map((content) => file(t, content))]) {
      await assert.rejects(readPasswordFile(path, noWarning), { code: 'FILE_UNREADABLE' });
    }
  });
});
