import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EtherwsError } from '../errors.ts';
import { codeOf } from './connect-errors.ts';

/**
 * Puts a new content in the place of a file's, as one step: whoever reads sees
 * the old or the new one, also after a crash or a full disk. Mode and owner stay;
 * a link stays a link. A file that is not there is made, for its owner alone.
 * @throws EtherwsError FILE_UNWRITABLE; then the file is as before
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await realpath(path).catch(() => path);
    const before = await stat(target).catch(() => undefined);
    const name = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
    await withHandle(await open(name, 'wx', 0o600), async (handle) => {
      temporary = name;
      await handle.writeFile(content);
      if (before !== undefined) {
        const own = await handle.stat();
        if (own.uid !== before.uid || own.gid !== before.gid) await handle.chown(before.uid, before.gid);
        await handle.chmod(before.mode & 0o7777);
      }
      await handle.sync();
    });
    await rename(name, target);
    temporary = undefined;
    await withHandle(await open(dirname(target), 'r'), (directory) => directory.sync());
  } catch (error) {
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
    throw new EtherwsError('FILE_UNWRITABLE', `${path} cannot be written (${codeOf(error)})`, {
      cause: error,
      hint: 'Check that its folder exists, and that you may write to it and own the file',
    });
  }
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}
