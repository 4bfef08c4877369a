import { isUserName } from './htpasswd-file.ts';

/**
 * Puts a hash into the first line of `user`, which is the one that counts, or
 * appends a line. Every other line stays as it is, as do a third field and the
 * kind of line end.
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

/** Removes every line of `user`: were a later one left, it would come into force. */
export function removeEntry(text: string, user: string): string {
  return linesOf(text)
    .filter((line) => userOf(line) !== user)
    .join('');
}

export function hasEntry(text: string, user: string): boolean {
  return linesOf(text).some((line) => userOf(line) === user);
}

/** Whether a line of an htpasswd file can begin with this name, and Basic credentials can hold it. */
export function canBeUser(user: string): boolean {
  return isUserName(user) && user.trim() === user && !user.startsWith('#') && user.length <= 255;
}

/** With their line ends, so that joining them gives the text again. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function userOf(line: string): string | undefined {
  const content = line.replace(/^\uFEFF/, '').trim();
  return content.startsWith('#') || !content.includes(':') ? undefined : content.split(':', 1)[0];
}
