import { execFileSync } from 'node:child_process';

/** @returns `USER:HASH` as the tool writes it with these flags */
export function htpasswdLine(flags: readonly string[], user: string, password: string): string {
  return execFileSync('htpasswd', ['-n', '-i', ...flags, user], {
    encoding: 'utf8',
    input: password,
    stdio: ['pipe', 'pipe', 'pipe'],
  }).trim();
}
