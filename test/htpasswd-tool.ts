import { execFileSync } from 'node:child_process';

/** undefined where Apache's htpasswd is there, else why a test that needs it is skipped */
export function htpasswdMissing(): string | undefined {
  try {
    htpasswdLine(['-s'], 'user', 'password');
    return undefined;
  } catch {
    return 'needs htpasswd: apt install apache2-utils';
  }
}

/** @returns `USER:HASH` as the tool writes it with these flags */
export function htpasswdLine(flags: readonly string[], user: string, password: string): string {
  return execFileSync('htpasswd', ['-n', '-i', ...flags, user], {
    encoding: 'utf8',
    input: password,
    stdio: ['pipe', 'pipe', 'pipe'],
  }).trim();
}
