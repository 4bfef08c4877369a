import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, EtherwsError } from '../errors.ts';
import { findPlace, type Place, UnsafePathError } from './safe-path.ts';

/**
 * Replaces the contents of a file atomically: a reader sees either the old or the new
 * ones, also after a crash or a full disk. Mode and owner are kept. A symbolic link
 * is followed, unless another user could have placed it.
 * @param read the status of the file when its old contents were read; undefined if it did not exist
 * @param newMode the mode of a new file
 * @throws EtherwsError FILE_UNWRITABLE, also if the file was replaced since then; the file is then unchanged
 */
export async function replaceFile(
  path: string,
  content: string,
  read: BigIntStats | undefined,
  newMode = 0o600,
): Promise<void> {
  let place: Place | undefined;
  try {
    place = placeOf(path);
    await replaceAt(place.path, content, read, newMode);
  } catch (error) {
    if (error instanceof EtherwsError) throw error;
    const isUnsafe = error instanceof UnsafePathError;
    throw new EtherwsError(
      'FILE_UNWRITABLE',
      `${path} cannot be written (${isUnsafe ? error.message : codeOf(error)})`,
      {
        cause: error,
        hint: isUnsafe ? error.hint : 'Check that its folder exists, and that you may write to it and own the file',
      },
    );
  } finally {
    place?.close();
  }
}

/** On other systems than Linux all links are followed. */
function placeOf(path: string): Place {
  if (process.platform === 'linux') return findPlace(resolve(path));
  return { path: resolve(path), entry: undefined, isPrivate: false, close: () => undefined };
}

async function replaceAt(
  target: string,
  content: string,
  read: BigIntStats | undefined,
  newMode: number,
): Promise<void> {
  let temporary: string | undefined;
  try {
    const before = await stat(target, { bigint: true }).catch(() => undefined);
    if (before?.ino !== read?.ino || before?.dev !== read?.dev) {
      throw new EtherwsError('FILE_UNWRITABLE', 'The file was replaced while it was being changed', {
        hint: 'Try again',
      });
    }
    const name = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
    await withHandle(await open(name, 'wx', 0o600), async (handle) => {
      temporary = name;
      await handle.writeFile(content);
      // By fchmod, since the umask cuts the mode of open(2).
      if (before === undefined) await handle.chmod(newMode);
      else {
        const own = await handle.stat({ bigint: true });
        if (own.uid !== before.uid || own.gid !== before.gid) {
          await handle.chown(Number(before.uid), Number(before.gid));
        }
        await handle.chmod(Number(before.mode) & 0o7777);
      }
      await handle.sync();
    });
    await rename(name, target);
    temporary = undefined;
    await withHandle(await open(dirname(target), 'r'), (directory) => directory.sync());
  } finally {
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
  }
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}
