import { closeSync, constants, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { EtherwsError } from '../../errors.ts';

/** The directory in which `ip netns` keeps the names of network namespaces. */
const NAMES = '/run/netns';

/** A network namespace, opened by its name or path. */
export interface OpenNetns {
  /** to be closed by the caller */
  readonly fd: number;
  readonly inode: number;
}

/**
 * Opens a network namespace.
 * @param nameOrPath a name of `ip netns`; or, when it contains a slash, a path such as /proc/PID/ns/net
 * @throws EtherwsError NETNS_NOT_FOUND, PERMISSION_DENIED
 */
export function openNetns(nameOrPath: string): OpenNetns {
  const path = nameOrPath.includes('/') ? nameOrPath : `${NAMES}/${nameOrPath}`;
  try {
    // O_NONBLOCK: opening a FIFO would wait for its writer.
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

/** The error for the kernel's EINVAL: the path is not a network namespace. */
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

/** The name of a network namespace in `ip netns`; without a name, `net:[INODE]` as in /proc/PID/ns/net. */
export function nameOfNetns(inode: number): string {
  if (inode === 0) return 'net:[?]';
  try {
    for (const name of readdirSync(NAMES)) if (inodeOf(`${NAMES}/${name}`) === inode) return name;
  } catch {
    // Without the directory no namespace has a name.
  }
  return `net:[${inode}]`;
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    // Removed meanwhile, or not readable by this user.
    return undefined;
  }
}
