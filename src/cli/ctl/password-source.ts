import { escapeSentence } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** Where a password may come from, best first: the option, a file, the environment, the person. An empty one was not given. */
export interface PasswordSources {
  readonly user: string | undefined;
  readonly passwd: string | undefined;
  readonly file: string | undefined;
  readonly variable: string | undefined;
  readonly prompt: string;
}

/**
 * Without a user nothing is asked, and a password in the environment is meant
 * for another user.
 * @throws UsageError for both the option and the file
 * @throws EtherwsError FILE_UNREADABLE, and what the prompt throws
 */
export async function findPassword(sources: PasswordSources, terminal: Terminal): Promise<string | undefined> {
  const { file, prompt } = sources;
  const [user, passwd, variable] = [sources.user, sources.passwd, sources.variable].map((text) => text || undefined);
  if (passwd !== undefined && file !== undefined) {
    throw new UsageError('a password and a password file exclude each other');
  }
  if (passwd !== undefined) return passwd;
  if (file !== undefined) {
    const { readPasswordFile } = await import('../../auth/password-file.ts');
    return readPasswordFile(file, (warning) => terminal.complain(`  ${escapeSentence(warning)}\n`));
  }
  if (user === undefined) return undefined;
  return variable ?? terminal.askPassword(prompt);
}
