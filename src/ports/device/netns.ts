import { closeSync, constants, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { EtherwsError } from '../../errors.ts';

/** Where `ip netns` keeps its names. */
const NAMES = '/run/netns';

/** A network namespace that was opened by its name or path. */
export interface OpenNetns {
  /** the caller's to close */
  readonly fd: number;
  readonly inode: number;
}

/**
 * Opens a network namespace.
 * @param nameOrPath a name as `ip netns` has it, or with a slash in it a path such as /proc/PID/ns/net
 * @throws EtherwsError NETNS_NOT_FOUND, PERMISSION_DENIED
 */
export function openNetns(nameOrPath: string): OpenNetns {
  const path = nameOrPath.includes('/') ? nameOrPath : `${NAMES}/${nameOrPath}`;
  try {
    // Not to wait for the other end, should it be a FIFO.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      return { fd, inode: fstatSync(fd).ino };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new EtherwsError('PERMISSION_DENIED', `This user may not open the network namespace "${nameOrPath}"`, {
        cause: error,
        hint: 'Run the switch as root, or name the namespace: ip netns attach NAME PID',
      });
    }
    throw notFound(nameOrPath, error);
  }
}

/** What becomes of the kernel's EINVAL: the path leads to something else. */
export function notANetns(nameOrPath: string, cause: unknown): EtherwsError {
  return new EtherwsError('NETNS_NOT_FOUND', `"${nameOrPath}" is not a network namespace`, {
    cause,
    hint: 'Take a name that ip netns lists, or a path such as /proc/PID/ns/net',
  });
}

function notFound(nameOrPath: string, cause: unknown): EtherwsError {
  return new EtherwsError('NETNS_NOT_FOUND', `There is no network namespace "${nameOrPath}"`, {
    cause,
    hint: 'See which there are: ip netns. A path, such as /proc/PID/ns/net, needs a slash in it',
  });
}

/** What a network namespace is called by `ip netns`, or `net:[INODE]` as in /proc/PID/ns/net. */
export function nameOfNetns(inode: number): string {
  if (inode === 0) return 'net:[?]';
  try {
    for (const name of readdirSync(NAMES)) if (inodeOf(`${NAMES}/${name}`) === inode) return name;
  } catch {
    // Without a folder of names none has one.
  }
  return `net:[${inode}]`;
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    // Removed, or not for this user to see.
    return undefined;
  }
}
