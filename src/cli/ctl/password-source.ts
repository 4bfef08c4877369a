import { escapeSentence } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** The sources of a password in their order of precedence: option, file, environment, prompt. Empty ones count as absent. */
export interface PasswordSources {
  readonly user: string | undefined;
  readonly passwd: string | undefined;
  readonly file: string | undefined;
  readonly variable: string | undefined;
  readonly prompt: string;
}

/**
 * Finds the password. Without a user there is no prompt, and the environment is
 * ignored.
 * @throws UsageError if both the option and the file are given
 * @throws EtherwsError FILE_UNREADABLE, and the errors of the prompt
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
