import { readFileSync } from 'node:fs';
import { EtherwsError } from '../../errors.ts';
import { UsageError } from '../usage-error.ts';

/** Where a password may come from, best first: the option, a file, the environment, the person. */
export interface PasswordSources {
  readonly user: string | undefined;
  readonly passwd: string | undefined;
  readonly file: string | undefined;
  readonly variable: string | undefined;
  ask(): Promise<string>;
}

const FILE_BYTES = 4096;

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
  if (file !== undefined) return readPasswordFile(file);
  if (user === undefined) return undefined;
  return variable === undefined || variable === '' ? sources.ask() : variable;
}

/** The first line, so that an editor's line feed at the end is no part of the password. */
function readPasswordFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const hint = 'Give a file that holds the password and that you may read';
    throw new EtherwsError('FILE_UNREADABLE', `Cannot read the password file ${file}`, { cause, hint });
  }
  const line = text.slice(0, FILE_BYTES).split(/\r?\n/, 1)[0] ?? '';
  if (line !== '') return line;
  throw new EtherwsError('FILE_UNREADABLE', `The password file ${file} begins with an empty line`);
}
