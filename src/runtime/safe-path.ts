import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, type Stats, statfsSync } from 'node:fs';

/*
 * A name in a directory, found so that no other user of the host decides where it leads.
 *
 * A process of root that opens `/home/ann/run/log` by name trusts ann: a link of hers in any place of the path leads it
 * to a file of root. So each directory is opened from the one before, by descriptor, and a link is followed only where
 * only root and the process's own user could have put it. Node has no openat(2); `/proc/self/fd/N/NAME` is one.
 */

/** Linux: a descriptor that only names a file; opening one reads nothing, waits for nothing and follows no link. */
export const O_PATH = 0o10000000;
const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;
const MOST_LINKS = 40;
const PROC_MAGIC = 0x9fa0;
/** What procfs says of a descriptor that is no file: nothing that could be followed by name. */
const NAMELESS = /^(pipe|socket|anon_inode):/;

/** Why a name is not used; `message` goes behind the name, and `hint` says what to do. */
export class UnsafePathError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A directory that is held open, and a name in it, which may be that of no file. */
export interface Place {
  /** what reaches it from here on, whatever becomes of the directories above */
  readonly path: string;
  /** Names the file without having opened it, by O_PATH; undefined where there is none. It is no link. */
  readonly entry: number | undefined;
  /** Only root and the process's own user can change what stands in the directory. */
  readonly isPrivate: boolean;
  close(): void;
}

/** Whether what belongs to that user can be relied on: root's, our own, and that of the owner of the root directory. */
export function isTrustedOwner(uid: number): boolean {
  if (uid === 0 || uid === process.geteuid?.()) return true;
  rootOwner ??= ownerOfRoot();
  return uid === rootOwner;
}

/** In a user namespace of one user the files of root seem to be those of a user without a number. */
let rootOwner: number | undefined;

function ownerOfRoot(): number {
  const root = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return fstatSync(root).uid;
  } finally {
    closeSync(root);
  }
}

/**
 * @param path an absolute path
 * @throws UnsafePathError for a link that another user could have put there
 * @throws ErrnoException when a directory of the path cannot be opened
 */
export function findPlace(path: string): Place {
  if (!existsSync('/proc/self/fd')) throw new UnsafePathError('it takes /proc to write files safely', 'Mount /proc');
  const walk = new Walk();
  try {
    return walk.to(path);
  } catch (error) {
    walk.close();
    throw error;
  }
}

class Walk {
  #directory = openSync('/', O_PATH | constants.O_DIRECTORY);
  #links = 0;

  /** The directory stays open for the place. */
  to(path: string): Place {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const entry = this.#open(name, names.length === 0);
      if (entry === undefined) return this.#place(name, undefined);
      const stats = fstatSync(entry);
      if (stats.isSymbolicLink()) {
        closeSync(entry);
        const target = this.#follow(name, stats);
        // The link of a pipe or a socket in procfs: it has no name to go on with, and is followed as it is opened.
        if (target === undefined) return this.#place(name, openSync(this.#pathOf(name), O_PATH));
        if (target.startsWith('/')) this.#enter(openSync('/', O_PATH | constants.O_DIRECTORY));
        names.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
      } else if (names.length === 0) {
        return this.#place(name, entry);
      } else {
        this.#enter(entry);
      }
    }
    throw new UnsafePathError('this is a directory', 'Name a file in it');
  }

  close(): void {
    closeSync(this.#directory);
  }

  #pathOf(name: string): string {
    return `/proc/self/fd/${this.#directory}/${name}`;
  }

  #open(name: string, isLast: boolean): number | undefined {
    try {
      return openSync(this.#pathOf(name), O_PATH | constants.O_NOFOLLOW);
    } catch (error) {
      if (isLast && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #enter(directory: number): void {
    closeSync(this.#directory);
    this.#directory = directory;
  }

  /** @returns where a link leads; undefined for one of procfs that leads to no name */
  #follow(name: string, link: Stats): string | undefined {
    const directory = fstatSync(this.#directory);
    const isSafe =
      isTrustedOwner(link.uid) && isTrustedOwner(directory.uid) && (isClosed(directory) || isSticky(directory));
    if (!isSafe) {
      throw new UnsafePathError(
        `"${name}" is a symbolic link that another user could have put there`,
        'Name the file itself, in a directory that only root or the user that runs the switch may change',
      );
    }
    if (++this.#links > MOST_LINKS)
      throw new UnsafePathError('there are too many symbolic links', 'Name the file itself');
    const target = readlinkSync(this.#pathOf(name));
    const isNameless = NAMELESS.test(target) && statfsSync(`/proc/self/fd/${this.#directory}`).type === PROC_MAGIC;
    return isNameless ? undefined : target;
  }

  #place(name: string, entry: number | undefined): Place {
    const directory = fstatSync(this.#directory);
    return {
      path: this.#pathOf(name),
      entry,
      isPrivate: isTrustedOwner(directory.uid) && isClosed(directory),
      close: () => {
        if (entry !== undefined) closeSync(entry);
        this.close();
      },
    };
  }
}

function isClosed({ mode }: Stats): boolean {
  return (mode & WRITABLE_BY_OTHERS) === 0;
}

/** As /tmp: no user removes or renames what belongs to another user. */
function isSticky({ mode }: Stats): boolean {
  return (mode & STICKY) !== 0;
}
