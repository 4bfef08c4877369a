import { readPasswordFile } from '../../auth/password-file.ts';
import { UsageError } from '../usage-error.ts';

/** Where a password may come from, best first: the option, a file, the environment, the person. */
export interface PasswordSources {
  readonly user: string | undefined;
  readonly passwd: string | undefined;
  readonly file: string | undefined;
  readonly variable: string | undefined;
  ask(): Promise<string>;
  /** Told when others may read the file. */
  warn(message: string): void;
}

/**
 * Without a user nothing is asked, and a password in the environment is meant
 * for somebody else.
 * @throws UsageError for both the option and the file
 * @throws EtherwsError FILE_UNREADABLE
 */
export async function findPassword(sources: PasswordSources): Promise<string | undefined> {
  const { user, passwd, file, variable } = sources;
  if (passwd !== undefined && file !== undefined) {
    throw new UsageError('a password and a password file exclude each other');
  }
  if (passwd !== undefined) return passwd;
  if (file !== undefined) return readPasswordFile(file, sources.warn);
  if (user === undefined) return undefined;
  return variable === undefined || variable === '' ? sources.ask() : variable;
}
