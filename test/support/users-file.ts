import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** An htpasswd file with these users, whose hashes are fast to check. It is gone after the test. */
export function usersFile(t: TestContext, passwords: Readonly<Record<string, string>>): string {
  const lines = Object.entries(passwords).map(
    ([user, password]) => `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`,
  );
  return textFile(t, 'users', lines.join(''));
}

/** A file with this text, in a directory of its own, which is gone after the test. */
export function textFile(t: TestContext, name: string, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-file-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}
