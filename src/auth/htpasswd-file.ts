import { holdsControlCharacters } from './control-characters.ts';
import { type PasswordHash, readPasswordHash } from './password-hash.ts';

export interface HtpasswdProblem {
  /** counted from 1 */
  readonly line: number;
  /** never holds the line's text: that may be a password */
  readonly message: string;
}

export interface HtpasswdFile {
  /** by user name */
  readonly entries: ReadonlyMap<string, PasswordHash>;
  /** lines that admit no user, in the order of the file */
  readonly problems: readonly HtpasswdProblem[];
}

/**
 * Reads what Apache's htpasswd tool writes: `USER:HASH` a line; blank lines and
 * those that begin with `#` are comments, a third field is ignored. As in Apache
 * the first line with a name decides, also when it is one that we refuse: a
 * second one may be a password that was meant to be replaced. A refused line
 * locks out no other user.
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

/** What can stand in Basic credentials (RFC 7617, 2). U+FFFD is what undecodable octets become. */
export function isUserName(user: string): boolean {
  return user !== '' && !holdsControlCharacters(user) && !/[:\uFFFD]/.test(user);
}
