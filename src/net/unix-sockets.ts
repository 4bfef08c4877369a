import { readFileSync, readlinkSync } from 'node:fs';

/** SO_ACCEPTCON of /proc/net/unix: the socket listens. */
const LISTENS = 0x10000;

/**
 * The path of a listening Unix socket of this process, from /proc/net/unix: Node knows no address of an inherited one.
 * @returns the path; `@` at its beginning stands for octet 0 of an abstract name. undefined: no listening Unix socket
 */
export function listeningPathOf(
  descriptor: number,
  read: (file: string) => string = (file) => readFileSync(file, 'utf8'),
): string | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(linkOf(descriptor))?.[1];
  if (inode === undefined) return undefined;
  for (const line of read('/proc/net/unix').split('\n')) {
    // The columns: Num RefCount Protocol Flags Type St Inode Path; the path may have spaces.
    const [, flags, itsInode, path] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.*)$/.exec(line) ?? [];
    if (itsInode === inode) return (Number.parseInt(flags ?? '0', 16) & LISTENS) === 0 ? undefined : path;
  }
  return undefined;
}

function linkOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}
