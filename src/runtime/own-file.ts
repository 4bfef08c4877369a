import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, type Stats } from 'node:fs';
import { findPlace, isTrustedOwner, type Place, UnsafePathError } from './safe-path.ts';

/** The user and group that a file is to belong to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface OwnFileOptions {
  /** O_* of open(2), without those that say how a file is found or made */
  readonly access: number;
  /** of a file that is made, whatever the umask */
  readonly mode: number;
  /** default: the user of the process */
  readonly owner?: FileOwner | undefined;
}

/** A file that was opened for writing, and the place where it stands. */
export interface OwnFile {
  readonly descriptor: number;
  /** stays open until it is closed */
  readonly place: Place;
}

const REPLACED_MEANWHILE_TRIES = 5;

/**
 * Opens a file for writing, and makes it if it is not there, without being led to another one by another user's link,
 * hard link or file. It belongs to `owner` behind that; a device or a pipe stays whose it is.
 * @param path an absolute path
 * @throws UnsafePathError when it is not certain that the file is meant
 * @throws ErrnoException
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
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === REPLACED_MEANWHILE_TRIES) throw error;
    }
  }
}

/** Elsewhere no switch runs as root: there are no devices. The last name at least is not followed. */
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
  // By what was looked at, not by its name.
  const name = `/proc/self/fd/${entry}`;
  const probe = stats.isFIFO() ? openAtReader(name) : undefined;
  const descriptor = openSync(name, access | constants.O_NOCTTY);
  // Not before: a pipe without a writer has ended for its reader.
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

/** Into a directory of theirs other users can move files and hard links of root, but cannot make them. */
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

/** Without one, opening a pipe for writing would wait for it, and the process with it. */
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
