import { isUserName } from './htpasswd-file.ts';

/**
 * Replaces the hash in the first line of `user`, which is the one in force, or
 * appends a line. All other lines, a third field and the kind of line end stay
 * unchanged.
 */
export function setEntry(text: string, user: string, hash: string): string {
  const lines = linesOf(text);
  const index = lines.findIndex((line) => userOf(line) === user);
  if (index >= 0) {
    lines[index] = (lines[index] ?? '').replace(/^([^:]*:)[^:\r\n]*/, (_line, name: string) => name + hash);
    return lines.join('');
  }
  const last = lines.at(-1) ?? '';
  const lineEnd = last.endsWith('\r\n') ? '\r\n' : '\n';
  const separator = last === '' || last.endsWith('\n') ? '' : '\n';
  return `${text}${separator}${user}:${hash}${lineEnd}`;
}

/** Removes all lines of `user`: without the first one, the next would come into force. */
export function removeEntry(text: string, user: string): string {
  return linesOf(text)
    .filter((line) => userOf(line) !== user)
    .join('');
}

export function hasEntry(text: string, user: string): boolean {
  return linesOf(text).some((line) => userOf(line) === user);
}

/** Whether both an htpasswd file and Basic credentials can represent this user name. */
export function canBeUser(user: string): boolean {
  return isUserName(user) && user.trim() === user && !user.startsWith('#') && user.length <= 255;
}

/** The lines with their line ends, so that joining them gives the text again. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function userOf(line: string): string | undefined {
  const content = line.replace(/^\uFEFF/, '').trim();
  return content.startsWith('#') || !content.includes(':') ? undefined : content.split(':', 1)[0];
}
