import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { FollowedFile } from './followed-file.ts';

function temporaryFile(t: TestContext, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-auth-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  writeFileSync(path, content);
  return path;
}

function recorder(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = (fields: object): void => {
    lines.push('reason' in fields ? String(fields.reason) : 'read again');
  };
  return { lines, debug: log, info: log, warn: log, error: log, isLevelEnabled: () => true };
}

function parse(text: string): string {
  if (text === '') throw new EtherwsError('HTPASSWD_INVALID', 'empty');
  return text.toUpperCase();
}

test('a change in place and a replaced file are followed, also with equal size and time', async (t) => {
  const path = temporaryFile(t, 'one');
  const file = await FollowedFile.open(path, parse, { recheckMs: 0 });
  assert.equal(await file.current(), 'ONE');
  writeFileSync(path, 'two');
  assert.equal(await file.current(), 'TWO');
  utimesSync(path, 1, 1);
  assert.equal(await file.current(), 'TWO');
  writeFileSync(`${path}.new`, 'six');
  utimesSync(`${path}.new`, 1, 1);
  renameSync(`${path}.new`, path);
  assert.equal(await file.current(), 'SIX');
});

test('an unchanged file is not parsed again', async (t) => {
  let parsed = 0;
  const file = await FollowedFile.open(temporaryFile(t, 'one'), () => ++parsed, { recheckMs: 0 });
  await file.current();
  await file.current();
  assert.equal(parsed, 1);
});

test('within the recheck time the file is not looked at', async (t) => {
  const path = temporaryFile(t, 'one');
  const file = await FollowedFile.open(path, parse, { recheckMs: 3_600_000 });
  writeFileSync(path, 'two');
  assert.equal(await file.current(), 'ONE');
});

test('many questions at once share one look at the file', async (t) => {
  const path = temporaryFile(t, 'one');
  let parsed = 0;
  const file = await FollowedFile.open(path, () => ++parsed, { recheckMs: 0 });
  writeFileSync(path, 'longer');
  await Promise.all(Array.from({ length: 50 }, () => file.current()));
  assert.equal(parsed, 2);
});

test('a bad, unreadable or missing file leaves the last good content in force and is logged once', async (t) => {
  const path = temporaryFile(t, 'one');
  const logger = recorder();
  const file = await FollowedFile.open(path, parse, { recheckMs: 0, logger });
  truncateSync(path);
  for (let look = 0; look < 3; look++) assert.equal(await file.current(), 'ONE');
  assert.deepEqual(logger.lines, ['empty']);
  unlinkSync(path);
  for (let look = 0; look < 3; look++) assert.equal(await file.current(), 'ONE');
  assert.equal(logger.lines.length, 2);
  assert.match(logger.lines[1] ?? '', /cannot be read \(ENOENT\)/);
  writeFileSync(path, 'two');
  assert.equal(await file.current(), 'TWO');
  assert.equal(logger.lines[2], 'read again');
});

test('what cannot be opened is said at once', async (t) => {
  const path = temporaryFile(t, 'one');
  const opening = (name: string, maxBytes = 100): Promise<unknown> => FollowedFile.open(name, parse, { maxBytes });
  const isUnreadable = { name: 'EtherwsError', code: 'FILE_UNREADABLE' };
  await assert.rejects(opening(`${path}.missing`), isUnreadable);
  await assert.rejects(opening(join(path, '..')), isUnreadable);
  await assert.rejects(opening(path, 2), {
    ...isUnreadable,
    message: `${path} has 3 bytes, more than the 2 that are read`,
  });
  truncateSync(path);
  await assert.rejects(opening(path), { code: 'HTPASSWD_INVALID' });
});

test('a FIFO is refused without waiting for a writer', async (t) => {
  const path = `${temporaryFile(t, 'one')}.fifo`;
  execFileSync('mkfifo', [path]);
  await assert.rejects(FollowedFile.open(path, parse), { message: `${path} is not a regular file` });
});
