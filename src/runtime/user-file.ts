import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { codeOf, EtherwsError } from '../errors.ts';

/** The contents of a file. */
export interface UserFile {
  readonly text: string;
  /** The caller owns them. */
  readonly octets: Buffer;
  /** The status of the file from before it was read. */
  readonly stats: BigIntStats;
}

/**
 * Reads a regular file that an option names, such as a key, a certificate or a user list.
 * @throws EtherwsError FILE_UNREADABLE, also for a device or a FIFO, and for a file longer than `maxBytes`
 */
export async function readUserFile(path: string, maxBytes: number): Promise<UserFile> {
  let handle: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a FIFO would otherwise block a thread until a process writes to it.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new EtherwsError('FILE_UNREADABLE', `${path} is not a regular file`);
    if (stats.size > BigInt(maxBytes)) {
      const limit = `more than the ${maxBytes} that are read`;
      throw new EtherwsError('FILE_UNREADABLE', `${path} has ${stats.size} bytes, ${limit}`);
    }
    const octets = await handle.readFile();
    return { text: octets.toString('utf8'), octets, stats };
  } catch (error) {
    throw error instanceof EtherwsError ? error : unreadable(path, error);
  } finally {
    await handle?.close();
  }
}

export function unreadable(path: string, error: unknown): EtherwsError {
  return new EtherwsError('FILE_UNREADABLE', `${path} cannot be read (${codeOf(error)})`, {
    cause: error,
    hint: 'Check that it exists and that the user that runs etherws may read it',
  });
}

/** Whether all users of this host may read the file, which must not be for secrets. */
export function isWorldReadable({ mode }: BigIntStats): boolean {
  return (mode & 0o004n) !== 0n;
}
