import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, type Stats } from 'node:fs';
import { findPlace, isTrustedOwner, type Place, UnsafePathError } from './safe-path.ts';

/** The user and group that own a file. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface OwnFileOptions {
  /** O_* flags of open(2), without O_CREAT, O_EXCL and O_NOFOLLOW */
  readonly access: number;
  /** the mode of a new file, regardless of the umask */
  readonly mode: number;
  /** the owner of the file; default: the user of the process */
  readonly owner?: FileOwner | undefined;
}

/** A file that is open for writing, and its place. The caller closes both. */
export interface OwnFile {
  readonly descriptor: number;
  readonly place: Place;
}

/** How often to try again if another process creates or removes the file at the same time. */
const MAX_TRIES = 5;

/**
 * Opens a file for writing, and creates it if it does not exist. Another user cannot redirect this to another file by a
 * symbolic link, a hard link or a file of theirs. Afterwards the file belongs to `owner`, unless it is a device or a pipe.
 * @param path an absolute path
 * @throws UnsafePathError if another user may have placed the file
 * @throws ErrnoException of the system
 */
export function openOwnFile(path: string, options: OwnFileOptions): OwnFile {
  if (process.platform !== 'linux') return openPlainly(path, options);
  for (let tries = 1; ; tries++) {
    const place = findPlace(path);
    try {
      const descriptor = place.entry === undefined ? make(place, options) : reopen(place, place.entry, options);
      return { descriptor, place };
    } catch (error) {
      place.close();
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * On other systems than Linux there are no devices, so no switch runs as root. Only a link in the last component is
 * refused.
 */
function openPlainly(path: string, { access, mode }: OwnFileOptions): OwnFile {
  const { O_CREAT, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, access | O_CREAT | O_NOFOLLOW, mode);
  return { descriptor, place: { path, entry: undefined, isPrivate: false, close: () => undefined } };
}

function make(place: Place, { access, mode, owner }: OwnFileOptions): number {
  const { O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(place.path, access | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  return settle(descriptor, () => {
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    fchmodSync(descriptor, mode);
  });
}

function reopen(place: Place, entry: number, { access, owner }: OwnFileOptions): number {
  const stats = fstatSync(entry);
  if (stats.isFile()) requireOurs(place, stats, owner);
  else requireDevice(place, stats);
  // Opens the file that was checked, whatever has its name now.
  const name = `/proc/self/fd/${entry}`;
  const probe = stats.isFIFO() ? openAtReader(name) : undefined;
  const descriptor = openSync(name, access | constants.O_NOCTTY);
  // Closed only now: the reader of a pipe sees its end as soon as there is no writer.
  if (probe !== undefined) closeSync(probe);
  return settle(descriptor, () => {
    if (owner !== undefined && stats.isFile() && stats.uid !== owner.uid) {
      fchownSync(descriptor, owner.uid, owner.gid);
    }
  });
}

function settle(descriptor: number, work: () => void): number {
  try {
    work();
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** A directory that others may change can contain moved files and hard links of root: the owner and link count tell. */
function requireOurs({ isPrivate }: Place, { uid, nlink }: Stats, owner: FileOwner | undefined): void {
  if (isPrivate) return;
  const isOurs = owner === undefined ? isTrustedOwner(uid) : uid === owner.uid;
  if (isOurs && nlink === 1) return;
  const wanted = owner?.uid ?? process.geteuid?.() ?? 0;
  throw new UnsafePathError(
    nlink === 1
      ? `it belongs to uid ${uid}, in a directory that others may change`
      : `it has ${nlink} names, in a directory that others may change`,
    nlink === 1 ? `Remove it, or give it to uid ${wanted} (chown)` : 'Remove it',
  );
}

/** Opens a pipe for writing without blocking. Without a reader a blocking open would stop the process. */
function openAtReader(pipe: string): number {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    throw new UnsafePathError('no program reads from this pipe', 'Start its reader first');
  }
}

function requireDevice({ isPrivate }: Place, stats: Stats): void {
  const isDevice = stats.isCharacterDevice() || stats.isFIFO();
  if (isDevice && (isPrivate || isTrustedOwner(stats.uid))) return;
  throw new UnsafePathError('it is no regular file', 'Name another file');
}
