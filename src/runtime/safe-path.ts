import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, type Stats, statfsSync } from 'node:fs';

/*
 * Path resolution that other users of the host cannot redirect.
 *
 * If root opens `/home/ann/run/log` by name, the user ann can redirect it to a file of root, by a symbolic link anywhere
 * in the path. So each directory is opened relative to the one before, by descriptor, and a link is followed only if
 * only root and the process's own user could have placed it. Node has no openat(2); opening
 * `/proc/self/fd/N/NAME` has the same effect.
 */

/** Linux: opens a descriptor that only refers to a file, without reading it and without blocking. */
export const O_PATH = 0o10000000;
const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;
/** As Linux (MAXSYMLINKS). */
const MAX_LINKS = 40;
const PROC_MAGIC = 0x9fa0;
/** The targets of links in procfs that are no paths, such as `pipe:[1234]`. */
const NAMELESS = /^(pipe|socket|anon_inode):/;

/** A path was refused. `message` is the reason, to be put behind the path; `hint` says what to do. */
export class UnsafePathError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** An open directory, and a name in it, whether or not a file has this name. */
export interface Place {
  /** A path that refers to the open directory, also if directories above it are renamed. */
  readonly path: string;
  /** An O_PATH descriptor of the file, which is no symbolic link; undefined if the file does not exist. */
  readonly entry: number | undefined;
  /** Whether only root and the process's own user can change the directory. */
  readonly isPrivate: boolean;
  /** Closes the directory and `entry`. */
  close(): void;
}

/** Whether files of a user are trusted: those of root, of our own user, and of the owner of the root directory. */
export function isTrustedOwner(uid: number): boolean {
  if (uid === 0 || uid === process.geteuid?.()) return true;
  rootOwner ??= ownerOfRoot();
  return uid === rootOwner;
}

/** In a user namespace that does not map root, files of root have the overflow uid, as the root directory has. */
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
 * Resolves a path. The caller closes the place.
 * @param path an absolute path
 * @throws UnsafePathError for a link that another user could have placed
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

  /** The place owns the directory that was reached. */
  to(path: string): Place {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const entry = this.#open(name, names.length === 0);
      if (entry === undefined) return this.#place(name, undefined);
      const stats = fstatSync(entry);
      if (stats.isSymbolicLink()) {
        closeSync(entry);
        const target = this.#follow(name, stats);
        // The link of a pipe or socket in procfs has no path; only opening it follows it.
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

  /** @returns the target of a link; undefined for a link of procfs that has no path */
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
    if (++this.#links > MAX_LINKS)
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

/** As /tmp: no user can remove or rename files of other users. */
function isSticky({ mode }: Stats): boolean {
  return (mode & STICKY) !== 0;
}
