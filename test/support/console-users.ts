import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

export const USER = 'ada';
export const PASSWORD = 'open sesame';
/** The login of that user. */
export const GOOD = { user: USER, password: PASSWORD };

/** A line of an htpasswd file, with a hash that is fast to check. */
export function lineOf(user: string, password: string): string {
  return `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`;
}

/** A directory for the files of a test file, which is removed at its end. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-console-'));
  after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** An htpasswd file with that user. @returns its path */
export function usersFile(directory: string, name: string, lines = lineOf(USER, PASSWORD)): string {
  const file = join(directory, name);
  writeFileSync(file, lines);
  return file;
}
