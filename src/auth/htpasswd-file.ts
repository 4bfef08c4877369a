import { holdsControlCharacters } from './control-characters.ts';
import { type PasswordHash, readPasswordHash } from './password-hash.ts';

export interface HtpasswdProblem {
  /** counted from 1 */
  readonly line: number;
  /** never contains the line's text, which may be a password */
  readonly message: string;
}

export interface HtpasswdFile {
  /** by user name */
  readonly entries: ReadonlyMap<string, PasswordHash>;
  /** the lines that were refused, in the order of the file */
  readonly problems: readonly HtpasswdProblem[];
}

/**
 * Parses a file of Apache's htpasswd tool. Each line is `USER:HASH`; a third field is
 * ignored. Blank lines and lines that begin with `#` are comments. As in Apache the
 * first line of a user is in force, also if it is refused: a second one may have a
 * password that was replaced. A refused line affects no other user.
 */
export function parseHtpasswd(text: string): HtpasswdFile {
  const entries = new Map<string, PasswordHash>();
  const problems: HtpasswdProblem[] = [];
  const firstLines = new Map<string, number>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const line = index + 1;
    const [user, hash] = content.split(':', 2);
    if (user === undefined || hash === undefined) {
      problems.push({ line, message: 'there is no colon between a user name and a hash' });
      continue;
    }
    if (!isUserName(user)) {
      problems.push({ line, message: 'the user name is empty, is not UTF-8, or holds control characters' });
      continue;
    }
    const firstLine = firstLines.get(user);
    if (firstLine !== undefined) {
      problems.push({ line, message: `user ${user} stands in line ${firstLine} already, and the first line counts` });
      continue;
    }
    firstLines.set(user, line);
    const reading = readPasswordHash(hash);
    if ('problem' in reading) problems.push({ line, message: `user ${user}: ${reading.problem}` });
    else entries.set(user, reading);
  }
  return { entries, problems };
}

/** Whether Basic credentials can represent this name (RFC 7617, 2). U+FFFD stands for octets that are not UTF-8. */
export function isUserName(user: string): boolean {
  return user !== '' && !holdsControlCharacters(user) && !/[:\uFFFD]/.test(user);
}
