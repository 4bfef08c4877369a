import { type FileHandle, open } from 'node:fs/promises';
import { EtherwsError } from '../errors.ts';
import { isWorldReadable, unreadable } from '../runtime/user-file.ts';

const MAX_BYTES = 4096;

/**
 * Reads a password from the first line of a file, without the line
 * end. The file may be a pipe, such as a shell's `<(pass show switch)`.
 * @param warn called if every user of this host may read the file
 * @throws EtherwsError FILE_UNREADABLE, also for a line that is empty, too long or not UTF-8
 */
export async function readPasswordFile(path: string, warn: (message: string) => void): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile() && isWorldReadable(stats)) {
      warn(`Every user of this host may read the password in ${path}: chmod o-r ${path}`);
    }
    const password = firstLine(await readUpTo(handle, MAX_BYTES));
    if (password === undefined || password === '') {
      const problem = password === undefined ? 'is too long or not UTF-8' : 'is empty';
      throw new EtherwsError('FILE_UNREADABLE', `The first line of ${path}, which should be a password, ${problem}`, {
        hint: `Write the password on the first line, of at most ${MAX_BYTES} bytes`,
      });
    }
    return password;
  } catch (error) {
    throw error instanceof EtherwsError ? error : unreadable(path, error);
  } finally {
    await handle?.close();
  }
}

/** Reads up to a line end, the end of the file, or `maxBytes`. */
async function readUpTo(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(maxBytes);
  let length = 0;
  while (length < maxBytes && !bytes.subarray(0, length).includes('\n')) {
    const { bytesRead } = await handle.read(bytes, length, maxBytes - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** @returns undefined for a line that is too long, or not UTF-8 */
function firstLine(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\n');
  if (end < 0 && bytes.length === MAX_BYTES) return undefined;
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  const text = line.toString('utf8');
  return line.equals(Buffer.from(text, 'utf8')) ? text.replace(/\r$/, '') : undefined;
}
